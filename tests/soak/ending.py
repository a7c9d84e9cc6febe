"""The end of a soak: what people do until `verify` finds nothing."""

from datetime import timedelta

from shopmill.trust.erasure.returned import findings
from shopmill.trust.finding import Finding
from soak import people, runs
from soak.report import SoakError
from soak.soaked import UPSTREAM, WEEKLY, Soaked
from soak.whole import nothing_lost


def settle(soaked: Soaked) -> None:
    """They undo, repair, run what verify names, fill the gaps, and remove what nothing refers to."""
    people.restore_all(soaked)
    people.repair(soaked)
    _run_all(soaked)
    for dataset in sorted(set(soaked.names) - {"events_and_funnels", WEEKLY}):
        runs.backfill(soaked, dataset)
    _follow(soaked)
    _quiet_day(soaked)
    people.collect_all_but(soaked, 100)
    if left := _findings(soaked):
        raise SoakError("verify: " + "; ".join(finding.sentence for finding in left))
    soaked.damaged.clear()
    soaked.looked_at.clear()
    for dataset in soaked.names:
        nothing_lost(soaked, dataset)


def _run_all(soaked: Soaked) -> None:
    for dataset in soaked.in_order():
        runs.run(soaked, dataset, str(soaked.last))


def _quiet_day(soaked: Soaked) -> None:
    """A day without a fault. Until then sums count who was erased, and what was replaced is what the newest continued from."""
    soaked.world.pass_day(soaked.last)
    soaked.last += timedelta(days=1)
    _run_all(soaked)


def _findings(soaked: Soaked) -> list[Finding]:
    found = [finding for look in people.looks(soaked, raw=True) for finding in look.of(everything=True)]
    return found + list(findings(soaked.settings))


def _follow(soaked: Soaked) -> None:
    """Runs what verify says to run, for as long as it has something new to say."""
    done: set[tuple[str, str, bool]] = set()
    while due := _to_run(soaked) - done:
        for dataset, as_of, refresh in sorted(due, key=lambda one: (one[1], one[0] == WEEKLY, one[0] != UPSTREAM)):
            runs.run(soaked, dataset, as_of, refresh=refresh)
        done |= due
        people.repair(soaked)


def _to_run(soaked: Soaked) -> set[tuple[str, str, bool]]:
    return {(one.dataset, one.as_of, "--refresh" in one.way_out) for one in _findings(soaked) if one.as_of}
