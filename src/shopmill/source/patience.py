"""Waiting for a database that may never answer: on another thread, and no longer than a person would.

A call of the driver that waits cannot be stopped from outside, so it is left behind on its thread; should it come back, the
thread closes what nobody else may touch meanwhile.
"""

from collections.abc import Callable, Generator, Iterator
from queue import Empty, Queue
from threading import Event, Thread
from typing import Any, TypeVar

from shopmill.errors import SourceUnavailableError

T = TypeVar("T")


class SilentSourceError(SourceUnavailableError):
    """The shop's database has not answered for too long."""


def silent(seconds: float) -> SilentSourceError:
    """The error for a database that has said nothing for some seconds."""
    return SilentSourceError(
        f"The shop's database has said nothing for {seconds:g} s. Look at the server and the network; "
        "SHOPMILL_SOURCE_PATIENCE_SECONDS sets how long to wait."
    )


def nothing() -> None:
    """Nothing to close."""


def patiently(work: Callable[[], T], seconds: float, late: Callable[[], object] = nothing) -> T:
    """What the work gives or raises; SilentSourceError where it takes longer, and then `late` when it has ended."""
    done: Queue[tuple[bool, Any]] = Queue(1)
    is_left_behind = Event()

    def do() -> None:
        try:
            result: tuple[bool, Any] = (True, work())
        except Exception as error:  # raised again where it is waited for
            result = (False, error)
        done.put(result)
        if is_left_behind.is_set():
            late()

    Thread(target=do, daemon=True).start()
    try:
        is_well, result = done.get(timeout=seconds)
    except Empty:
        is_left_behind.set()
        raise silent(seconds) from None
    if not is_well:
        raise result
    found: T = result
    return found


def prefetched(
    batches: Iterator[T], size: int, patience: float | None = None, late: Callable[[], object] = nothing
) -> Generator[T]:
    """The same items, made by a thread while earlier ones are used.

    SilentSourceError where one takes too long, and then `late` when it has come.
    """
    queue: Queue[Any] = Queue(size)
    ended, is_left_behind = Event(), Event()

    def fetch() -> None:
        _fetch(batches, queue, ended)
        if is_left_behind.is_set():
            late()

    thread = Thread(target=fetch, daemon=True)
    thread.start()
    try:
        while (item := queue.get(timeout=patience)) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    except Empty:
        is_left_behind.set()
        raise silent(patience or 0) from None
    finally:
        ended.set()
        if not is_left_behind.is_set():
            _drain(queue, thread)


def _fetch(batches: Iterator[Any], queue: "Queue[Any]", ended: Event) -> None:
    try:
        for batch in batches:
            queue.put(batch)
            if ended.is_set():
                return
        queue.put(None)
    except Exception as error:  # raised again where the batches are used
        queue.put(error)


def _drain(queue: "Queue[Any]", thread: Thread) -> None:
    """Lets a fetching thread that waits for a place in the queue come to its end."""
    while thread.is_alive():
        if not queue.empty():
            queue.get()
        thread.join(0.01)
