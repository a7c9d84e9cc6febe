"""A tiny shop that lives: each day brings sales, visits and reviews, late ones too, and changes what was there."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg

Rows = dict[str, list[dict[str, Any]]]
HISTORY_DAYS = 10
LATE_DAYS = 3
"""As SHOPMILL_LOOKBACK_DAYS: what comes later than that is found by its `changed_at` alone."""
WORDS = ("coat", "dress", "bolt", "lamp", "scarf", "boots", "kettle", "gown", "hinge", "mirror", "vase", "cable")


class World:
    """The shop in a database. The same seed makes the same rows."""

    def __init__(self, dsn: str, seed: int, first_day: date):
        self._dsn, self._dice, self._first = dsn, random.Random(f"shop {seed}"), first_day
        self.customers = [f"person-{number:02}-x" for number in range(12)]
        self.articles = [f"{number:04}" for number in range(8)]
        self._number = 0

    def begin(self) -> None:
        """Fills the shop with people, articles and the days before the first."""
        self._insert(
            {
                "customers": [
                    {"customer_id": one, "age": 20 + 3 * place, "postal_code": f"{place:05}"}
                    for place, one in enumerate(self.customers)
                ],
                "articles": [self._article(one) for one in self.articles],
                "promotions": [
                    {"article_id": "0001", "starts_on": self._first, "ends_on": self._first + timedelta(days=4)}
                ],
            }
        )
        for back in range(HISTORY_DAYS, 0, -1):
            self._insert(self._rows(self._first - timedelta(days=back)))

    def pass_day(self, day: date) -> None:
        """What the shop writes on a day: rows of that day, late rows of days before, changes of older ones."""
        self._insert(self._rows(day))
        late = day - timedelta(days=self._dice.randint(1, LATE_DAYS))
        self._insert(self._rows(late, lines=2))
        self._change(day)
        if self._dice.random() < 0.4:
            self.articles.append(new := f"{len(self.articles):04}")
            self._insert({"articles": [self._article(new)]})
        if self._dice.random() < 0.4:
            self.customers.append(one := f"person-{len(self.customers):02}-x")
            self._insert({"customers": [{"customer_id": one, "age": 40}]})

    def _article(self, article: str) -> dict[str, Any]:
        thing = self._dice.choice(WORDS)
        return {
            "article_id": article,
            "product_code": article[:3],
            "prod_name": f"{thing} {article}",
            "product_group_name": f"group {int(article) % 3}",
            "index_group_name": "All",
            "detail_desc": f"a {self._dice.choice(WORDS)} like a {thing}",
        }

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _rows(self, day: date, lines: int = 6) -> Rows:
        rows: Rows = {"transactions": [], "orders": [], "order_items": [], "events": [], "reviews": []}
        for _ in range(lines):
            who, what = self._dice.choice(self.customers), self._dice.choice(self.articles)
            rows["transactions"].append(
                {"t_dat": day, "customer_id": who, "article_id": what, "price": self._dice.randint(-1, 60)}
            )
            self._order(rows, day, who, what)
            self._visit(rows, day, who)
        text = self._dice.choice((f"The {self._dice.choice(WORDS)} is splendid", "Good value", f"{who} loves it"))
        at = self._at(day)
        review = {
            "review_id": f"r{self._next()}",
            "customer_id": who,
            "article_id": what,
            "rating": 1 + self._number % 5,
        }
        rows["reviews"].append({**review, "review_text": text, "review_date": at})
        return rows

    def _order(self, rows: Rows, day: date, who: str, what: str) -> None:
        order, status = f"o{self._next()}", self._dice.choice(("done", "done", "cancelled"))
        rows["orders"].append(
            {"order_id": order, "customer_id": who, "order_datetime": self._at(day), "order_status": status}
        )
        quantity = self._dice.choice((1, 2, -1))
        rows["order_items"].append({"order_id": order, "article_id": what, "quantity": quantity, "price": 10})

    def _visit(self, rows: Rows, day: date, who: str) -> None:
        """A visit that may begin before its login; a device is shared now and then."""
        device = "device-shared" if self._dice.random() < 0.1 else f"device-of-{who}"
        at, n_views = self._at(day), self._dice.randint(1, 3)
        for number in range(n_views):
            event = {"event_id": f"e{self._next()}", "visitor_id": device, "event_type": "view"}
            event |= {"customer_id": who if number else None, "article_id": self._dice.choice(self.articles)}
            rows["events"].append({**event, "event_datetime": at + timedelta(minutes=5 * number)})
        if self._dice.random() < 0.1:
            rows["events"].append(dict(rows["events"][-1]))  # sent twice

    def _at(self, day: date) -> datetime:
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=self._dice.randint(0, 1410))

    def _change(self, day: date) -> None:
        """An old order is cancelled, another one moves to this day, and a transaction comes that is too late to be read."""
        older = day - timedelta(days=LATE_DAYS + 3)
        with psycopg.connect(self._dsn) as connection:
            orders = connection.execute("select order_id from orders order by length(order_id), order_id").fetchall()
            cancelled, moved = self._dice.sample([order for (order,) in orders], 2)
            connection.execute(
                "update orders set order_status = 'cancelled', changed_at = now() where order_id = %s", (cancelled,)
            )
            connection.execute(
                "update orders set order_datetime = %s, changed_at = now() where order_id = %s", (self._at(day), moved)
            )
            connection.execute("update articles set price = %s where article_id = '0002'", (day.day,))
            connection.execute(
                "insert into transactions (t_dat, customer_id, article_id, price, changed_at) values (%s, %s, %s, 7, now())",
                (older, self._dice.choice(self.customers), "0001"),
            )

    def _insert(self, rows: Rows) -> None:
        with psycopg.connect(self._dsn) as connection, connection.cursor() as cursor:
            for table, found in rows.items():
                for names, same in _by_columns(found):
                    places = ", ".join(["%s"] * len(names))
                    query = f"insert into {table} ({', '.join(names)}) values ({places})"
                    cursor.executemany(query.encode(), [tuple(row.values()) for row in same])


def _by_columns(rows: Iterable[dict[str, Any]]) -> Iterable[tuple[tuple[str, ...], list[dict[str, Any]]]]:
    found: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row), []).append(row)
    return found.items()
