"""That every row of the source is accounted for, and that few were rejected: checks, table by table."""

from collections.abc import Iterator, Sequence
from decimal import ROUND_CEILING, Decimal

from shopmill.run.checks import Result
from shopmill.versions.accounts import Account, most_first

MOST_REASONS = 3
PLACES = Decimal("0.0001")


def account_checks(accounts: Sequence[Account], limit: Decimal) -> Iterator[Result]:
    """That every row is accounted for, and that few were rejected, table by table."""
    passing = max((_share(account) for account in accounts), default=Decimal(0))
    for account in accounts:
        yield _adds_up(account)
        yield _few_rejected(account, limit, passing.quantize(PLACES, ROUND_CEILING))
        yield _values_known(account)


def _adds_up(account: Account) -> Result:
    missing = abs(account.rows - account.found)
    meaning = "rows of the source = used + not wanted + rejected"
    detail = f"{account.sentence()}, which is {account.found:,}" if missing else ""
    return Result(f"{account.table} accounted for", "", "error", meaning, missing, detail)


def _few_rejected(account: Account, limit: Decimal, passing: Decimal) -> Result:
    n = account.rejected_rows
    too_many = n > limit * account.rows
    told = "; ".join(f"{count:,} {reason}" for reason, count in most_first(account.rejected)[:MOST_REASONS])
    detail = (
        f"{n:,} of {account.rows:,} rows of {account.table} were rejected ({told}), which is {_percent(_share(account))} "
        f"and more than the limit of {_percent(limit)} (max_reject_share): fix them in the shop or in the mapping, or let "
        f"them pass with max_reject_share={passing.normalize():f}"
    )
    meaning = "few rows are rejected (max_reject_share)"
    return Result(f"{account.table} rejects", "", "error", meaning, n if too_many else 0, detail if too_many else "")


def _values_known(account: Account) -> Result:
    n = sum(account.unknown.values())
    told = "; ".join(f"{count:,} {reason}" for reason, count in most_first(account.unknown)[:MOST_REASONS])
    detail = f"{n:,} values of {account.table} could not be used, and their rows were used without them: {told}"
    meaning = "values fit their columns, or are taken as unknown"
    return Result(f"{account.table} values known", "", "warn", meaning, n, detail if n else "")


def _share(account: Account) -> Decimal:
    return Decimal(account.rejected_rows) / account.rows if account.rows else Decimal(0)


def _percent(share: Decimal) -> str:
    return f"{(100 * share).quantize(Decimal('0.01')).normalize():f} %"
