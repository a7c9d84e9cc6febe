"""`shopmill new`: the files of a new dataset."""

from typing import Annotated

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import print_json, print_lines


def new(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="the name of the new dataset, such as daily_sales")],
    as_json: Json = False,
) -> None:
    """Make a new dataset in this checkout: declaration, SQL, checks, a first case, the DAG and its page in the docs."""
    from shopmill import datasets
    from shopmill.datasets.faults import refuse_faults
    from shopmill.datasets.new import checkout, create
    from shopmill.exports import documentation, navigation

    root = checkout()
    files = create(dataset, root)
    datasets.names.cache_clear()
    refuse_faults(datasets.load(dataset))
    files += [f"{documentation.FOLDER}/{name}" for name in documentation.write(root / documentation.FOLDER)]
    files += navigation.write(datasets.names(), root)
    if as_json:
        print_json({"dataset": dataset, "files": files})
        return
    print_lines(*files)
    print_lines(
        f'Run its case with `make test-quick TESTS="tests/datasets/test_golden.py -k {dataset}"`, then change it.'
    )
