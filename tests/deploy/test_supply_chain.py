"""`make sbom` lists what is installed, and the lock files pin everything by hash and name no registry."""

import json
import re
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))


def test_the_bill_of_materials_has_every_installed_package() -> None:
    done = subprocess.run(["make", "sbom"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    listed = {part["name"].lower() for part in json.loads((ROOT / "shopmill.cdx.json").read_text())["components"]}
    installed = {found.metadata["Name"].lower() for found in distributions()} - {"shopmill"}
    assert {name.replace("_", "-") for name in installed} <= {name.replace("_", "-") for name in listed}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_file_has_hashes_and_no_address(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    pinned = re.findall(r"^([A-Za-z0-9_.\-\[\]]+)==\S+.*\\\n\s+--hash=sha256:", text, re.MULTILINE)
    assert len(pinned) == len(re.findall(r"^[A-Za-z0-9]", text, re.MULTILINE)) > 0
