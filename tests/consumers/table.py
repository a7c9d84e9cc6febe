"""The table of docs/consumers.md, out of what the tests noted: python table.py PROOFS."""

import json
import sys
from pathlib import Path

HEADER = "| consumer | loaded with | done | rows | export | use | command |\n|---|---|---|---|---|---|---|"


def main(proofs: Path) -> None:
    print(HEADER)
    for line in sorted(proofs.read_text().splitlines()):
        p = json.loads(line)
        export = f"{p['export_seconds']} s, {p['export_megabytes']} MB"
        use = f"{p['use_seconds']} s, {p['use_megabytes']} MB"
        print(
            f"| {p['consumer']} | {p['loaded']} | {p['done']} | {p['rows']:,} | {export} | {use} | `{p['command']}` |"
        )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
