"""What shopmill costs Airflow beyond its work: parsing the DAG files, beginning a task, and a demo in which nothing runs.

    python -m benchmarks.airflow_cost                       # parsing and tasks: seconds of the processor, the least of three
    python -m benchmarks.airflow_cost --idle .shopmill      # shares of a core of a demo that runs there, over 60 seconds

Every figure of parsing and of a task is that of a fork of a process which has imported Airflow, as in the DAG processor and
in a worker; for a task the libraries too that shopmill's executor imports before it forks.
"""

import argparse
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module
from itertools import chain
from pathlib import Path

import psutil

ROOT = Path(__file__).parent.parent
ROUNDS = 3
EMPTY = "empty_task"
SOURCE = f"""
from airflow.sdk import DAG, task

with DAG("{EMPTY}", schedule=None):

    @task
    def nothing():
        pass

    nothing()
"""
CODE = ("shopmill.run.steps", "shopmill.run.run", "shopmill.airflow.connections")
"""What a task of ours imports that no process has before it."""
LINEAGE = "shopmill.airflow.lineage_events"
SECONDS = 60


def main() -> None:
    """Prints the figures of what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--idle", type=Path, metavar="FOLDER", help="the folder of a running demo in which nothing runs"
    )
    idle = parser.parse_args().idle
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"AIRFLOW_HOME": folder, "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR"}
        for line in _idle(idle) if idle else chain(_parsing(Path(folder)), _tasks(Path(folder))):
            print(line, flush=True)


def _parsing(folder: Path) -> Iterator[str]:
    """Seconds to parse each file."""
    import_module("airflow.dag_processing.processor")

    yield "| parsing | seconds |\n|---|---:|"
    for path in [_empty(folder), *sorted((ROOT / "dags").glob("*.py"))]:
        yield f"| `{path.name}` | {least(partial(parse, path)):.3f} |"


def _tasks(folder: Path) -> Iterator[str]:
    """Seconds that a task takes before and after its work."""
    from shopmill.airflow.preloading import LIBRARIES

    for library in LIBRARIES:
        import_module(library)
    yield "\n| a task | seconds |\n|---|---:|"
    yield f"| parse an empty DAG | {least(partial(parse, _empty(folder))):.3f} |"
    yield f"| import shopmill's code | {least(partial(_import, CODE)):.3f} |"
    for path in sorted((ROOT / "dags").glob("*.py")):
        begun = least(partial(_begin, path))
        yield f"| `{path.stem}`: parse, import | {begun:.3f} |"
        yield f"| `{path.stem}`: lineage of all columns, in the task that publishes | {least(partial(_lineage, path)):.3f} |"


def parse(path: Path) -> None:
    """Parses a DAG file as the DAG processor and a task do."""
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(path, load_op_links=False)
    if bag.import_errors or not bag.dags:
        raise RuntimeError(f"{path} has no DAG: {bag.import_errors}")


def _import(names: Iterable[str]) -> None:
    for name in names:
        import_module(name)


def _begin(path: Path) -> None:
    parse(path)
    _import(CODE)


def _lineage(path: Path) -> None:
    """The lineage of every column that a dataset publishes, with the import of what finds it."""
    from shopmill import datasets
    from shopmill.lineage.dataset_lineage import DatasetLineage

    import_module(LINEAGE)
    dataset = datasets.load(path.stem)
    lineage = DatasetLineage(dataset)
    for table in dataset.published:
        lineage.table(table.name)


def least(work: Callable[[], None]) -> float:
    """The fewest seconds of the processor that some work took, each time in a fork of this process."""
    return min(_in_a_fork(work) for _ in range(ROUNDS))


def _in_a_fork(work: Callable[[], None]) -> float:
    fork = multiprocessing.get_context("fork")
    reading, writing = fork.Pipe(duplex=False)
    process = fork.Process(target=_timed, args=(work, writing.send))
    process.start()
    writing.close()
    try:
        return float(reading.recv())
    except EOFError:
        raise RuntimeError(f"{work} failed: see above") from None
    finally:
        process.join()


def _timed(work: Callable[[], None], tell: Callable[[float], None]) -> None:
    before = time.process_time()
    work()
    tell(time.process_time() - before)


def _empty(folder: Path) -> Path:
    path = folder / f"{EMPTY}.py"
    path.write_text(SOURCE)
    return path


def _idle(home: Path) -> Iterator[str]:
    """Shares of a core, by process, of a demo's Airflow and PostgreSQL."""
    before, begun = _used(home), time.monotonic()
    time.sleep(SECONDS)
    found = shares(before, _used(home), time.monotonic() - begun)
    yield f"| process of an idle demo, {SECONDS} s | of a core |\n|---|---:|"
    yield from (f"| {name} | {share:.2%} |" for name, share in found.items())
    yield f"| all | {sum(found.values()):.2%} |"


def shares(before: Mapping[str, float], after: Mapping[str, float], seconds: float) -> Mapping[str, float]:
    """What each process used of a core in so many seconds, the largest share first."""
    found = {name: (used - before.get(name, 0)) / seconds for name, used in after.items()}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def _used(home: Path) -> Mapping[str, float]:
    """Seconds of the processor so far, by what a process is."""
    demo, database = (int(path.read_text().split()[0]) for path in (home / "demo.lock", _lock_of(home)))
    used: dict[str, float] = {}
    for pid in (demo, database):
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                name, times = _name(process.cmdline()), process.cpu_times()
                used[name] = used.get(name, 0) + times.user + times.system
    return used


def _lock_of(home: Path) -> Path:
    return home / "postgres" / "data" / "postmaster.pid"


def _name(command: list[str]) -> str:
    """A process of Airflow by its component, those of PostgreSQL together."""
    text = " ".join(command)
    known = ("scheduler", "dag-processor", "triggerer", "api_server", "worker", "postgres", "shopmill demo")
    return next((name for name in known if name in text), text[:40])


if __name__ == "__main__":
    main()
