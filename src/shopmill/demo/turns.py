"""The order in which the demo publishes: few datasets at once, so that the first one is soon there to be looked at."""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopmill.airflow.local import AirflowClient, RunState

LOOK_SECONDS = 2.0
"""Until the first dataset is there. Then there is more to do than to look, and each look is work for the API server."""
SELDOM_SECONDS = 5.0
LONGEST_SECONDS = 6 * 3600  # on a machine that does other things too
WAITING = "waiting"
"""The state of a dataset whose run has not been started."""

FIRST = ("articles_content", "timeseries", "reviews_nlp", "events_and_funnels", "user_item_interactions")
"""The quickest one first, for something to look at; then what takes longest, so that nothing long is left at the end."""


def in_order(names: Sequence[str]) -> list[str]:
    """The datasets in the order in which they are published; those that the list does not know come last."""
    return sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))


@dataclass(frozen=True)
class Turns:
    """Starts a dataset's run when there is room for it.

    `start` gives the id of the run of a dataset. One that is `made_of` others is started when these have ended, unless
    Airflow has begun it by itself: `woken` gives the id of such a run, None where there is none. None is started before it
    `may_start`.
    """

    client: "AirflowClient"
    start: Callable[[str], str]
    at_once: int
    made_of: Mapping[str, Collection[str]] = field(default_factory=dict)
    woken: Callable[[str], str | None] = lambda _: None
    may_start: Callable[[str], bool] = lambda _: True

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
            time.sleep(LOOK_SECONDS if len(left) == len(runs) else SELDOM_SECONDS)

    def _look(self, runs: "dict[str, RunState]") -> None:
        """Asks for the runs at work, finds those that Airflow began, and starts others in the place of those that ended."""
        for name, run_id in self._going(runs):
            runs[name] = self.client.dag_run(name, run_id)
        for name in self._next(runs):
            runs[name] = self.client.dag_run(name, self.start(name))

    def _going(self, runs: "dict[str, RunState]") -> Iterator[tuple[str, str]]:
        """The runs that are not known to have ended: those that were started here, and those that Airflow has woken."""
        for name, run in runs.items():
            run_id = run.run_id or (self.woken(name) if name in self.made_of else None)
            if run_id and not run.is_finished:
                yield name, run_id

    def _next(self, runs: "dict[str, RunState]") -> list[str]:
        """The first one has the machine for itself. Then one more at a time than there are tasks: it has work for the
        pauses between tasks."""
        ended = {name for name, run in runs.items() if run.is_finished}
        at_work = sum(bool(run.run_id) for run in runs.values()) - len(ended)
        room = (self.at_once + 1 if ended else 1) - at_work
        waiting = [name for name, run in runs.items() if not run.run_id and self._waits_for(name, runs) <= ended]
        return [name for name in waiting if self.may_start(name)][: max(0, room)]

    def _waits_for(self, name: str, runs: "Mapping[str, RunState]") -> set[str]:
        return set(self.made_of.get(name, ())) & set(runs)


def _waiting(name: str) -> "RunState":
    from shopmill.airflow.local import RunState

    return RunState(name, "", WAITING, 0.0, ())
