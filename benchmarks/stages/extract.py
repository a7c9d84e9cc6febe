"""Reading the transactions out of PostgreSQL beside a bare binary COPY, pandas, connectorx and dlt."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from benchmarks.shop import AS_OF, by_hand, settings
from benchmarks.stage import Clock, Compared, Contender, Place, Results, Stage

if TYPE_CHECKING:
    import psycopg
    from pydantic import SecretStr

CHUNK_ROWS = 200_000
MOST_PANDAS_SCALE = 0.3
QUERY = f"select t_dat, customer_id, article_id, price, sales_channel_id from transactions where t_dat < '{AS_OF}'"


@contextmanager
def database(place: Place) -> Iterator[Mapping[str, str]]:
    """A PostgreSQL with the shop's transactions, for as long as the stage lasts."""
    from shopmill.shops.server import demo_server

    server = demo_server(place.folder / "postgres")
    try:
        _fill(server.shop_owner_dsn, place)
        yield {"dsn": server.source_dsn}
    finally:
        server.postgres.stop()


def _fill(dsn: str, place: Place) -> None:
    import adbc_driver_postgresql.dbapi as adbc
    import psycopg

    from shopmill.shops.loading import BATCH_ROWS, script

    with psycopg.connect(dsn) as connection:
        for statement in script("schema.sql").split(";\n"):
            connection.execute(statement.encode())
    query = f"select * exclude misfits from read_parquet('{place.raw('transactions')}')"
    with by_hand(place) as source, adbc.connect(dsn) as connection, connection.cursor() as cursor:
        reader = source.sql(query).to_arrow_reader(BATCH_ROWS)
        cursor.adbc_ingest("transactions", reader, mode="append", db_schema_name="public")
        connection.commit()
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("vacuum analyze transactions")


def ours(place: Place, clock: Clock) -> Results:
    from pathlib import Path

    from shopmill.asof import AsOf
    from shopmill.source.extraction import Extraction
    from shopmill.versions.store import Store

    chosen = settings(place).model_copy(update={"source_dsn": _secret(place)})
    store, as_of = Store(chosen.store), AsOf.parse(AS_OF, chosen.zone)
    with clock:
        Extraction(chosen, store, as_of, lambda _: nullcontext()).run(["transactions"])
    return {"transactions": _counted(place, str(Path(chosen.store) / "raw" / "transactions" / "*" / "*" / "*.parquet"))}


def _secret(place: Place) -> "SecretStr":
    from pydantic import SecretStr

    return SecretStr(place.values["dsn"])


def bare_copy(place: Place, clock: Clock) -> Results:
    """The query that extraction sends, its bytes dropped."""
    import psycopg

    from shopmill.source.mapping import load_mapping

    select = load_mapping(settings(place)).select("transactions")
    query = (
        f"copy (select * from ({select}) as mapped where t_dat < '{AS_OF}' order by t_dat) to stdout (format binary)"
    )
    with psycopg.connect(place.values["dsn"]) as connection, connection.cursor() as cursor, clock:
        _drain(cursor, query)
    return {}


def _drain(cursor: "psycopg.Cursor", query: str) -> None:
    with cursor.copy(query.encode()) as stream:
        for _ in stream:
            continue


def pandas_in_chunks(place: Place, clock: Clock) -> Results:
    """`read_sql` with chunks on a server-side cursor, each appended to one Parquet file."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq
    import sqlalchemy

    target, writer = place.result("transactions"), None
    engine = sqlalchemy.create_engine(place.values["dsn"].replace("postgresql://", "postgresql+psycopg://", 1))
    with clock:
        with engine.connect().execution_options(stream_results=True) as connection:
            for chunk in pd.read_sql(sqlalchemy.text(QUERY), connection, chunksize=CHUNK_ROWS):
                table = pa.Table.from_pandas(chunk.astype({"price": "float64"}), preserve_index=False)
                writer = writer or pq.ParquetWriter(target, table.schema, compression="zstd")
                writer.write_table(table.cast(writer.schema))
        if writer:
            writer.close()
    return {"transactions": _counted(place, str(target))}


def connectorx(place: Place, clock: Clock) -> Results:
    """One query to Arrow by the binary protocol, written by pyarrow."""
    import connectorx as cx
    import pyarrow.parquet as pq

    target = place.result("transactions")
    with clock:
        pq.write_table(
            cx.read_sql(_url(place), QUERY, return_type="arrow", protocol="binary"), target, compression="zstd"
        )
    return {"transactions": _counted(place, str(target))}


def dlt(place: Place, clock: Clock) -> Results:
    """`sql_table` with the pyarrow backend into Parquet files."""
    import os

    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    import dlt
    from dlt.sources.sql_database import sql_table

    bucket = (place.folder / "files").as_uri()
    pipeline = dlt.pipeline(
        "bench",
        pipelines_dir=str(place.folder / "pipelines"),
        destination=dlt.destinations.filesystem(bucket),
        dataset_name="shop",
    )
    columns = ["t_dat", "customer_id", "article_id", "price", "sales_channel_id"]
    table = sql_table(
        _url(place),
        "transactions",
        backend="pyarrow",
        chunk_size=CHUNK_ROWS,
        reflection_level="full_with_precision",
        included_columns=columns,
    )
    with clock:
        pipeline.run(table, loader_file_format="parquet")
    return {"transactions": _counted(place, str(place.folder / "files" / "shop" / "transactions" / "*.parquet"))}


def _url(place: Place) -> str:
    """The connection string as a URL that names host and port, as both want it."""
    from urllib.parse import parse_qs, urlsplit

    parts = urlsplit(place.values["dsn"])
    asked = parse_qs(parts.query)
    host, port = (asked.get(name, [default])[0] for name, default in (("host", parts.hostname), ("port", parts.port)))
    return f"postgresql://{parts.username}:{parts.password or ''}@{host}:{port}{parts.path}"


def _counted(place: Place, files: str) -> str:
    """What was read, by day and article: rows repeat, so they have no key."""
    import duckdb

    target = place.folder / "counted.parquet"
    duckdb.execute(f"""
        copy (
          select cast(t_dat as date) as t_dat, article_id, count(*)::bigint as n, count(distinct customer_id)::bigint as n_customers,
            sum(price)::double as price, sum(sales_channel_id)::bigint as channels
          from read_parquet('{files}', hive_partitioning = false)
          group by all
        ) to '{target}' (format parquet)
    """)
    return str(target)


STAGE = Stage(
    name="extract",
    what="transactions from PostgreSQL to Parquet files",
    tables=("transactions",),
    around=database,
    contenders=(
        Contender("shopmill, all columns, sorted, by day", ours),
        Contender("the same query as binary COPY, drained", bare_copy, bound=True),
        Contender("pandas.read_sql in chunks", pandas_in_chunks, most_scale=MOST_PANDAS_SCALE),
        Contender("connectorx to Arrow", connectorx, extra="connectorx"),
        Contender("dlt, backend pyarrow", dlt, extra="dlt"),
    ),
    compared=(Compared("transactions", ("t_dat", "article_id"), 1e-6),),
)
