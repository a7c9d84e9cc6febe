"""Sessions as the documentation defines them, event by event, without SQL."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from event_runs import complete

TYPE_ORDER = ["view", "click", "add_to_cart", "remove_from_cart", "checkout", "purchase"]


@dataclass
class Visit:
    """Events of a visitor in order, each as (time, place of its type, id, customer), and who is logged in at their end."""

    events: list[tuple[Any, ...]]
    login: str | None = None

    def goes_on_with(self, at: datetime, customer: str | None) -> bool:
        another = customer is not None and self.login is not None and customer != self.login
        return at - self.events[-1][0] <= timedelta(minutes=30) and not another


def sessions_by_hand(rows: Iterable[tuple[Any, ...]], hours: int = 2, stitching: str = "none") -> list[tuple[Any, ...]]:
    """What `sessions_found` gives: the rules of the documentation, event by event."""
    visitors: dict[str, list[tuple[Any, ...]]] = {}
    seen: dict[str, datetime] = {}
    named = [(row, _visitor_key(row, stitching)) for row in map(complete, rows)]
    for row, key in sorted(named, key=lambda it: (it[0][-1], it[1], it[0][4], it[0][3], json.dumps(it[0][1:7]))):
        event_id, at = row[0], row[-1]
        if event_id not in seen or at - seen[event_id] > timedelta(hours=24):
            visitors.setdefault(key, []).append((at, _place(row[4]), event_id, row[2]))
        seen[event_id] = at
    found = []
    for key, events in visitors.items():
        remembers = stitching == "visitor" and key.startswith("visitor_id:")
        found += _split(key, sorted(events, key=lambda event: event[:3]), hours, remembers)
    return sorted(found, key=str)


def _visitor_key(row: tuple[Any, ...], stitching: str) -> str:
    _, session, customer, *_, visitor, _, _ = row
    if stitching == "none":
        return f"customer:{customer}" if customer else f"visitor:{session}"
    return f"visitor_id:{visitor}" if visitor else f"visitor:{session}" if session else f"customer:{customer}"


def _place(event_type: str) -> int:
    return TYPE_ORDER.index(event_type) if event_type in TYPE_ORDER else len(TYPE_ORDER)


def _split(key: str, events: Sequence[tuple[Any, ...]], hours: int, remembers: bool) -> Iterator[tuple[Any, ...]]:
    visits: list[Visit] = []
    for at, place, event_id, customer in events:
        if not visits or not visits[-1].goes_on_with(at, customer):
            visits.append(Visit([]))
        visits[-1].events.append((at, place, event_id, customer))
        visits[-1].login = customer or visits[-1].login
    known = None
    for visit in visits:
        login = None
        for part, found in _parts(visit, hours):
            login = next((event[3] for event in found if event[3]), login)
            customer = login or (known if remembers else None)
            yield (
                hashlib.md5(f"{len(key)}:{key}{found[0][2]}".encode()).hexdigest(),
                f"customer:{customer}" if customer else key.replace("visitor_id:", "visitor:"),
                "login" if login else "visitor" if customer else None,
                found[0][0],
                found[-1][0],
                len(found),
                part,
            )
        known = login or known


def _parts(visit: Visit, hours: int) -> list[tuple[int, list[tuple[Any, ...]]]]:
    parts: dict[int, list[tuple[Any, ...]]] = {}
    for event in visit.events:
        microseconds = (event[0] - visit.events[0][0]) // timedelta(microseconds=1)
        parts.setdefault(max(0, microseconds - 1) // (hours * 3_600_000_000) + 1, []).append(event)
    return list(parts.items())
