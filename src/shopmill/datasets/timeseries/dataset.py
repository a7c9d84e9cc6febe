"""What was sold of each article and category, day by day and week by week: the series that forecasts are made of.

Four tables of one shape, in the columns that forecasting libraries expect (`unique_id`, `ds`, `y`):
`article_daily`, `category_daily`, `article_weekly`, `category_weekly`. A category is an `index_group_name`; articles
that the catalogue does not have, or has without one, are in the category `unknown`. `hierarchy` says which article is
in which category; units and revenue of the articles sum to their category's on every day and in every week (checked).

*Measures.* `y` is the number of units sold, the sum of `quantity`: a line without one is a unit, a line that repeats another
exactly counts again, and so does a line at price 0 or of a guest. Returns are not subtracted. `revenue` is the sum of price
times quantity in the shop's currency, `unique_customers` the number of different customers, known ones only. Days are the
shop's (`t_dat`).

*The grid* has every day from a series' first sale to as_of - 1, without a gap. `fill_reason` says how `y` came about:

- `observed`: something was sold.
- `zero`: nothing was sold, but something was in the last `on_sale_days` days: taken as on sale, y = 0.
- `not_on_sale`: nothing was sold for longer than that; y, revenue and unique_customers are null, for nobody knows.

The shop's data say when something was sold, not when it could be bought, so being on sale is concluded from sales, and
from past ones only: when an article sells again, the days before stay `not_on_sale`. No row ever depends on later ones.

*Features* use rows before ds only. `lag_k` is y of k rows earlier: days in the daily tables, weeks in the weekly ones.
`rolling_mean_lag1_w7` and `_w30` are the mean of y over the 7 and 30 rows before ds, `rolling_std_lag1_…` the sample
standard deviation (n - 1). Null y do not count, and with fewer than `min_observations` others the feature is null (a
deviation needs two at least). These are mlforecast's lags 1, 7, 28 and its RollingMean and RollingStd on lag 1 with
min_samples = min_observations. `days_since_last_sale` counts from the last day with a sale before ds.

*Calendar.* ISO's weekday (1 is Monday) and week; public holidays of `country`, observed days included, from 1970 on.
A day `is_promo` when a row of promotions covers it for the article, or, when the row names no article, for its product
group; for a category when it does so for any of its articles that was sold by then. A promotion without an end lasts, one
without a start was ever since. `planned_promotions` has those of days from as_of on, which a forecast may know ahead; no
other table depends on them. Without a `country` no day is a holiday.

*Weeks* begin on Monday and ds is that Monday (pandas' frequency W-MON). The last week may not be over: `is_complete`
is false then, and its y is what was sold until as_of. A week is `not_on_sale` when all its days are, a holiday when any
of its days is, promoted when any of its days before as_of is.

*Continuing.* Files hold a week each. A run takes over the weeks before the first changed day from the previous version
and computes the rest, which gives the bytes of a full build. The run is a full rebuild when an article moved to another
category or product group, or when a promotion of earlier days was added, changed or taken back.
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.datasets.timeseries.tables import (
    FEATURES,
    HIERARCHY,
    MEASURED,
    PLANNED_PROMOTIONS,
    PROMOTIONS,
    SALES,
    SERIES,
    STRETCHES,
)
from shopmill.declaration import REJECTS, Dataset, Incremental, Input, Join, Parameter, Promise, QueryCheck, Task
from shopmill.errors import InvalidInputError
from shopmill.source.currencies import currency_checks

if TYPE_CHECKING:
    import pyarrow as pa

FIRST_YEAR = 1970


def holiday_days(bound: Mapping[str, Any]) -> Mapping[str, "pa.Table"]:
    """The public holidays of the years that a run computes; InvalidInputError for a country that is not known."""
    import pyarrow as pa

    years = range(max(FIRST_YEAR, bound["since"].year), bound["as_of"].year + 2)
    days = sorted(_holidays(bound["country"], years)) if bound["country"] else []
    return {"holiday_days": pa.table({"day": pa.array(days, pa.date32())})}


def _holidays(country: str, years: range) -> Mapping[Any, str]:
    import holidays

    name, _, subdivision = country.partition("-")
    try:
        return holidays.country_holidays(name, subdiv=subdivision or None, years=years)
    except NotImplementedError:
        raise InvalidInputError(
            f"country={country!r} has no calendar: give an ISO code such as SE, one with a subdivision such as DE-BY, "
            "or nothing for no holidays."
        ) from None


DATASET = Dataset(
    name="timeseries",
    title="Sales series",
    owner="ml-platform",
    promise=Promise(within=timedelta(hours=3), age=timedelta(hours=33)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    extracts={
        "extract": (
            Input("transactions", is_fresh=True, severity="error"),
            Input("exchange_rates", optional=True),
            Input("articles"),
            Input("promotions", optional=True),
        )
    },
    tasks=(
        Task("fill_gaps", ("hierarchy", "promotions", "planned_promotions", "rejects", "sales", "stretches")),
        Task("rolling_features", ("features",)),
        Task("calendar_flags", tuple(table.name for table in SERIES)),
    ),
    tables=(*SERIES, HIERARCHY, PROMOTIONS, PLANNED_PROMOTIONS, REJECTS, SALES, STRETCHES, FEATURES),
    parameters=(
        Parameter(
            "on_sale_days", "integer", 56, "days after a sale for which an article is taken as still on sale", 0, 36500
        ),
        Parameter("min_observations", "integer", 7, "rows with y that a rolling feature needs in its window", 1, 7),
        Parameter(
            "country",
            "text",
            "",
            "whose public holidays: ISO code (SE), with subdivision (DE-BY); nothing: no holidays",
        ),
    ),
    checks=(
        *currency_checks("transactions"),
        QueryCheck(
            "no missing ds",
            "every series has every day and week from its first to as_of - 1",
        ),
        QueryCheck(
            "levels agree",
            "y and revenue of a category are the sums of its articles', on every day and in every week",
        ),
        QueryCheck(
            "every unit counted",
            "on every day, the units of the series are those of the usable transaction lines",
        ),
        QueryCheck(
            "no leak",
            "lag and windows are what the days before give",
        ),
        QueryCheck(
            "articles in the catalogue",
            "every article that was sold has a category",
            severity="warn",
        ),
    ),
    joins=(Join("hierarchy", "unique_id", "articles", "article_id"),),
    incremental=Incremental(
        facts=("transactions",),
        period="week",
        rebuild_when=QueryCheck(
            "history changed", "no article moved to another category, and no promotion of the past changed"
        ),
    ),
    values={"measured": MEASURED},
    lookups=holiday_days,
    packages=("holidays",),
)
