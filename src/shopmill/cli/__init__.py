"""The command line."""

import sys

NEEDS = {"typer", "rich", "click"}


def main() -> None:
    """The command `shopmill`; who only reads datasets in Python has not installed what it needs."""
    try:
        from shopmill.cli.app import main as run
    except ModuleNotFoundError as error:
        if error.name not in NEEDS:
            raise
        print('error The command line is not installed: pip install "shopmill[run]".', file=sys.stderr)
        sys.exit(1)
    run()
