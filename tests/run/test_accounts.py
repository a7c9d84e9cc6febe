"""Every row of a source table is accounted for, and what is rejected is measured against the table's own rows."""

from decimal import Decimal

import pytest

from shopmill.run.accounts import RejectLimit, account_checks
from shopmill.versions.accounts import Account


def failing(*accounts: Account, limit: str = "0.1") -> dict[str, str]:
    checks = account_checks(
        accounts, {account.table: RejectLimit("max_reject_share", Decimal(limit)) for account in accounts}
    )
    return {check.name: check.warning() for check in checks if not check.passed}


def test_rows_that_vanish_are_an_error() -> None:
    account = Account("orders", 10, 5, {"guest_orders": 2}, {"order_id is null": 1})
    assert failing(account) == {
        "orders accounted for": "orders: 10 rows = 5 used + 2 not wanted (guest orders) + 1 rejected (order_id is null), which is 8"
    }


@pytest.mark.parametrize(("rejected", "passes"), [(0, True), (10, True), (11, False)])
def test_few_rows_of_a_table_may_be_rejected(rejected: int, passes: bool) -> None:
    assert (failing(Account("events", 100, 100 - rejected, {}, {"r": rejected})) == {}) == passes


def test_a_large_table_hides_no_broken_one_and_the_message_names_a_way_out() -> None:
    broken = Account("transactions", 17, 0, {}, {"price is null": 17})
    worse = failing(Account("events", 3000, 2999, {}, {"event_id is null": 1}), broken, limit="0.01")
    assert worse == {
        "transactions rejects": "17 of 17 rows of transactions were rejected (17 price is null), which is 100 % and more than the "
        "limit of 1 % (max_reject_share): fix them in the shop or in the mapping, or let them pass with max_reject_share=1"
    }
    assert "max_reject_share=0.3334" in failing(Account("t", 3, 2, {}, {"r": 1}))["t rejects"]


def test_a_row_whose_value_is_taken_as_unknown_is_used() -> None:
    account = Account("customers", 2, 2, {}, {}, {"age is outside 0..120, taken as unknown": 1})
    assert failing(account) == {
        "customers values known": "1 values of customers could not be used, and their rows were used without them: "
        "1 age is outside 0..120, taken as unknown"
    }


def test_a_table_may_have_a_limit_of_its_own_which_the_message_names() -> None:
    limits = {"orders": RejectLimit("max_reject_share", Decimal("0.5")), "reviews": RejectLimit("mine", Decimal("0.1"))}
    accounts = [Account("orders", 10, 6, {}, {"r": 4}), Account("reviews", 10, 8, {}, {"r": 2})]
    [failed] = [check for check in account_checks(accounts, limits) if not check.passed]
    assert failed.name == "reviews rejects"
    assert failed.detail.endswith(
        "the limit of 10 % (mine): fix them in the shop or in the mapping, or let them pass with mine=0.2"
    )
