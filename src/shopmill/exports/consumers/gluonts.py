"""GluonTS: one long frame for `PandasDataset.from_long_dataframe`, with gaps as NaN, and static features beside it.

    series.parquet   item_id, timestamp, target (NaN where nobody knows), and what is known ahead
    future.parquet   the same columns but target for the next `horizon` steps
    static.parquet   item_id and what never changes: make its columns categories (GluonTS leaves out others)

Frequency: D, and of weekly tables W-SUN: GluonTS names a week by its last day, and its timestamp here is that Sunday.
"""

from collections.abc import Mapping
from pathlib import Path

from shopmill.declaration import Parameter
from shopmill.exports.consumer import Consumer
from shopmill.exports.series import TABLES, Series, counts
from shopmill.exports.source import Source


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Three queries."""
    series = Series.of(source, str(source.options["table"]))
    moved = "ds + interval 6 day" if series.is_weekly else "ds"
    names = f"unique_id as item_id, {moved} as timestamp"
    future = source.write_parquet(
        f"select {names}, {series.known} from ({series.future(int(source.options['horizon']))}) as ahead "
        "order by item_id, timestamp",
        folder / "future.parquet",
    )
    history = f"""
        select {names}, case when weight = 0 then 'nan'::double else y end as target, {series.known}
        from ({series.history()}) as history
        semi join on_sale using (unique_id)
        order by item_id, timestamp
    """
    static = f"select unique_id as item_id, * exclude unique_id from ({series.static()}) as static semi join on_sale using (unique_id)"
    return counts(
        series=source.write_parquet(history, folder / "series.parquet"),
        future=future,
        static=source.write_parquet(f"{static} order by item_id", folder / "static.parquet"),
    )


CONSUMER = Consumer(
    name="gluonts",
    loads="a long frame with NaN where y is unknown, and static features",
    writes={"timeseries": write},
    options=(
        Parameter("table", "text", "article_daily", f"which series: {', '.join(TABLES)}"),
        Parameter("horizon", "integer", 28, "days ahead, or weeks of a weekly table", 1, 366),
    ),
)
