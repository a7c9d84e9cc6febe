"""Sales series for forecasting: history with weights, what is known of the days ahead, and what never changes.

*History*: a row per series and day (week), without a null. A row that is `not_on_sale` has y = 0 and weight 0, for nobody
knows what would have been sold. A week that was not over at as_of is left out. Beside y stand only columns that are known
ahead, so that what a model was trained with can be given to it for the future.

*Future*: the next days (weeks) of every series that was on sale at as_of - 1, with the same columns: the calendar, and the
promotions that the shop has planned.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from numbers import Integral  # NumPy's as well
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.datasets.timeseries.dataset import holiday_days
from shopmill.errors import InvalidInputError
from shopmill.exports.source import Source, open_source
from shopmill.settings import load_settings
from shopmill.versions.load import Version

if TYPE_CHECKING:
    import pandas as pd

TABLES = ("article_daily", "category_daily", "article_weekly", "category_weekly")
DAILY = ("day_of_week", "month", "week", "is_weekend", "is_holiday", "is_promo")
WEEKLY = ("month", "week", "is_holiday", "is_promo")
MAX_HORIZON = 366

CALENDAR = """
    with day as (select unnest(generate_series($first, $last, interval 1 day))::date as ds)
    select
      ds, date_trunc('week', ds)::date as monday, isodow(ds)::integer as day_of_week, extract(month from ds)::integer as month,
      extract(week from ds)::integer as week, isodow(ds) >= 6 as is_weekend, holiday_days.day is not null as is_holiday
    from day
    left join holiday_days on holiday_days.day = ds
"""
PLANNED = """
    select distinct hierarchy.unique_id as article_id, category, ds, monday
    from calendar_ahead
    join (
      select article_id, product_group_name, starts_on, ends_on from planned_promotions
      union all
      select article_id, product_group_name, starts_on, ends_on from promotions
    ) as promotion on ds between coalesce(promotion.starts_on, ds) and coalesce(promotion.ends_on, ds)
    join hierarchy
      on hierarchy.unique_id = promotion.article_id
      or (promotion.article_id is null and hierarchy.product_group_name = promotion.product_group_name)
"""
AHEAD = {
    "D": """
        select on_sale.unique_id, ds, day_of_week, month, week, is_weekend, is_holiday, promoted.ds is not null as is_promo
        from on_sale
        cross join calendar_ahead
        left join (select distinct {id} as unique_id, ds from planned) as promoted using (unique_id, ds)
    """,
    "W": """
        select on_sale.unique_id, ds, month, week, is_holiday, promoted.ds is not null as is_promo
        from on_sale
        cross join (
          select
            monday as ds, min(month) filter (where ds = monday) as month, min(week) filter (where ds = monday) as week,
            bool_or(is_holiday) as is_holiday
          from calendar_ahead
          group by monday
        ) as weeks
        left join (select distinct {id} as unique_id, monday as ds from planned) as promoted using (unique_id, ds)
    """,
}


@dataclass(frozen=True)
class Series:
    """One table of the dataset timeseries, opened for exporting."""

    source: Source
    table: str

    @classmethod
    def of(cls, source: Source, table: str) -> "Series":
        """The series of a table; InvalidInputError for a table without series."""
        if table not in TABLES:
            raise InvalidInputError(f"table={table!r} holds no series: name one of {', '.join(TABLES)}.")
        ahead, complete = (WEEKLY, ("is_complete",)) if table.endswith("weekly") else (DAILY, ())
        source.need(table, "unique_id", "ds", "y", "fill_reason", *ahead, *complete)
        source.need("hierarchy", "unique_id", "category", "product_group_name")
        return cls(source, table)

    @property
    def level(self) -> str:
        """article or category."""
        return self.table.split("_")[0]

    @property
    def is_weekly(self) -> bool:
        """Whether a row is a week."""
        return self.table.endswith("weekly")

    @property
    def known_ahead(self) -> tuple[str, ...]:
        """The columns that are known of days to come."""
        return WEEKLY if self.is_weekly else DAILY

    @property
    def as_of(self) -> date:
        """The first day that is not in the series."""
        return self.source.as_of.day(self.source.settings.zone)

    @property
    def first_ahead(self) -> date:
        """The first ds ahead: as_of, or the Monday of the first week that was not over."""
        return self.as_of - timedelta(days=self.as_of.weekday()) if self.is_weekly else self.as_of

    @property
    def known(self) -> str:
        """The names of the columns known ahead, where a plan of promotions was published with the version."""
        return ", ".join(self.known_ahead)

    def history(self, columns: str = "") -> str:
        """The query of what was sold, in the order of series and day; `columns` are added to it."""
        complete = "where is_complete" if self.is_weekly else ""
        return f"""
            select
              unique_id, cast(ds as timestamp) as ds, coalesce(cast(y as double), 0) as y,
              cast(y is not null as double) as weight, {self._numbers}{columns}
            from {self.table} {complete}
            order by unique_id, ds
        """

    @property
    def _numbers(self) -> str:
        """Flags as numbers: not every model takes a boolean."""
        return ", ".join(f"cast({name} as integer) as {name}" for name in self.known_ahead)

    def future(self, horizon: int) -> str:
        """The query of the next steps, with the columns of the history but y and weight."""
        if isinstance(horizon, bool) or not isinstance(horizon, Integral) or not 1 <= horizon <= MAX_HORIZON:
            raise InvalidInputError(
                f"horizon={horizon!r} must be in [1, {MAX_HORIZON}]: days, or weeks of a weekly table."
            )
        self._make_calendar(int(horizon))
        self._make_planned()
        last = self.as_of - timedelta(days=1)
        last_ds = last - timedelta(days=last.weekday()) if self.is_weekly else last
        self.source.connection.execute(
            f"create or replace temp table on_sale as select unique_id from {self.table} "
            f"where ds = date '{last_ds}' and fill_reason <> 'not_on_sale'"
        )
        if not self.source.value("select count(*) from on_sale"):
            raise InvalidInputError(f"No series of {self.table} was on sale on {last}: there is nothing to forecast.")
        key = "article_id" if self.level == "article" else "category"
        ahead = AHEAD["W" if self.is_weekly else "D"].format(id=key)
        return f"select unique_id, cast(ds as timestamp) as ds, {self._numbers} from ({ahead}) as ahead order by unique_id, ds"

    def _make_calendar(self, horizon: int) -> None:
        last = self.first_ahead + timedelta(days=horizon * (7 if self.is_weekly else 1) - 1)
        bound = {"since": self.first_ahead, "as_of": last, "country": self.source.parameters["country"]}
        for name, rows in holiday_days(bound).items():
            self.source.connection.register(name, rows)
        self.source.connection.execute(
            f"create or replace temp table calendar_ahead as {CALENDAR}", {"first": self.first_ahead, "last": last}
        )

    def _make_planned(self) -> None:
        """Of the days ahead: a week that is not over may have been promoted on its days before as_of."""
        for table in ("planned_promotions", "promotions"):
            if table in self.source.manifest.tables:
                self.source.need(table, "article_id", "product_group_name", "starts_on", "ends_on")
            else:  # a version from before they were published has none
                self.source.connection.execute(
                    f"create or replace temp view {table} as "
                    "select null::varchar as article_id, null::varchar as product_group_name, current_date as starts_on, "
                    "current_date as ends_on where false"
                )
        self.source.connection.execute(f"create or replace temp table planned as {PLANNED}")

    def static(self) -> str:
        """The query of what never changes: a row per series, with texts as they are."""
        if self.level == "category":
            return "select distinct category as unique_id from hierarchy order by unique_id"
        return (
            "select unique_id, category, coalesce(product_group_name, 'unknown') as product_group_name "
            "from hierarchy order by unique_id"
        )


def future(
    horizon: int,
    table: str = "article_daily",
    as_of: str | date | None = None,
    store: str | Path | None = None,
) -> "pd.DataFrame":
    """The next `horizon` days (weeks) of every series of timeseries that was on sale, with all that is known ahead.

    The columns are those that an export to nixtla trains with: `predict(horizon, X_df=shopmill.future(horizon))`.
    """
    settings = load_settings(**({"store": str(store)} if store else {}))
    version = Version("timeseries", as_of, settings)
    with open_source(version, settings, {}) as source:
        rows = Series.of(source, table).future(horizon)
        return _frame(source, rows)


def _frame(source: Source, query: str, **bound: Any) -> "pd.DataFrame":
    from shopmill.versions.frames import to_frame

    return to_frame(source.connection.sql(query, params=bound or None).to_arrow_table(), {})


def counts(**rows: int) -> Mapping[str, int]:
    """Rows by Parquet file."""
    return {f"{name}.parquet": count for name, count in rows.items()}
