"""The order in which the demo publishes: few datasets at once, so that the first one is soon there to be looked at."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopmill.airflow.local import AirflowClient, RunState

LOOK_SECONDS = 2.0
LONGEST_SECONDS = 6 * 3600  # on a machine that does other things too
WAITING = "waiting"
"""The state of a dataset whose run has not been started."""

FIRST = ("articles_content", "reviews_nlp", "timeseries", "events_and_funnels", "user_item_interactions")
"""The quickest one first, for something to look at; then what takes longest, so that nothing long is left at the end."""


def in_order(names: Sequence[str]) -> list[str]:
    """The datasets in the order in which they are published; those that the list does not know come last."""
    return sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))


@dataclass(frozen=True)
class Turns:
    """Starts a dataset's run when there is room for it. `start` gives the id of the run of a dataset."""

    client: "AirflowClient"
    start: Callable[[str], str]
    at_once: int

    def states(self, names: Sequence[str]) -> "Iterator[list[RunState]]":
        """The states of all, again and again, until all are finished.

        Raises AirflowApiError, naming those that are still going, after hours.
        """
        from shopmill.airflow.local import AirflowApiError

        runs = {name: _waiting(name) for name in names}
        until = time.monotonic() + LONGEST_SECONDS
        while True:
            self._look(runs)
            yield list(runs.values())
            left = [name for name, run in runs.items() if not run.is_finished]
            if not left:
                return
            if time.monotonic() > until:
                raise AirflowApiError(f"Not finished after {LONGEST_SECONDS} s: {', '.join(left)}.")
            time.sleep(LOOK_SECONDS)

    def _look(self, runs: "dict[str, RunState]") -> None:
        """Asks for the runs at work, and starts others in the place of those that have ended."""
        for name in [name for name, run in runs.items() if run.run_id and not run.is_finished]:
            runs[name] = self.client.dag_run(name, runs[name].run_id)
        for name in self._next(runs):
            runs[name] = self.client.dag_run(name, self.start(name))

    def _next(self, runs: "dict[str, RunState]") -> list[str]:
        """Once one has ended, one more at a time than there are tasks: it has work for the pauses between tasks."""
        ended = sum(run.is_finished for run in runs.values())
        at_work = sum(bool(run.run_id) for run in runs.values()) - ended
        room = self.at_once + bool(ended) - at_work
        return [name for name, run in runs.items() if not run.run_id][: max(0, room)]


def _waiting(name: str) -> "RunState":
    from shopmill.airflow.local import RunState

    return RunState(name, "", WAITING, 0.0, ())
