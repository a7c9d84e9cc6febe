"""Takes the pictures of the catalogue in docs/images/, from the store of a demo in this folder. `make pictures` calls it.

The pages are those of `shopmill report`; the browser is the one of the tests, Debian's Chromium.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from shopmill.catalogue.reader import Reader
from shopmill.catalogue.report import write_report
from shopmill.settings import load_settings

HERE = Path(__file__).parent
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars"]
PICTURES = {
    "catalogue": ("index.html", "light", 860),
    "catalogue-dark": ("index.html", "dark", 860),
    "dataset": ("datasets/user_item_interactions/index.html", "light", 900),
    "columns": ("datasets/customer_features/index.html#table-features", "light", 900),
    "quality": ("datasets/user_item_interactions/quality.html", "light", 900),
    "runs": ("runs.html", "light", 700),
    "lineage": ("datasets/user_item_interactions/lineage.html", "light", 800),
    "funnel": ("datasets/events_and_funnels/picture.html", "light", 800),
    "series": ("datasets/timeseries/picture.html", "light", 700),
    "neighbours": ("datasets/articles_embeddings/picture.html", "light", 800),
    "rfm": ("datasets/customer_features/picture.html", "light", 950),
    "reviews": ("datasets/reviews_nlp/picture.html", "light", 900),
}


def main() -> None:
    """Writes the report and takes each picture."""
    settings = load_settings()
    if not Path(settings.store).exists():
        sys.exit("There is no store here: run `make demo` first.")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write_report(Reader(settings, datetime.now(UTC)), Path(folder))
        newest = max(Path(folder).glob("datasets/user_item_interactions/versions/*.html"))
        pages = {**PICTURES, "version": (str(newest.relative_to(folder)), "light", 1000)}
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
        for name, (page, scheme, height) in pages.items():
            take(browser, f"file://{folder}/{page}", HERE / f"{name}.png", scheme, height)
        browser.close()


def take(browser: Browser, address: str, file: Path, scheme: str, height: int) -> None:
    """One picture."""
    page = browser.new_page(viewport={"width": 1280, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(address)
    page.screenshot(path=file)
    page.close()


if __name__ == "__main__":
    main()
