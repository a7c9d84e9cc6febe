"""Rows of a shop, and what the fixtures of this folder are."""

from collections.abc import Callable
from typing import Any

import psycopg

from shopmill.source.snapshot import Snapshot

Extract = Callable[..., dict[str, Snapshot]]
RowsOf = Callable[[Snapshot], list[dict[str, Any]]]


def line(day: str | None, customer: str = "c1", price: Any = "1.50", article: str = "0001") -> dict[str, Any]:
    return {"t_dat": day, "customer_id": customer, "article_id": article, "price": price, "sales_channel_id": 1}


def add(dsn: str, table: str, *rows: dict[str, Any]) -> None:
    with psycopg.connect(dsn) as connection:
        for row in rows:
            places = ", ".join(["%s"] * len(row))
            connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})".encode(), list(row.values()))
