"""Where the time of a run goes: each statement of the engine with its rows, seconds and spilled bytes."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

LONGEST_SAID = 60


@dataclass(frozen=True)
class Statement:
    """One statement: the step and the part of it that it was for, and what it cost."""

    step: str
    part: str
    sql: str
    rows_read: int
    rows: int
    seconds: float
    thread_seconds: float
    spilled_bytes: int


@dataclass
class Profile:
    """The statements of a run, in their order. `step` is the one that runs now."""

    step: str = ""
    statements: list[Statement] = field(default_factory=list)

    def add(self, sql: str, seconds: float, found: Mapping[str, Any]) -> None:
        """Notes a statement with what DuckDB found of it."""
        query, system = found["query"], found["system"]
        self.statements.append(
            Statement(
                self.step,
                _part.get() or said(sql),
                sql,
                int(query["total_rows_scanned"]),
                _rows(found["operator"]),
                round(seconds, 6),
                round(query["cpu_time"], 6),
                int(system["peak_temp_dir_size"]),
            )
        )

    def document(self) -> dict[str, Any]:
        """As JSON."""
        total = sum(statement.seconds for statement in self.statements)
        return {"seconds": round(total, 6), "statements": [asdict(statement) for statement in self.statements]}

    def by_part(self) -> list[Statement]:
        """What each part cost in all, the longest first."""
        found: dict[tuple[str, str], Statement] = {}
        for one in self.statements:
            key = (one.step, one.part)
            found[key] = _sum(found[key], one) if key in found else one
        return sorted(found.values(), key=lambda one: -one.seconds)


def _sum(a: Statement, b: Statement) -> Statement:
    return Statement(
        a.step,
        a.part,
        a.sql,
        a.rows_read + b.rows_read,
        a.rows + b.rows,
        a.seconds + b.seconds,
        a.thread_seconds + b.thread_seconds,
        max(a.spilled_bytes, b.spilled_bytes),
    )


_profile: ContextVar[Profile | None] = ContextVar("profile", default=None)
_part: ContextVar[str] = ContextVar("part", default="")


@contextmanager
def profiling() -> Iterator[Profile]:
    """Engines that are opened within the block note their statements in the profile."""
    token = _profile.set(profile := Profile())
    try:
        yield profile
    finally:
        _profile.reset(token)


def profile_of_this_run() -> Profile | None:
    """The profile that statements are noted in; None where nobody asked for one."""
    return _profile.get()


@contextmanager
def part(name: str) -> Iterator[None]:
    """Names what the statements within the block are for: a table, or a check."""
    token = _part.set(name)
    try:
        yield
    finally:
        _part.reset(token)


def said(sql: str) -> str:
    """A statement in a few words."""
    text = " ".join(line.strip() for line in sql.splitlines() if not line.strip().startswith("--"))
    return text if len(text) <= LONGEST_SAID else f"{text[: LONGEST_SAID - 1]}…"


def _rows(operators: list[Mapping[str, Any]]) -> int:
    """The rows that a statement gave, or wrote: a COPY itself gives one, their number."""
    result: Mapping[str, Any] = {"intermediate_rows": 0, "type": "", "children": operators}
    while result.get("children") and (result["type"] in {"", "RESULT_COLLECTOR"} or "COPY_TO_FILE" in result["type"]):
        result = result["children"][0]
    return int(result["intermediate_rows"])
