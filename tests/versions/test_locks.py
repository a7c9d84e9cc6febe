"""Locks: one holder at a time, among threads, processes and machines; dead and suspended holders; on disk and on S3."""

import logging
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shopmill.errors import ConflictError
from shopmill.versions import locks as module
from shopmill.versions.locks import Holder, Locks
from shopmill.versions.store import Store

processes = multiprocessing.get_context("spawn")


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "s3":
        return Store(request.getfixturevalue("s3_store"))
    return Store(str(tmp_path / "store"))


@pytest.fixture
def folder(tmp_path: Path) -> str:
    return str(tmp_path / "store")


def count_up(url: str, path: str, times: int) -> None:
    for _ in range(times):
        with Locks(Store(url)).lock("counter"):
            number = int(Path(path).read_text())
            time.sleep(0.001)
            Path(path).write_text(str(number + 1))


def hold(url: str, silent_seconds: float, pipe: Any) -> None:
    locks = Locks(Store(url), beat_seconds=silent_seconds / 5, silent_seconds=silent_seconds)
    with locks.lock("run of x") as held:
        pipe.send("held")
        pipe.recv()
        try:
            held.confirm()
            pipe.send("still mine")
        except ConflictError as error:
            pipe.send(str(error))


@pytest.fixture
def holding(folder: str) -> Iterator[Any]:
    here, there = processes.Pipe()
    process = processes.Process(target=hold, args=(folder, 2.0, there))
    process.start()
    assert here.recv() == "held"
    yield process, here
    process.kill()
    process.join()


def test_a_lock_has_one_holder_and_is_free_afterwards(store: Store) -> None:
    locks = Locks(store)
    with (
        locks.lock("run of x", wait=False),
        locks.lock("run of y", wait=False),
        pytest.raises(ConflictError, match=f"Another 'run of x' is at work: process {os.getpid()} on .* since 20"),
        locks.lock("run of x", wait=False),
    ):
        pass
    assert locks.holder("run of x") is None
    with locks.lock("run of x", wait=False) as held:
        held.confirm()
        assert locks.holder("run of x").token == 2  # type: ignore[union-attr]


def test_two_registries_or_none_make_no_difference(folder: str) -> None:
    with (
        Locks(Store(folder)).lock("publish x"),
        pytest.raises(ConflictError),
        Locks(Store(folder)).lock("publish x", wait=False),
    ):
        pass


def test_processes_that_count_up_under_a_lock_lose_nothing(folder: str, tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")
    working = [processes.Process(target=count_up, args=(folder, str(number), 25)) for _ in range(3)]
    for process in working:
        process.start()
    for process in working:
        process.join(120)
    assert number.read_text() == "75"


def test_threads_on_s3_that_count_up_under_a_lock_lose_nothing(s3_store: str, tmp_path: Path) -> None:
    number = tmp_path / "number"
    number.write_text("0")
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: count_up(s3_store, str(number), 5), range(3)))
    assert number.read_text() == "15"


def test_the_lock_of_a_killed_process_is_free_at_once(folder: str, holding: Any) -> None:
    process, _ = holding
    with pytest.raises(ConflictError), Locks(Store(folder)).lock("run of x", wait=False):
        pass
    process.kill()
    process.join()
    with Locks(Store(folder)).lock("run of x", wait=False):
        pass


def test_who_was_suspended_for_too_long_learns_that_the_lock_is_lost(folder: str, holding: Any) -> None:
    process, pipe = holding
    os.kill(process.pid, signal.SIGSTOP)
    with Locks(Store(folder), silent_seconds=2.0).lock("run of x") as held:
        os.kill(process.pid, signal.SIGCONT)
        pipe.send("go on")
        assert "was lost" in pipe.recv()
        process.join(30)
        held.confirm()  # what the other did at its end took nothing away


def test_a_holder_that_works_for_long_keeps_its_lock(folder: str, holding: Any) -> None:
    _, pipe = holding
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: Locks(Store(folder), silent_seconds=2.0)._take("run of x", wait=True))
        with pytest.raises(TimeoutError):
            waiting.result(4.5)
        pipe.send("go on")
        assert pipe.recv() == "still mine"
        assert waiting.result(60).token == 2


def away(beat: int = 0) -> Holder:
    return replace(Holder.next_after(Holder(6)), host="elsewhere", machine="another", process=1, beat=beat)


@pytest.mark.parametrize("wait", [True, False])
def test_a_silent_holder_on_another_machine_counts_as_dead_after_a_while(store: Store, wait: bool) -> None:
    locks = Locks(store, silent_seconds=0.5)
    assert locks.swap("run of x", None, away().to_json())
    with locks.lock("run of x", wait=wait):
        assert locks.holder("run of x").token == 8  # type: ignore[union-attr]


def test_a_holder_on_another_machine_that_is_alive_is_named(folder: str) -> None:
    locks, one = Locks(Store(folder)), away()
    assert locks.swap("run of x", None, one.to_json())
    with ThreadPoolExecutor(1) as pool:
        refused = pool.submit(lambda: locks._take("run of x", wait=False))
        time.sleep(0.5)
        assert locks.swap("run of x", one.to_json(), replace(one, beat=1).to_json())
        with pytest.raises(ConflictError, match="process 1 on elsewhere"):
            refused.result(30)


@pytest.mark.parametrize("since", ["2001-01-01T00:00:00Z", "2101-01-01T00:00:00Z", "no time at all"])
def test_clocks_that_differ_neither_free_a_lock_nor_hold_it(folder: str, since: str) -> None:
    locks, one = Locks(Store(folder), silent_seconds=2), replace(away(), since=since)
    assert locks.swap("run of x", None, one.to_json())
    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(lambda: locks._take("run of x", wait=True))
        for beat in range(1, 5):  # alive for longer than the lease
            time.sleep(0.7)
            assert locks.swap("run of x", replace(one, beat=beat - 1).to_json(), replace(one, beat=beat).to_json())
        assert not taken.done()
        assert taken.result(30).token == one.token + 1


def test_waiting_is_reported_with_who_holds_the_lock(
    folder: str, holding: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "SAY_AFTER_SECONDS", 0.2)
    locks = Locks(Store(folder), silent_seconds=60, limit_seconds=1)
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(ConflictError, match=r"was held for .* by process"),
        locks.lock("run of x"),
    ):
        pass
    assert f"Waiting for 'run of x', held by process {holding[0].pid} on " in caplog.text


def test_a_damaged_lock_is_free(store: Store) -> None:
    store.write("locks/run-of-x.json", b"")
    with Locks(store).lock("run of x", wait=False):
        pass


def test_a_write_whose_answer_was_lost_is_recognised(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    locks = Locks(Store(folder))
    swap = Store.swap

    def lose_the_answer(self: Store, key: str, expected: bytes | None, data: bytes) -> bool:
        swap(self, key, expected, data)
        return False

    monkeypatch.setattr(Store, "swap", lose_the_answer)
    with locks.lock("run of x", wait=False) as held:
        held.confirm()
