"""Locks of a store: they keep two runs apart, on whichever machine, with whichever registry and connection pool.

A lock is a small document `locks/<name>.json` that says who holds it. It is changed only by compare-and-swap, which a local
folder does under a file lock and an object store by a conditional write. It is a *lease*: the holder changes it every few
seconds, and who finds it unchanged for longer than that may take it. The lock of a dead process on the same machine is free
at once. `token` grows by one with each holder. A holder that was suspended for too long learns from `confirm` that it lost
the lock, before it makes anything visible.
"""

import logging
import os
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

from shopmill.errors import ConflictError, StoreError
from shopmill.versions.layout import LOCKS
from shopmill.versions.shapes import from_json, well_typed
from shopmill.versions.store import Store, to_json

log = logging.getLogger(__name__)
SAY_AFTER_SECONDS = 10.0
SAY_AGAIN_SECONDS = 60.0
LOOK_SECONDS = (0.05, 2.0)
"""First and longest pause between two looks at a lock that is held."""


@dataclass(frozen=True)
class Holder:
    """Who holds a lock, or held it last (`owner` is empty then). `beat` counts how often the holder said that it is alive."""

    token: int
    owner: str = ""
    host: str = ""
    process: int = 0
    process_started: str = ""
    machine: str = ""
    since: str = ""
    beat: int = 0

    @classmethod
    def read(cls, document: bytes | None) -> "Holder":
        """The holder in a document; nobody where there is none or it is damaged: a power cut ends the holder too."""
        try:
            return well_typed(cls(**from_json(document or b'{"token": 0}')))
        except (ValueError, TypeError):
            return cls(token=0)

    @classmethod
    def next_after(cls, last: "Holder") -> "Holder":
        """This process, as the holder that follows `last`."""
        process = os.getpid()
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return cls(last.token + 1, uuid4().hex, socket.gethostname(), process, _started(process), _machine(), now)

    @property
    def is_here(self) -> bool:
        """Whether it is, or was, a process of this machine."""
        return bool(self.machine) and self.machine == _machine()

    @property
    def is_known_dead(self) -> bool:
        """Whether it was a process of this machine that is no more."""
        return self.is_here and _started(self.process) != self.process_started

    def __str__(self) -> str:
        return f"process {self.process} on {self.host} since {self.since}"

    def to_json(self) -> bytes:
        """The document."""
        return to_json(asdict(self))


class Held:
    """A lock that this process holds, and the thread that says so again and again."""

    def __init__(self, locks: "Locks", name: str, holder: Holder):
        self._locks, self._name, self._holder = locks, name, holder
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lock {name}", daemon=True)
        self._thread.start()

    def confirm(self) -> None:
        """That the lock is still this process's; ConflictError where another took it. Ask before making a thing visible."""
        if not self._say_alive():
            raise ConflictError(
                f"The lock '{self._name}' was lost: this process did not answer for {self._locks.silent_seconds:.0f} s, "
                "and another took over. Run again."
            )

    def release(self) -> None:
        """Frees the lock, unless another has taken it meanwhile."""
        self._ended.set()
        self._thread.join()
        try:
            self._locks.swap(self._name, self._holder.to_json(), Holder(self._holder.token).to_json())
        except StoreError as error:  # the lease ends by itself
            log.warning("The lock '%s' could not be freed: %s", self._name, error)

    def _say_alive(self) -> bool:
        with self._turn:
            next_beat = replace(self._holder, beat=self._holder.beat + 1)
            said = self._locks.swap(self._name, self._holder.to_json(), next_beat.to_json())
            now = (
                next_beat if said else self._locks.read(self._name)
            )  # a write that was repeated finds its own first try
            if now.owner == self._holder.owner:
                self._holder = now
            return now.owner == self._holder.owner

    def _beat(self) -> None:
        while not self._ended.wait(self._locks.beat_seconds):
            try:
                if not self._say_alive():
                    return
            except StoreError as error:
                log.warning("The lock '%s' could not be renewed: %s", self._name, error)


@dataclass(frozen=True)
class Locks:
    """The locks of a store. A holder says every `beat_seconds` that it is alive; after `silent_seconds` it counts as dead."""

    store: Store
    beat_seconds: float = 15.0
    silent_seconds: float = 60.0
    limit_seconds: float = 4 * 3600.0
    """How long to wait for a lock at most."""

    @contextmanager
    def lock(self, name: str, wait: bool = True) -> Iterator[Held]:
        """Holds the lock `name`, such as `publish timeseries`. ConflictError, naming the holder, when it cannot be had.

        Without `wait` a holder on another machine is watched until it says that it is alive, or counts as dead.
        """
        held = Held(self, name, self._take(name, wait))
        try:
            yield held
        finally:
            held.release()

    def holder(self, name: str) -> Holder | None:
        """Who holds a lock now; None where it is free."""
        found = self.read(name)
        return found if found.owner and not found.is_known_dead else None

    def read(self, name: str) -> Holder:
        """Who holds a lock, or held it last."""
        return Holder.read(self._document(name))

    def _take(self, name: str, wait: bool) -> Holder:
        watch, tried = _Watch(self.silent_seconds), ""
        while True:
            document = self._document(name)
            last = Holder.read(document)
            if tried and last.owner == tried:
                return last  # the answer to our own write was lost
            if not last.owner or last.is_known_dead or watch.is_silent(document):
                mine = Holder.next_after(last)
                tried = mine.owner
                if self.swap(name, document, mine.to_json()):
                    return mine
                continue
            if not wait and (last.is_here or watch.has_changed):
                raise ConflictError(f"Another '{name}' is at work: {last}. Wait for it to end, then run again.")
            if watch.seconds > self.limit_seconds:
                raise ConflictError(f"'{name}' was held for {watch.seconds:.0f} s by {last}. End it, then run again.")
            watch.pause(f"Waiting for '{name}', held by {last}.")

    def _key(self, name: str) -> str:
        return f"{LOCKS}/{re.sub(r'[^A-Za-z0-9_.-]', '-', name)}.json"

    def _document(self, name: str) -> bytes | None:
        try:
            return self.store.document(self._key(name))
        except FileNotFoundError:
            return None

    def swap(self, name: str, expected: bytes | None, document: bytes) -> bool:
        """Replaces the document of a lock where it is still `expected`; says whether it did."""
        return self.store.swap(self._key(name), expected, document)


class _Watch:
    """Looks at a lock that somebody holds: how long, and since when nothing has changed. Needs no common clock."""

    def __init__(self, silent_seconds: float):
        self._silent_seconds = silent_seconds
        self._began = self._changed = time.monotonic()
        self._seen: bytes | None = None
        self._changes = -1
        self._say_at, self._pause = SAY_AFTER_SECONDS, LOOK_SECONDS[0]

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def is_silent(self, document: bytes | None) -> bool:
        if document != self._seen:
            self._seen, self._changed = document, time.monotonic()
            self._changes += 1
        return time.monotonic() - self._changed > self._silent_seconds

    @property
    def has_changed(self) -> bool:
        return self._changes > 0

    def pause(self, sentence: str) -> None:
        if self.seconds > self._say_at:
            log.warning("%s", sentence)
            self._say_at = self.seconds + SAY_AGAIN_SECONDS
        time.sleep(self._pause)
        self._pause = min(2 * self._pause, LOOK_SECONDS[1])


@cache
def _machine() -> str:
    """What shows whether a process id means the same process here: this boot, and its space of process ids. Else ''."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(process: int) -> str:
    """When a process started, in ticks since boot, to distinguish it from a later one of the same id; '' where there is none."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]
