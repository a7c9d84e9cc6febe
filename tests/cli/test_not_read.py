"""What a run did not look at is said when it ends."""

from collections.abc import Callable
from pathlib import Path

DATASET, LENIENT = "user_item_interactions", ["-p", "max_reject_share=1"]
Run = Callable[..., tuple[int, str, str]]


def test_days_that_are_kept_are_said(shopmill: Run) -> None:
    first = shopmill("run", DATASET, "--as-of", "2020-10-01", *LENIENT)[1]
    assert "kept as read" not in first
    code, out, _ = shopmill("run", DATASET, "--as-of", "2020-10-05", *LENIENT)
    told = next(line for line in out.splitlines() if "kept as read" in line)
    assert code == 0
    assert told.startswith(
        "transactions: 1 day before 2020-09-28 kept as read for 2020-10-01 (SHOPMILL_LOOKBACK_DAYS=3)"
    )
    assert told.endswith("days with a change since then were read too")
    assert Path(out.splitlines()[-1]).is_dir()
