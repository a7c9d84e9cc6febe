"""Exports of the real shop, each written by a process of its own and loaded by the library that it is for.

`make test-consumers` publishes the shop and runs these tests where the libraries are installed; elsewhere they are skipped.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from shopmill.settings import Settings

STORE = "CONSUMERS_STORE"
PROOFS = "CONSUMERS_PROOFS"
"""The file that gets a line for each proof: what docs/consumers.md is made of."""
TIME_ZONE = "America/New_York"


@dataclass(frozen=True)
class Written:
    """An export, and what writing it cost."""

    folder: Path
    rows: dict[str, int]
    seconds: float
    megabytes: int
    command: str


@pytest.fixture(scope="session")
def store() -> str:
    found = os.environ.get(STORE)
    if not found:
        pytest.skip(f"needs the published shop in {STORE}: make test-consumers")
    return found


@pytest.fixture
def shop(store: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the published shop, which `shopmill.load` finds as well."""
    monkeypatch.setenv("SHOPMILL_STORE", store)
    monkeypatch.setenv("SHOPMILL_TIME_ZONE", TIME_ZONE)
    return Settings(_env_file=None)


@pytest.fixture
def exported(shop: Settings, tmp_path: Path) -> Callable[..., Written]:
    """Runs `shopmill export`, and says what it cost."""

    def run(dataset: str, to: str, *options: str, as_of: str | None = None, folder: Path | None = None) -> Written:
        target = folder or tmp_path / to
        chosen = [part for option in options for part in ("-o", option)] + (["--as-of", as_of] if as_of else [])
        arguments = ["export", dataset, "--to", to, "--output", str(target), *chosen, "--json"]
        start = time.perf_counter()
        out, megabytes = _run([sys.executable, "-m", "shopmill.cli.app", *arguments], tmp_path)
        seconds = time.perf_counter() - start
        shown = " ".join(["shopmill export", dataset, "--to", to, *chosen, "--output FOLDER"])
        return Written(target, json.loads(out)["rows"], seconds, megabytes, shown)

    return run


def _run(command: list[str], folder: Path) -> tuple[str, int]:
    """What a command writes, and the megabytes that it held at most."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        actions = [(os.POSIX_SPAWN_DUP2, out.fileno(), 1), (os.POSIX_SPAWN_DUP2, err.fileno(), 2)]
        child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        _, status, usage = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, (folder / "err").read_text()
    return (folder / "out").read_text(), usage.ru_maxrss // 1024


@pytest.fixture
def proof() -> Iterator[Callable[..., None]]:
    """Notes what was loaded and done: consumer, package, what was done, the export, and what using it cost."""
    start = time.perf_counter()
    noted: list[dict[str, Any]] = []

    def note(package: str, done: str, written: Written, loaded: str) -> None:
        rows = max(written.rows.values())
        noted.append(
            {
                "consumer": f"{package} {version(package)}",
                "loaded": loaded,
                "done": done,
                "rows": rows,
                "export_seconds": round(written.seconds, 1),
                "export_megabytes": written.megabytes,
                "use_seconds": round(time.perf_counter() - start - written.seconds, 1),
                "use_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                "command": written.command,
            }
        )

    yield note
    if path := os.environ.get(PROOFS):
        with Path(path).open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in noted)
