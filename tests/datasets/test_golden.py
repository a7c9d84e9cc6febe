"""Every golden case of every dataset."""

from pathlib import Path

import pytest
from golden import load_case, run_case

from shopmill.settings import Settings

FOLDER = Path(__file__).parent
CASES = sorted(FOLDER.glob("*/*.yaml"))


@pytest.mark.parametrize("path", CASES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_golden(path: Path, settings: Settings) -> None:
    for case in load_case(path):
        run_case(path.parent.name, case, settings)
