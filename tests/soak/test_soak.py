"""The soak can fail: mistakes that are planted do not pass."""

from collections.abc import Callable
from pathlib import Path

import pytest

from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres
from shopmill.versions.versions import Versions
from soak import planted
from soak.driver import Soak
from soak.place import place
from soak.report import SoakError

pytestmark = pytest.mark.timeout(1800)  # minutes of runs, on a machine that has other work as well
SEED = 1
FEW = ("user_item_interactions", "training_labels")


@pytest.fixture
def where(
    postgres: EmbeddedPostgres, database: Callable[[], str], encoder_folder: Path, tmp_path: Path
) -> tuple[Settings, Settings]:
    return place(postgres, database, tmp_path, encoder_folder)


def test_files_that_are_not_flushed_are_found(where: tuple[Settings, Settings], tmp_path: Path) -> None:
    """The soak with a mistake in it: a power cut after the manifest was written finds no files."""
    faults = {"kinds": ("power cut",), "between": (), "share": 1.0, "missed": 0.0, "step": "register"}
    soak = Soak(*where, tmp_path, SEED, 1, plant=planted.nothing_is_flushed, names=FEW, **faults)
    with pytest.raises(SoakError, match="is not whole"):
        soak.run()


def test_a_verification_that_is_left_out_is_found(
    where: tuple[Settings, Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The soak with a mistake in it: what was torn is taken for whole, until somebody reads it."""
    monkeypatch.setattr(Versions, "faults", lambda *_, **__: {})
    soak = Soak(*where, tmp_path, SEED, 3, between=("torn", "deleted"), share=0.0, names=FEW)
    with pytest.raises(SoakError):
        soak.run()


def test_a_few_days_of_faults_lose_nothing(where: tuple[Settings, Settings], tmp_path: Path) -> None:
    """`make soak` in small: the process is killed, the power is cut, the disk is full, the shop goes away, a person is erased."""
    soak = Soak(*where, tmp_path, 238, 3, names=(*FEW, "events_and_funnels"), share=0.8).run()
    assert soak.report.faults.keys() >= {"kill", "power cut", "store error", "deleted", "gc", "unpublish", "erase"}
    assert soak.report.compared["equal ids"] + soak.report.compared["equal rows"] == 3
