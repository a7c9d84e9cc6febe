"""Background processes that are found again and ended, whatever became of the program that started them.

Each process carries its owner's folder in its environment, and its children inherit it, also those that leave the
process group. So no pid file can go stale, and a process of somebody else is never hit.
"""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

_MARK = "SHOPMILL_PROCESS_OWNER"
_LOOKS = 2  # a process that just becomes another program has no environment for a moment


def spawn(
    command: Sequence[str], environment: Mapping[str, str], owner: Path, log: Path, typed: str | None = ""
) -> subprocess.Popen[bytes]:
    """Starts a command in its own session and process group, writing what it prints to `log`; `typed` is its input.

    With None its input ends when the caller closes it, or ends itself.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 (the command is ours)
            list(command),
            env={**environment, **_mark(owner)},
            stdin=subprocess.DEVNULL if typed == "" else subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C in the terminal reaches the parent only, which then ends them in order
        )
    if process.stdin and typed:
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(typed.encode())
    return process


def send_tree(root: int, number: signal.Signals) -> None:
    """Sends a signal to a process and to all that it has started, whatever their groups are."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(root)
        for member in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                member.send_signal(number)


def is_below(pid: int, root: int) -> bool:
    """Whether a living process was started by `root`, by a child of it, and so on."""
    try:
        return root in {parent.pid for parent in psutil.Process(pid).parents()}
    except psutil.NoSuchProcess:
        return False


def owned_by(owner: Path) -> list[psutil.Process]:
    """The living processes that `spawn` started for this owner, now or in an earlier program, and their children."""
    return [process for process in psutil.process_iter() if _is_owned(process, owner)]


def end_all(owner: Path, grace: float) -> int:
    """Ends the owner's processes: SIGTERM, then SIGKILL for those alive after `grace` seconds. Returns how many.

    A process that is killed may have started another one since it was looked for: it looks until nothing is left.
    """
    processes = owned_by(owner)
    for process in processes:
        with suppress(psutil.Error):
            process.terminate()
    psutil.wait_procs(processes, timeout=grace)
    looks_without = 0
    while looks_without < _LOOKS:
        survivors = owned_by(owner)
        looks_without = 0 if survivors else looks_without + 1
        for process in survivors:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(survivors, timeout=grace)
    return len(processes)


def _mark(owner: Path) -> dict[str, str]:
    # setproctitle writes over the environment of its process unless SPT_NOENV is set, and so would hide the mark.
    return {_MARK: str(owner.resolve()), "SPT_NOENV": "1"}


def _is_owned(process: psutil.Process, owner: Path) -> bool:
    try:
        is_ended = process.status() == psutil.STATUS_ZOMBIE
        return not is_ended and process.pid != os.getpid() and process.environ().get(_MARK) == str(owner.resolve())
    except (psutil.Error, OSError):
        return False  # it has ended, or is of another user
