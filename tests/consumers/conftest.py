"""Exports of the real shop, each written by a process of its own and loaded by the library that it is for.

`make test-consumers` publishes the shop and runs these tests where the libraries are installed; elsewhere they are skipped.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopmill.settings import Settings
from shopmill.versions.load import Version

STORE = "CONSUMERS_STORE"
PROOFS = "CONSUMERS_PROOFS"
"""The file that gets a line for each proof: what the tables of docs/consumers.md are made of."""
TIME_ZONE = "America/New_York"
OWN_PYTHON = Path(__file__).parents[2] / ".venv" / "bin" / "python"
"""Of shopmill's own environment: pyarrow, and so an export, wants a newer numpy than some consumers do."""


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


def with_version(version: Version) -> Written:
    """What stands beside the manifest of each version, and costs no export."""
    return Written(Path(version.path), {}, 0, 0, f"shopmill run {version.manifest.dataset}")


@pytest.fixture
def exported(shop: Settings, tmp_path: Path) -> Callable[..., Written]:
    """Runs `shopmill export`, and says what it cost."""

    def run(
        dataset: str,
        to: str,
        *options: str,
        as_of: str | None = None,
        folder: Path | None = None,
        python: Path | str = sys.executable,
    ) -> Written:
        target = folder or tmp_path / to
        chosen = [part for option in options for part in ("-o", option)] + (["--as-of", as_of] if as_of else [])
        arguments = ["export", dataset, "--to", to, "--output", str(target), *chosen, "--json"]
        start = time.perf_counter()
        out, megabytes = run_measured([str(python), "-m", "shopmill.cli.app", *arguments], tmp_path)
        seconds = time.perf_counter() - start
        shown = " ".join(["shopmill export", dataset, "--to", to, *chosen, "--output FOLDER"])
        return Written(target, json.loads(out)["rows"], seconds, megabytes, shown)

    return run


def run_measured(command: list[str], folder: Path, within: Path | str | None = None) -> tuple[str, int]:
    """What a command writes, and the megabytes that it held at most; `within` is the folder that it is run in."""
    measured = [sys.executable, str(Path(__file__).with_name("measured.py")), *command]
    with (folder / "err").open("wb") as err:
        done = subprocess.run(
            measured, stdout=subprocess.PIPE, stderr=err, text=True, check=False, timeout=1500, cwd=within
        )
    assert done.returncode == 0, f"{done.stdout[-3000:]}{(folder / 'err').read_text()}"
    *out, cost = done.stdout.splitlines()
    return "\n".join(out), json.loads(cost)["megabytes"]


@pytest.fixture
def note() -> Iterator[Callable[..., None]]:
    """Notes a row of a table, for which the test was passed."""
    noted: list[dict[str, Any]] = []
    yield lambda **row: noted.append(row)
    if path := os.environ.get(PROOFS):
        with Path(path).open("a") as file:
            file.writelines(json.dumps(line) + "\n" for line in noted)


@pytest.fixture
def proof(note: Callable[..., None]) -> Callable[..., None]:
    """Notes what was loaded and done: package, what was done, the export, the rows that were loaded, and what using it cost.

    A package that is not of this environment is given with its version, and with the megabytes of the process that used it.
    """
    start = time.perf_counter()
    _forget_peak()

    def prove(package: str, done: str, written: Written, rows: int, loaded: str, megabytes: int | None = None) -> None:
        note(
            consumer=package if " " in package else f"{package} {version(package)}",
            loaded=loaded,
            done=done,
            rows=rows,
            export_seconds=round(written.seconds, 1),
            export_megabytes=written.megabytes,
            use_seconds=round(time.perf_counter() - start - written.seconds, 1),
            use_megabytes=megabytes or _peak(),
            command=written.command,
        )

    return prove


def _forget_peak() -> None:
    """From here on the kernel's peak of this process is that of one test."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """The megabytes that this process held at most since then."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) // 1024


@pytest.fixture
def vectors(shop: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """A store with a small version of articles_embeddings: unit vectors, seeded. Its files have no field ids."""
    from fabricated import publish_vectors

    monkeypatch.setenv("SHOPMILL_STORE", str(tmp_path / "vectors"))
    matrix = np.random.default_rng(0).normal(size=(5_000, 384)).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    publish_vectors(tmp_path / "vectors", matrix, shop.zone)
    return matrix
