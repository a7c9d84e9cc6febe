"""Runs a command and says on the last line of its output what it cost: python measured.py COMMAND...

A process of its own, for a child starts with the peak of the process that it is forked from.
"""

import json
import resource
import subprocess
import sys
import time
from contextlib import suppress

import psutil

PERIOD_S = 0.5


def main(command: list[str]) -> int:
    start, most = time.perf_counter(), 0
    process = subprocess.Popen(command)
    while process.poll() is None:
        most = max(most, resident(process.pid))
        with suppress(subprocess.TimeoutExpired):
            process.wait(PERIOD_S)
    of_one = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024  # which misses no moment
    print(json.dumps({"seconds": round(time.perf_counter() - start, 1), "megabytes": max(most, of_one) // 2**20}))
    return process.returncode


def resident(pid: int) -> int:
    """The bytes that a process and its children hold in memory; none where they are gone."""
    total = 0
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        for one in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                total += one.memory_info().rss
    return total


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
