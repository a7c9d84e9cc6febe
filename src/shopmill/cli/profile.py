"""What `shopmill run --profile FILE` writes, and what it shows."""

import json
from pathlib import Path

from shopmill.cli.output import out, print_table
from shopmill.engine.profile import Profile
from shopmill.errors import InvalidInputError
from shopmill.settings import Settings

SHOWN = 15
COLUMNS = ("step", "part", "rows read", "rows", "seconds", "of threads", "spilled MiB")


def refuse_unusable(path: Path, settings: Settings) -> None:
    """Says before the work that a profile could not be taken or written."""
    if settings.engine != "duckdb":
        raise InvalidInputError(
            f"--profile needs SHOPMILL_ENGINE=duckdb, not {settings.engine}: Spark's own UI shows its stages."
        )
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise InvalidInputError(f"--profile {path} cannot be written: name a file in a folder that exists.")


def write_profile(path: Path, profile: Profile) -> None:
    """Writes every statement as JSON."""
    path.write_text(json.dumps(profile.document(), indent=1) + "\n")


def show_profile(path: Path, profile: Profile) -> None:
    """The parts that took longest."""
    parts = profile.by_part()
    rows = [
        {
            "step": one.step,
            "part": one.part,
            "rows read": one.rows_read,
            "rows": one.rows,
            "seconds": f"{one.seconds:.2f}",
            "of threads": f"{one.thread_seconds:.2f}",
            "spilled MiB": one.spilled_bytes // 2**20,
        }
        for one in parts[:SHOWN]
    ]
    total = sum(one.seconds for one in parts)
    if rows:
        print_table(rows, COLUMNS, spare=("of threads", "rows read"))
    shown = f", {SHOWN} of {len(parts)} parts shown" if len(parts) > SHOWN else ""
    out.print(
        f"{len(profile.statements)} statements, {total:.2f} s{shown}; all are in {path}", soft_wrap=True, markup=False
    )
