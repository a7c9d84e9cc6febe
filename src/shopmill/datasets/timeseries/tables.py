"""The tables of timeseries: four series of one shape, and what belongs to them."""

from shopmill.declaration import Column, RowCheck, Table

CURRENCY = "the shop's currency"
LONGEST_LOOK_BACK = 30  # rows: days, or weeks


def _measures(step: str) -> tuple[Column, ...]:
    not_null = "null when not on sale"
    return (
        Column("y", "decimal(18,6)", f"units sold, {not_null}", "units", required=False, minimum=0),
        Column("revenue", "decimal(38,6)", f"price times quantity, {not_null}", CURRENCY, required=False, minimum=0),
        Column(
            "unique_customers", "bigint", f"different customers who bought, {not_null}", "customers", False, minimum=0
        ),
        Column(
            "fill_reason", "varchar", f"how y came about in this {step}", allowed=("observed", "zero", "not_on_sale")
        ),
        Column(
            "days_since_last_sale",
            "bigint",
            "from the last day with a sale before ds to ds, null before the first",
            "days",
            required=False,
            minimum=1,
        ),
    )


def _features(step: str) -> tuple[Column, ...]:
    def rolling(kind: str, name: str, rows: int) -> Column:
        meaning = f"{kind} of y over the {rows} {step}s before ds, null with fewer than min_observations"
        return Column(f"rolling_{name}_lag1_w{rows}", "double", meaning, "units", required=False, minimum=0)

    lags = (1, 7, 28)
    return (
        *(Column(f"lag_{k}", "decimal(18,6)", f"y of {k} {step}s before ds", "units", False, minimum=0) for k in lags),
        rolling("mean", "mean", 7),
        rolling("mean", "mean", 30),
        rolling("sample standard deviation", "std", 7),
        rolling("sample standard deviation", "std", 30),
    )


def _calendar(step: str) -> tuple[Column, ...]:
    of = "of ds" if step == "day" else "of the Monday"
    week = Column("week", "integer", f"ISO week {of}", minimum=1, maximum=53)
    month = Column("month", "integer", f"month {of}", minimum=1, maximum=12)
    if step == "week":
        return (
            month,
            week,
            Column("is_holiday", "boolean", "any day of the week is a public holiday"),
            Column("is_promo", "boolean", "promoted on any day of the week before as_of"),
            Column("is_complete", "boolean", "the week was over at as_of"),
        )
    return (
        Column("day_of_week", "integer", "1 is Monday, 7 is Sunday", minimum=1, maximum=7),
        month,
        week,
        Column("is_weekend", "boolean", "Saturday or Sunday"),
        Column("is_holiday", "boolean", "a public holiday of the parameter country"),
        Column("is_promo", "boolean", "promoted on this day"),
    )


def _series(level: str, step: str) -> Table:
    first = "day" if step == "day" else "Monday"
    id_meaning = "article_id, zero-padded text" if level == "article" else "index_group_name, or unknown"
    return Table(
        name=f"{level}_{'daily' if step == 'day' else 'weekly'}",
        grain=f"one row per {level} and {step}, from its first sale to as_of - 1",
        key=("unique_id", "ds"),
        columns=(
            Column("unique_id", "varchar", id_meaning),
            Column("ds", "date", f"the {first}" + (" that the week begins with" if step == "week" else "")),
            *_measures(step),
            *_features(step),
            *_calendar(step),
        ),
        checks=(
            RowCheck(
                "y fits fill_reason",
                "case fill_reason when 'observed' then y > 0 when 'zero' then y = 0 else y is null end is true",
                "something was sold where observed, nothing where zero, nobody knows where not on sale",
            ),
            RowCheck(
                "measures together",
                "(y is null) = (revenue is null) and (y is null) = (unique_customers is null)",
                "y, revenue and unique_customers are known together",
            ),
            RowCheck("nothing from the future", "ds < $as_of", "no row is of as_of or later"),
        ),
        partition_by="ds",
        warm_up_days=LONGEST_LOOK_BACK * (1 if step == "day" else 7),
    )


MEASURED = (*_measures("step"), *_features("step"))
"""What every series says of its steps, whatever their level and their length."""

SERIES = tuple(_series(level, step) for step in ("day", "week") for level in ("article", "category"))

HIERARCHY = Table(
    name="hierarchy",
    grain="one row per article that was sold before as_of",
    key=("unique_id",),
    columns=(
        Column("unique_id", "varchar", "article_id, as in article_daily"),
        Column("category", "varchar", "index_group_name, as unique_id in category_daily; unknown without one"),
        Column("product_group_name", "varchar", "product group, which promotions may name", required=False),
        Column("first_day", "date", "day of the first sale: the series begins"),
    ),
)

PROMOTIONS = Table(
    name="promotions",
    grain="one row per different promotion that had begun before as_of",
    columns=(
        Column("article_id", "varchar", "article that is promoted, null for a product group", required=False),
        Column("product_group_name", "varchar", "product group that is promoted", required=False),
        Column("starts_on", "date", "first day, null for ever since", required=False),
        Column("ends_on", "date", "last day, as_of - 1 at most"),
        Column("kind", "varchar", "as the shop names it", required=False),
    ),
    may_be_empty=True,
)

PLANNED_PROMOTIONS = Table(
    name="planned_promotions",
    grain="one row per different promotion of as_of or later, as the shop plans it at as_of",
    columns=(
        Column("article_id", "varchar", "article to be promoted, null for a product group", required=False),
        Column("product_group_name", "varchar", "product group to be promoted", required=False),
        Column("starts_on", "date", "first day, as_of at the earliest"),
        Column("ends_on", "date", "last day, null where it is open", required=False),
        Column("kind", "varchar", "as the shop names it", required=False),
    ),
    may_be_empty=True,
)

_IDENTITY = (
    Column("level", "varchar", "article or category"),
    Column("freq", "varchar", "D (day) or W (week from Monday)"),
    Column("unique_id", "varchar", "the series"),
    Column("ds", "date", "the day, or the Monday"),
)

SALES = Table(
    name="sales",
    grain="one row per level, frequency, series and day (week) with a sale, from $since on",
    columns=(
        *_IDENTITY,
        Column("step_days", "integer", "days from row to row", "days"),
        Column("last_sold_on", "date", "last day with a sale in ds"),
        *_measures("step")[:3],
    ),
    may_be_empty=True,
    published=False,
    in_spans=True,
)

STRETCHES = Table(
    name="stretches",
    grain="one row per level, frequency, series and day (week) with a sale",
    columns=(
        *_IDENTITY,
        Column("step_days", "integer", "days from row to row", "days"),
        Column("first_step", "bigint", "first step that is computed", "steps"),
        Column("last_step", "bigint", "last step before the next sale, or as_of", "steps"),
        Column("last_sold_on", "date", "last day with a sale in ds"),
        Column("sold_before_on", "date", "last day with a sale before ds", required=False),
        *_measures("step")[:3],
    ),
    may_be_empty=True,
    published=False,
)

FEATURES = Table(
    name="features",
    grain="one row per level, frequency, series and step",
    split_by="unique_id",
    columns=(*_IDENTITY, *MEASURED),
    published=False,
)
