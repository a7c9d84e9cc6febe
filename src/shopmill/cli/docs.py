"""`shopmill docs`: the pages about the datasets."""

from typing import Annotated

import typer

from shopmill.cli.output import print_lines
from shopmill.errors import InvalidInputError


def write_docs(check: Annotated[bool, typer.Option("--check", help="only say which pages are stale")] = False) -> None:
    """Write docs/datasets/ from the declarations."""
    from shopmill.exports import documentation

    changed = documentation.stale() if check else documentation.write()
    if check and changed:
        raise InvalidInputError(f"docs/datasets is stale: {', '.join(changed)}. Run `make docs` and commit.")
    for name in changed:
        print_lines(documentation.FOLDER / name)
