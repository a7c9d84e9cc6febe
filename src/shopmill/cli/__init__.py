"""The command line."""

import json
import sys

NEEDS = {"typer", "rich", "click"}
MISSING = 'The command line is not installed: pip install "shopmill[run]".'


def main() -> None:
    """The command `shopmill`; who only reads datasets in Python has not installed what it needs."""
    try:
        from shopmill.cli.app import main as run
    except ModuleNotFoundError as error:
        if error.name not in NEEDS:
            raise
        if "--json" in sys.argv:
            print(json.dumps({"error": MISSING, "exit_code": 1}))
        print(f"error {MISSING}", file=sys.stderr)
        sys.exit(1)
    run()
