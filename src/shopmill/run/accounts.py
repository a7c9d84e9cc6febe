"""That every row of the source is accounted for, and that few were rejected: checks, table by table."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import NamedTuple

from shopmill.run.checks import Result
from shopmill.versions.accounts import Account, most_first

MOST_REASONS = 3
PLACES = Decimal("0.0001")


class RejectLimit(NamedTuple):
    """The share of a source table's rows that may be rejected, and the parameter that says so."""

    parameter: str
    share: Decimal


def account_checks(accounts: Sequence[Account], limits: Mapping[str, RejectLimit]) -> Iterator[Result]:
    """That every row is accounted for, and that few were rejected, table by table. `limits` are by source table."""
    for account in accounts:
        limit = limits[account.table]
        passing = max(_share(other) for other in accounts if limits[other.table].parameter == limit.parameter)
        yield _adds_up(account)
        yield _few_rejected(account, limit, passing.quantize(PLACES, ROUND_CEILING))
        yield _values_known(account)


def _adds_up(account: Account) -> Result:
    missing = abs(account.rows - account.found)
    meaning = "rows of the source = used + not wanted + rejected"
    detail = f"{account.sentence()}, which is {account.found:,}" if missing else ""
    return Result(f"{account.table} accounted for", "", "error", meaning, missing, detail)


def _few_rejected(account: Account, limit: RejectLimit, passing: Decimal) -> Result:
    n = account.rejected_rows
    too_many = n > limit.share * account.rows
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in most_first(account.rejected)[:MOST_REASONS])
    detail = (
        f"{n:,} of {account.rows:,} rows of {account.table} were rejected ({reasons}), which is {_percent(_share(account))} "
        f"and more than the limit of {_percent(limit.share)} ({limit.parameter}): fix them in the shop or in the mapping, "
        f"or let them pass with {limit.parameter}={passing.normalize():f}"
    )
    meaning = f"few rows are rejected ({limit.parameter})"
    return Result(f"{account.table} rejects", "", "error", meaning, n if too_many else 0, detail if too_many else "")


def _values_known(account: Account) -> Result:
    n = sum(account.unknown.values())
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in most_first(account.unknown)[:MOST_REASONS])
    detail = f"{n:,} values of {account.table} could not be used, and their rows were used without them: {reasons}"
    meaning = "values fit their columns, or are taken as unknown"
    return Result(f"{account.table} values known", "", "warn", meaning, n, detail if n else "")


def _share(account: Account) -> Decimal:
    return Decimal(account.rejected_rows) / account.rows if account.rows else Decimal(0)


def _percent(share: Decimal) -> str:
    return f"{(100 * share).quantize(Decimal('0.01')).normalize():f} %"
