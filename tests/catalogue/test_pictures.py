"""The pictures of the catalogue that the docs show: taken in a browser, of pages that open without an error.

With `PICTURES_OF`, the settings file of a demo that is running, they are taken of its store and written to docs/images/:
`make pictures` does that. Else they are of a small report, and thrown away.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from looking import looking
from shopmill.catalogue.reader import Reader
from shopmill.catalogue.report import write_report
from shopmill.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
IMAGES = DOCS / "images"
OF_A_DEMO = os.environ.get("PICTURES_OF")
BLANK_BYTES = 10_000
"""A page without anything on it is a smaller picture than that."""


@dataclass(frozen=True)
class Picture:
    """A page of the catalogue, and the height of the window in pixels."""

    page: str
    height: int
    scheme: Literal["light", "dark"] = "light"


PICTURES = {
    "catalogue": Picture("index.html", 860),
    "catalogue-dark": Picture("index.html", 860, "dark"),
    "dataset": Picture("datasets/user_item_interactions/index.html", 900),
    "columns": Picture("datasets/customer_features/index.html#table-features", 900),
    "version": Picture("datasets/user_item_interactions/versions/{newest}", 1000),
    "quality": Picture("datasets/user_item_interactions/quality.html", 900),
    "runs": Picture("runs.html", 700),
    "lineage": Picture("datasets/user_item_interactions/lineage.html", 800),
    "funnel": Picture("datasets/events_and_funnels/picture.html", 800),
    "series": Picture("datasets/timeseries/picture.html", 700),
    "neighbours": Picture("datasets/articles_embeddings/picture.html", 800),
    "rfm": Picture("datasets/customer_features/picture.html", 950),
    "reviews": Picture("datasets/reviews_nlp/picture.html", 900),
}


@pytest.fixture(scope="module")
def pictured(report: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages to take pictures of."""
    if not OF_A_DEMO:
        return report
    if not Path(OF_A_DEMO).exists():
        pytest.exit(f"There is no {OF_A_DEMO}: run `make demo` in another shell first.", returncode=1)
    folder = tmp_path_factory.mktemp("pictured")
    write_report(Reader(Settings(_env_file=OF_A_DEMO), datetime.now(UTC)), folder)
    for page in folder.rglob("*.html"):  # where the demo was is of no interest to those who see the pictures
        page.write_text(page.read_text().replace(f"{Path(OF_A_DEMO).absolute().parents[1]}/", ""))
    return folder


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_taken_of_a_page_that_opens_without_an_error(
    browser: Any, pictured: Path, tmp_path: Path, name: str
) -> None:
    asked = PICTURES[name]
    newest = max((pictured / "datasets/user_item_interactions/versions").iterdir()).name
    file = (IMAGES if OF_A_DEMO else tmp_path) / f"{name}.png"
    with looking(browser, height=asked.height, color_scheme=asked.scheme) as look:
        look.open(f"file://{pictured}/{asked.page.format(newest=newest)}")
        assert look.errors == []
        look.page.screenshot(path=file)
    assert file.stat().st_size > BLANK_BYTES


def test_the_docs_show_each_picture() -> None:
    shown = "".join(page.read_text() for page in DOCS.glob("*.md"))
    assert [name for name in PICTURES if f"images/{name}.png" not in shown] == []
    assert [name for name in PICTURES if not (IMAGES / f"{name}.png").exists()] == []
