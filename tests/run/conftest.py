"""The shop of the tests on damage and power cuts, and the stores that were filled from it."""

from collections.abc import Callable

import pytest

from copies import Copies
from shopmill.settings import Settings

SALES = [{"t_dat": f"2020-09-{day}", "customer_id": f"c{day}", "article_id": "1", "price": 1} for day in (20, 21, 22)]


@pytest.fixture(scope="session")
def few_sales(new_shop: Callable[[], str], registry_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Copies:
    settings = Settings(_env_file=None, source_dsn=new_shop(), registry_dsn=registry_dsn)
    return Copies(settings, tmp_path_factory.mktemp("few"), {"transactions": SALES, "articles": [{"article_id": "1"}]})
