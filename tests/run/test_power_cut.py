"""A power cut loses what was not synced: what was said to be published stays, what is half written counts as absent."""

import logging
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from golden import LENIENT

import shopmill
from copies import Copies
from power_cut import Platters, watched
from shopmill import datasets
from shopmill.run import steps
from shopmill.run.published import Published
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.store import Store, sha256_of
from shopmill.versions.versions import Versions

DATASET, FIRST, SECOND = "user_item_interactions", "2020-09-22", "2020-09-23"


@pytest.fixture
def shop(few_sales: Copies, tmp_path: Path) -> Settings:
    return few_sales.of(tmp_path / "store")


@pytest.fixture
def twice(few_sales: Copies, tmp_path: Path) -> Settings:
    """A store of two versions."""
    return few_sales.of(tmp_path / "twice", (DATASET, FIRST), (DATASET, SECOND))


def publish(settings: Settings, as_of: str) -> Published:
    return steps.run_all(Run.create(datasets.load(DATASET), as_of, settings, LENIENT))


def at(settings: Settings, folder: Path) -> Settings:
    return settings.model_copy(update={"store": str(folder)})


def whole(settings: Settings) -> list[str]:
    """The as_ofs of all versions, every byte of which is there, with the raw files that they were read from."""
    store = Store(settings.store)
    versions = Versions(store, DATASET, settings.zone)
    found = versions.all()
    for manifest in found:
        for table in manifest.tables:
            for file, key in zip(manifest.files(table), versions.keys_of(manifest, table), strict=True):
                assert sha256_of(Path(store.uri(key))) == file.sha256
        for snapshot in manifest.beside["snapshots"].values():
            for described in store.read_json(snapshot["key"])["files"]:
                assert sha256_of(Path(store.uri(described["key"]))) == described["sha256"]
    return [manifest.as_of for manifest in found]


def test_what_was_published_is_there_after_a_cut(shop: Settings, tmp_path: Path) -> None:
    with watched(Path(shop.store)) as platters:
        for number, as_of in enumerate((FIRST, SECOND)):
            version = publish(shop, as_of).version
            left = at(shop, tmp_path / f"left-{number}")
            platters.leave(Path(left.store))
            assert whole(left) == [FIRST, SECOND][: number + 1]
            opened = shopmill.load(DATASET, store=left.store)
            assert (opened.as_of, opened.version) == (as_of, version)
            assert publish(left, as_of) == replace(publish(shop, as_of), path=opened.path)


def test_a_cut_at_any_moment_leaves_whole_versions_and_a_run_ends_the_same(shop: Settings, tmp_path: Path) -> None:
    states: list[Path] = []

    def keep(platters: Platters) -> None:
        states.append(tmp_path / f"state-{len(states)}")
        platters.leave(states[-1])

    with watched(Path(shop.store), keep):
        version = publish(shop, FIRST).version
    seen = []
    for state in states:
        left = at(shop, state)
        seen.append(whole(left))
        pointer = state / DATASET / "current.json"
        assert not pointer.exists() or seen[-1] == [FIRST]
    assert (seen[0], seen[-1]) == ([], [FIRST])
    for state in states[:: max(1, len(states) // 6)]:
        assert publish(at(shop, state), FIRST).version == version
        assert whole(at(shop, state)) == [FIRST]


DAMAGE = {"empty": b"", "zeros": b"\0" * 40, "cut off": b'{"as_of": "2020-0', "something else": b"[]"}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("ending", ["manifest.json", f"{DATASET}/current.json", f"{SECOND}/current.json", "0000.json"])
def test_a_document_that_cannot_be_read_is_named_and_the_next_run_repairs_it(
    twice: Settings, damage: bytes, ending: str, caplog: pytest.LogCaptureFixture
) -> None:
    version = shopmill.load(DATASET, store=twice.store).version
    healthy = Store(twice.store)
    content = {key: healthy.read(key) for key in healthy.keys(DATASET)}
    stamp = "20200923T000000Z/0000.json" if ending == "0000.json" else f"={version}/manifest.json"
    wanted = stamp if ending in {"manifest.json", "0000.json"} else ending
    damaged = [key for key in healthy.keys("") if key.endswith(wanted)]
    assert damaged
    for key in damaged:
        Path(healthy.uri(key)).unlink()  # its other names, where it has any, keep their bytes
        Path(healthy.uri(key)).write_bytes(damage)
    opened = shopmill.load(DATASET, store=twice.store)
    assert opened.as_of == (FIRST if ending == "manifest.json" else SECOND)
    with caplog.at_level(logging.WARNING):
        assert publish(twice, SECOND).version == version
    assert {key for key in damaged if key in caplog.text} == set(damaged)
    assert {key: healthy.read(key) for key in healthy.keys(DATASET)} == content
    caplog.clear()
    assert publish(twice, SECOND).status == "unchanged"
    assert not [record for record in caplog.records if "damaged" in record.message]


@pytest.fixture
def ext4(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A folder on a real file system, and the image that it lies in."""
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    commands = (["mkfs.ext4", "-q", str(image)], ["mount", "-o", "loop", str(image), str(folder)])
    if os.getuid() or any(subprocess.run(c, check=False, capture_output=True).returncode for c in commands):
        pytest.skip("only root may mount an image")
    yield image, folder
    subprocess.run(["umount", "--lazy", str(folder)], check=False)


@pytest.mark.usefixtures("really_synced")
def test_a_real_file_system_whose_power_is_cut(shop: Settings, tmp_path: Path, ext4: tuple[Path, Path]) -> None:
    """The image is copied while the file system is mounted: what the kernel still holds in memory is not in the copy."""
    image, folder = ext4
    published = publish(at(shop, folder / "store"), FIRST)
    (folder / "not-synced").write_bytes(b"x" * 10_000)
    cut = tmp_path / "cut.img"
    shutil.copyfile(image, cut)
    after = tmp_path / "after"
    after.mkdir()
    subprocess.run(["mount", "-o", "loop", str(cut), str(after)], check=True)
    try:
        lost = after / "not-synced"
        assert not lost.exists() or lost.stat().st_size == 0, "the copy shows what was never written to the disk"
        left = at(shop, after / "store")
        assert whole(left) == [FIRST]
        assert shopmill.load(DATASET, store=left.store).version == published.version
        assert publish(left, FIRST).status == "unchanged"
        assert publish(left, SECOND).status == "published"
    finally:
        subprocess.run(["umount", "--lazy", str(after)], check=False)
