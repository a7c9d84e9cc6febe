"""What people know of each dataset: it is reported once, the same again only after a while, and a recovery once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from psycopg.types.json import Jsonb

from shopmill.registry import LOCK_SPACE, Registry

Kind = Literal["published", "late", "failed"]


@dataclass(frozen=True)
class Notice:
    """Whether to notify people. `times` runs in a row were of this kind `since` then; `before` is what was the case before."""

    is_due: bool
    kind: Kind
    times: int
    since: datetime
    before: "Notice | None" = None

    @property
    def recovered_from(self) -> "Notice | None":
        """The bad time that this good news ends."""
        was_bad = self.kind == "published" and self.before is not None and self.before.kind != "published"
        return self.before if was_bad else None


@dataclass(frozen=True)
class NoticeBoard:
    """The news of all datasets in a registry. The same is reported again after `again`."""

    registry: Registry
    again: timedelta

    def note(self, dataset: str, kind: Kind, news: str, as_of: datetime | None) -> Notice:
        """Notes what is the case now; `news` is what makes two messages the same.

        Publishing an earlier as_of than the one that failed fixes nothing, and that a failed run is late is not reported.
        """
        self.registry.migrate()
        with self.registry.connect() as connection:
            connection.execute("select pg_advisory_xact_lock(%s, hashtext(%s))", (LOCK_SPACE, f"news of {dataset}"))
            row = connection.execute(
                "select *, now() as now, told_at + %(again)s > now() as is_fresh from shopmill.news where dataset = %(dataset)s",
                {"dataset": dataset, "again": self.again},
            ).fetchone()
            before = Notice(False, row["kind"], row["times"], row["since"]) if row else None
            if row and before and _changes_nothing(row, kind, as_of):
                return before
            goes_on = row is not None and row["kind"] == kind
            same = row is not None and (row["kind"], row["news"]) == (kind, news)
            written = connection.execute(
                "insert into shopmill.news as old (dataset, kind, news, as_of, since, times) "
                "values (%(dataset)s, %(kind)s, %(news)s, %(as_of)s, now(), 1) on conflict (dataset) do update set "
                "kind = excluded.kind, news = excluded.news, as_of = excluded.as_of, "
                "since = case when %(goes_on)s then old.since else now() end, "
                "times = case when %(goes_on)s then old.times + 1 else 1 end, "
                "told_at = case when %(same)s then old.told_at end returning since, times",
                {"dataset": dataset, "kind": kind, "news": news, "as_of": as_of, "goes_on": goes_on, "same": same},
            ).fetchone()
        assert written is not None  # noqa: S101 (an insert that returns)
        is_due = not (same and row is not None and row["is_fresh"])
        return Notice(is_due, kind, written["times"], written["since"], before)

    def notified(self, dataset: str) -> None:
        """Notes that people were notified: until then the same stays due."""
        with self.registry.connect() as connection:
            connection.execute("update shopmill.news set told_at = now() where dataset = %s", (dataset,))

    def note_failed_task(self, run_id: str, task: str, failure: Mapping[str, Any]) -> None:
        """Keeps why a task failed until the end of its run is reported."""
        self.registry.migrate()
        with self.registry.connect() as connection:
            connection.execute(
                "insert into shopmill.failed_tasks (run_id, task, failure) values (%s, %s, %s) "
                "on conflict (run_id, task) do update set failure = excluded.failure, failed_at = now()",
                (run_id, task, Jsonb(dict(failure))),
            )

    def take_failed_tasks(self, run_id: str) -> list[dict[str, Any]]:
        """Why tasks of a run failed, by their names; each is given once."""
        self.registry.migrate()
        with self.registry.connect() as connection:
            rows = connection.execute(
                "delete from shopmill.failed_tasks where run_id = %s returning task, failure", (run_id,)
            ).fetchall()
        return [row["failure"] for row in sorted(rows, key=lambda row: str(row["task"]))]


def _changes_nothing(row: Mapping[str, Any], kind: Kind, as_of: datetime | None) -> bool:
    is_late_after_failure = kind == "late" and row["kind"] == "failed"
    is_of_the_past = as_of is not None and row["as_of"] is not None and as_of < row["as_of"]
    return is_late_after_failure or (kind == "published" and row["kind"] != "published" and is_of_the_past)
