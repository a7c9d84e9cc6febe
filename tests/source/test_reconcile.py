"""Old rows that were changed or deleted are found by a fingerprint per day, and only their days are read again."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pytest
from golden import fill_shop
from pydantic import SecretStr
from rows import Extract, line

from shopmill.errors import InvalidInputError
from shopmill.settings import Settings
from shopmill.source.reconcile import Reconciled
from shopmill.source.reconcile import reconcile as run

ODD = {
    "transactions": [
        line("2020-01-01", " C1 ", "1.5", "a|b"), line("2020-01-02", "\u00a0", "-0.0000001"), line("2020-01-03", "ü€😀", None),
        line("2020-01-04", "-", "999999999999.9999994"), {**line("2020-01-05"), "quantity": "0.3333333", "currency": "eur "},
        {**line("2020-01-06"), "changed_at": "2020-01-06 10:00:00.123457+00"}, {**line("2020-01-07"), "sales_channel_id": None},
    ],
    "orders": [{"order_id": f"o{n}", "order_datetime": f"2020-01-0{n} 23:30:00.000001Z", "order_status": status}
               for n, status in enumerate(("X ", "ＸＹ\u200e", "i\u0307ptal", "ΑΚΥΡΩΜΕΝΟΣ", "annule\u0301"), 1)],
    "order_items": [{"order_id": f"o{n}", "article_id": "a", "quantity": n, "price": "1.1"} for n in range(1, 6)],
    "events": [{"event_id": "e", "session_id": "s", "event_value": "NaN", "event_type": "view", "event_datetime": "2020-01-01"}],
    "reviews": [{"review_id": "r", "rating": 5, "review_text": " a\n b ", "review_date": "2020-01-01"}],
}  # fmt: skip


@pytest.fixture
def reconcile(settings: Settings) -> Callable[..., dict[str, Reconciled]]:
    def found(**changes: Any) -> dict[str, Reconciled]:
        return {r.table: r for r in run(settings.model_copy(update=changes), lambda _name: nullcontext())}

    return found


@pytest.mark.parametrize("zone", ["UTC", "Europe/Stockholm", "America/New_York"])
def test_what_has_not_changed_is_not_read_again(
    extract: Extract, shop_dsn: str, reconcile: Callable[..., dict[str, Reconciled]], zone: str
) -> None:
    fill_shop(shop_dsn, ODD)
    extract("2020-02-01", list(ODD), time_zone=zone)
    found = reconcile(time_zone=zone)
    assert set(found) == set(ODD)
    assert {table.different for table in found.values()} == {()}
    assert found["transactions"].days == 7


@pytest.mark.parametrize(
    ("change", "table", "days"),
    [
        ("update transactions set price = 2 where t_dat = '2020-01-02'", "transactions", [2]),
        ("delete from transactions where t_dat = '2020-01-03'", "transactions", [3]),
        ("insert into transactions (t_dat, article_id) values ('2020-01-20', 'a')", "transactions", [20]),
        ("update transactions set t_dat = '2020-01-05' where t_dat = '2020-01-04'", "transactions", [4, 5]),
        ("update orders set order_status = 'cancelled' where order_id = 'o2'", "orders", [2]),
        ("update order_items set quantity = 9 where order_id = 'o2'", "order_items", [2]),
        ("update orders set order_datetime = '2020-01-09' where order_id = 'o2'", "orders", [2, 9]),
        ("update events set session_id = 't'", "events", [1]),
        ("update reviews set review_text = 'b'", "reviews", [1]),
    ],
)
def test_only_the_days_that_differ_are_read_again(
    extract: Extract, shop_dsn: str, reconcile: Callable[..., dict[str, Reconciled]], settings: Settings,
    change: str, table: str, days: list[int], tmp_path: Path,
) -> None:  # fmt: skip
    fill_shop(shop_dsn, ODD)
    extract("2020-02-01", list(ODD))
    with psycopg.connect(shop_dsn) as connection:
        connection.execute(change.encode())
    found = reconcile()
    assert found[table].different == tuple(date(2020, 1, day) for day in days)
    assert {r.table for r in found.values() if r.different} <= {table}
    assert not any(r.different for r in reconcile().values())
    for name in ODD:
        after = extract("2020-02-02", [name])[name]
        scratch = extract("2020-02-02", [name], store=str(tmp_path / "scratch"))[name]
        assert after.days == scratch.days


def test_nothing_was_read_yet(reconcile: Callable[..., dict[str, Reconciled]]) -> None:
    assert reconcile() == {}


def test_another_shop_is_not_compared(
    extract: Extract, shop_dsn: str, new_shop: Callable[[], str], reconcile: Callable[..., dict[str, Reconciled]]
) -> None:
    fill_shop(shop_dsn, {"transactions": [line("2020-01-01")]})
    extract("2020-02-01", ["transactions"])
    with pytest.raises(InvalidInputError, match="another shop"):
        reconcile(source_dsn=SecretStr(new_shop()))
