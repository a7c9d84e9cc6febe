"""Too little disk is said before anything is computed."""

from collections.abc import Callable

import pytest
from golden import fill_shop

from shopmill import datasets
from shopmill.errors import StoreError
from shopmill.run import room, steps
from shopmill.run.run import Run
from shopmill.settings import Settings


def test_a_disk_with_less_room_than_the_inputs_take(
    settings: Settings, shop_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = {"t_dat": "2020-09-08", "customer_id": "c1", "article_id": "a1", "price": "1.5", "sales_channel_id": 1}
    fill_shop(shop_dsn, {"transactions": [line], "articles": [{"article_id": "a1"}]})
    run = Run.create(datasets.load("user_item_interactions"), "2020-09-09", settings, {"max_reject_share": 1})

    def free(n_bytes: int) -> Callable[[object], int]:
        return lambda _folder: n_bytes

    with monkeypatch.context() as patched:
        patched.setattr(room, "free_bytes", free(10))
        with pytest.raises(StoreError, match=r"too small for user_item_interactions: 10 bytes are free, .* Free disk"):
            steps.run_all(run)
    assert steps.run_all(run).status == "published"
