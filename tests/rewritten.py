"""Shopmill's code as an upgrade without a new number leaves it: one module is another, for what looks at the code."""

import shutil
from pathlib import Path

import pytest

from shopmill.run import code


def rewrite(monkeypatch: pytest.MonkeyPatch, folder: Path, module: str) -> None:
    """Changes a module in a copy of the code, in which its files are looked for from then on."""
    root = folder / "code"
    shutil.copytree(code.ROOT, root, ignore=shutil.ignore_patterns("__pycache__"))
    with (root / module).open("a") as file:
        file.write("# changed\n")
    monkeypatch.setattr(code, "ROOT", root)
