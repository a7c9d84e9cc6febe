"""A copy of this checkout in which the page about adding a dataset is walked, command by command and change by change."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adding-a-dataset.md"
NAME = "daily_sales"
COPIED = ("src", "dags", "tests", "docs")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "platforms", "images", "node_modules")
FENCE = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.DOTALL | re.MULTILINE)
COMMANDS = re.compile(r"^```\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Checkout:
    """The copy, and what is done in it."""

    root: Path

    @classmethod
    def copy(cls, root: Path) -> "Checkout":
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name, ignore=LEFT_OUT)
        for name in ("pyproject.toml", "zensical.toml"):
            shutil.copy(ROOT / name, root)
        return cls(root)

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.root / "src")}

    def shopmill(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python("-m", "shopmill.cli.app", *arguments)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=self.root, env=self.environment, capture_output=True, text=True, check=False)

    def pytest(self, *arguments: str) -> str:
        done = self.python("-m", "pytest", "-p", "no:xdist", "-q", *arguments)
        assert done.returncode == 0, done.stdout[-4000:]
        return done.stdout

    def change(self) -> None:
        """Makes the changes of the page, in its order."""
        for kind, path, text in FENCE.findall(PAGE.read_text()):
            file = self.root / path
            if kind == "diff":
                file.write_text(_changed(file.read_text(), text))
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """What is in the folders that a dataset is in."""
        for folder in ("dags", "src/shopmill/datasets", "tests/datasets", "docs"):
            for path in sorted((self.root / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts and ".pytest_cache" not in path.parts:
                    yield str(path.relative_to(self.root)), path.read_bytes()
        yield "zensical.toml", (self.root / "zensical.toml").read_bytes()


def commands() -> list[list[str]]:
    """The lines that the page has one type."""
    blocks = COMMANDS.findall(FENCE.sub("", PAGE.read_text()))
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def _changed(text: str, diff: str) -> str:
    lines = diff.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line[0] in " -")
    new = "".join(line[1:] for line in lines if line[0] in " +")
    assert text.count(old) == 1, f"not once in the file:\n{old}"
    return text.replace(old, new)
