from pathlib import Path

import pytest
from shelf import NOW, PASSED, Shelf

from shopmill.catalogue.reader import Reader
from shopmill.catalogue.report import write_report
from shopmill.settings import Settings

EVIL = "<script>alert('x')</script>"


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty store, and a registry at whose address nobody listens."""
    return Shelf(
        Settings(_env_file=None, store=str(tmp_path / "store"), registry_dsn="postgresql://nobody@127.0.0.1:1/registry")
    )


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three datasets, with everything that a page may have."""
    folder = tmp_path_factory.mktemp("report")
    settings = Settings(_env_file=None, store=str(folder / "store"))
    shelf = Shelf(settings)
    warned = {
        **PASSED,
        "name": "articles known",
        "severity": "warn",
        "passed": False,
        "violations": 2,
        "examples": ["0007"],
    }
    for day in range(1, 13):
        rows = [{"customer_id": f"c{i}", "article_id": f"{i % 9:04}", "n": i * day, EVIL: "x"} for i in range(20 * day)]
        rejects = [
            {"source_table": "transactions", "reason": "no price", "source_day": None, "source_row": '{"price": null}'}
        ]
        shelf.publish(
            f"2020-09-{day:02}",
            {"interactions": rows, "rejects": rejects},
            checks=[PASSED, warned if day % 4 == 0 else {**warned, "passed": True, "violations": 0}],
            rejected={"transactions: no price": day},
            inputs={"transactions": {"rows": 1000 + day, "sha256": "0"}},
        )
    funnel = [
        {
            "session_day": f"2020-09-{1 + i:02}",
            "session_count": 90 + i,
            "view_session_count": 80,
            "add_to_cart_session_count": 40,
            "checkout_session_count": 20,
            "purchase_session_count": 10 + i % 3,
        }
        for i in range(20)
    ]
    Shelf(settings, "events_and_funnels").publish("2020-09-12", {"funnel_daily": funnel})
    scores = [{"r_score": 1 + i % 5, "f_score": 1 + i // 5 % 5, "rfm_segment": f"segment {i % 4}"} for i in range(200)]
    Shelf(settings, "customer_features").publish("2020-09-12", {"features": scores})
    write_report(Reader(settings, NOW), folder / "pages")
    return folder / "pages"
