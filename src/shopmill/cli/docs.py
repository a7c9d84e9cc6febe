"""`shopmill docs`: the pages that follow from the code."""

from pathlib import Path
from typing import Annotated

import typer

from shopmill.cli.options import Json
from shopmill.cli.output import print_json, print_lines
from shopmill.errors import InvalidInputError


def write_docs(
    context: typer.Context,
    check: Annotated[bool, typer.Option("--check", help="only say which pages are stale")] = False,
    as_json: Json = False,
) -> None:
    """Write docs/datasets/ and their lines in zensical.toml from the declarations, and docs/reference/ from the code."""
    from shopmill import datasets
    from shopmill.cli import reference
    from shopmill.exports import documentation, navigation

    group = context.find_root().command
    changed = [documentation.FOLDER / name for name in (documentation.stale() if check else documentation.write())]
    changed += [reference.FOLDER / name for name in (reference.stale(group) if check else reference.write(group))]
    names = datasets.names()
    changed += [Path(name) for name in (navigation.stale(names) if check else navigation.write(names))]
    if check and changed:
        raise InvalidInputError(f"These pages are stale: {', '.join(map(str, changed))}. Run `make docs` and commit.")
    if as_json:
        print_json({"written": changed})
        return
    print_lines(*changed)
