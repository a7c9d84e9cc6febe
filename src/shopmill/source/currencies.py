"""What datasets with amounts check about their currencies."""

from pathlib import Path

from shopmill.declaration import QueryCheck

FOLDER = Path(__file__).parent / "checks"


def currency_checks(*tables: str) -> tuple[QueryCheck, ...]:
    """The checks of the currencies of some source tables."""
    return tuple(check for table in tables for check in (one_currency(table), _currency_given(table)))


def one_currency(table: str, counts: str = "true") -> QueryCheck:
    """The check that amounts of different currencies are not added up; `counts` says which rows have one."""
    return QueryCheck(
        f"{table} in one currency",
        "amounts are in one currency, or exchange rates make them one",
        file=FOLDER / "one_currency.sql",
        values={"table": table, "counts": counts},
    )


def _currency_given(table: str) -> QueryCheck:
    return QueryCheck(
        f"currency of {table} given",
        "where some rows say their currency, all do",
        "warn",
        FOLDER / "currency_given.sql",
        {"table": table},
    )
