"""The report in a real browser, from disk: nothing on the console, readable for everybody, and usable by keyboard alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shelf import Shelf

from looking import NARROW, WIDE, looking
from shopmill.settings import Settings

DATASET = "user_item_interactions"


def addresses(report: Path) -> Iterator[str]:
    """One page of each kind."""
    newest = sorted((report / f"datasets/{DATASET}/versions").iterdir())[-1]
    comparison = sorted((report / f"datasets/{DATASET}/diffs").iterdir())[-1]
    yield from ("index.html", "quality.html", "runs.html")
    yield from (f"datasets/{DATASET}/{page}.html" for page in ("index", "quality", "lineage", "picture"))
    yield from ("datasets/events_and_funnels/picture.html", "datasets/customer_features/picture.html")
    yield from (str(path.relative_to(report)) for path in (newest, comparison))
    yield "datasets/timeseries/index.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_page_opens_cleanly_and_is_readable_for_everybody(browser: Any, report: Path, scheme: str) -> None:
    found = {}
    with looking(browser, color_scheme=scheme) as look:
        for address in addresses(report):
            look.open(f"file://{report}/{address}")
            if told := look.errors + look.violations():
                found[address] = told
            assert not look.is_too_wide, address
            look.errors.clear()
    assert found == {}


def test_each_page_fits_a_phone(browser: Any, report: Path) -> None:
    with looking(browser, NARROW) as look:
        for address in addresses(report):
            look.open(f"file://{report}/{address}")
            assert not look.is_too_wide, address


def test_a_page_asks_no_other_host(browser: Any, report: Path) -> None:
    with looking(browser) as look:
        asked: list[str] = []
        look.page.on("request", lambda request: asked.append(request.url))
        for address in addresses(report):
            look.open(f"file://{report}/{address}")
        assert [url for url in asked if not url.startswith(("file://", "data:"))] == []


def test_search_finds_columns_and_enter_opens_the_first(browser: Any, report: Path) -> None:
    with looking(browser) as look:
        look.open(f"file://{report}/index.html")
        look.page.get_by_label("Find a dataset, table or column").fill("interactions.recency")
        assert "user_item_interactions.interactions.recency_days" in look.page.locator("#found").inner_text()
        assert "found" in look.page.locator("#found-count").inner_text()
        look.page.keyboard.press("Enter")
        look.page.wait_for_url("**/user_item_interactions/index.html*")
        look.open(f"file://{report}/index.html")
        look.page.get_by_label("Find a dataset, table or column").fill("<script>")
        assert look.page.locator("#found").inner_text() == ""
        assert look.errors == []


def test_columns_sort_by_value_with_the_keyboard_alone(browser: Any, report: Path) -> None:
    with looking(browser) as look:
        look.open(f"file://{report}/datasets/{DATASET}/index.html")
        table = look.page.locator("table.versions")

        def rows() -> list[int]:
            return [int(text.replace(",", "")) for text in table.locator("tbody td:nth-child(3)").all_inner_texts()]

        assert rows() == [20 * day for day in range(12, 0, -1)]
        table.locator("thead th:nth-child(3) button").focus()
        look.page.keyboard.press("Enter")
        assert rows() == [20 * day for day in range(1, 13)]
        assert table.locator("thead th:nth-child(3)").get_attribute("aria-sort") == "ascending"
        look.page.keyboard.press("Space")
        assert rows() == [20 * day for day in range(12, 0, -1)]


def test_from_the_catalogue_to_a_version_with_the_keyboard_alone(browser: Any, report: Path) -> None:
    def tab_to(text: str) -> None:
        for _ in range(80):
            look.page.keyboard.press("Tab")
            if look.page.evaluate("document.activeElement.textContent").strip() == text:
                look.page.keyboard.press("Enter")
                return
        pytest.fail(f"the Tab key never reaches {text!r}")

    with looking(browser) as look:
        look.open(f"file://{report}/index.html")
        look.page.keyboard.press("Tab")
        assert look.page.evaluate("document.activeElement.className") == "skip"
        tab_to(DATASET)
        look.page.wait_for_url(f"**/{DATASET}/index.html")
        tab_to("Quality")  # of the navigation above
        look.page.wait_for_url("**/quality.html")
        look.page.go_back()
        look.page.locator("table.versions tbody a").first.focus()
        look.page.keyboard.press("Enter")
        look.page.wait_for_url("**/versions/2020-09-12.*")
        assert "as of 2020-09-12" in look.page.locator("h1").inner_text()


def test_a_column_shows_its_own_lines_of_the_lineage(browser: Any, report: Path) -> None:
    with looking(browser) as look:
        look.open(f"file://{report}/datasets/{DATASET}/lineage.html")
        port = look.page.locator('[data-port="interactions.customer_id"]')
        port.focus()
        on = look.page.locator(".edge.on").evaluate_all("edges => edges.map((edge) => edge.dataset.from)")
        assert "shop: transactions.customer_id" in on
        assert all("article_id" not in name for name in on)


def test_without_a_script_everything_is_readable(browser: Any, report: Path) -> None:
    with looking(browser, java_script_enabled=False) as look:
        look.open(f"file://{report}/datasets/{DATASET}/index.html")
        assert "240" in look.page.locator("table.versions").inner_text()
        assert look.page.locator("svg.timeline").count() == 1


def test_two_thousand_versions_are_one_page_of_a_size_that_opens_at_once(browser: Any, tmp_path: Path) -> None:
    """`performance.getEntriesByType('navigation')[0].domComplete` in the browser's console says how long it took."""
    from shopmill.catalogue.pages import Page
    from shopmill.catalogue.pages.dataset import VersionRow, build
    from shopmill.catalogue.site import Site, asset

    shelf = Shelf(Settings(_env_file=None, store=str(tmp_path / "store")))
    shelf.publish("2020-09-12", {"interactions": [{"n": 1}]})
    made = build(shelf.reader(), DATASET)
    [row] = made.model.versions
    many = [VersionRow(row.summary, row.href, row.size, None)] * 2000
    from dataclasses import replace

    page: Page = replace(made, model=replace(made.model, versions=many))
    (tmp_path / "assets").mkdir()
    for name in ("catalogue.css", "catalogue.js"):
        (tmp_path / "assets" / name).write_text(asset(name))
    (tmp_path / "page.html").write_text(Site().render(page, "page.html"))
    with looking(browser, WIDE) as look:
        look.open(f"file://{tmp_path}/page.html")
        look.open(f"file://{tmp_path}/page.html")
        assert look.page.locator("table.versions tbody tr").count() == 2000
        # What a quiet machine shows within a second; by the clock of a busy one nothing is decided.
        assert look.page.evaluate("document.querySelectorAll('*').length") < 40_000
        assert (tmp_path / "page.html").stat().st_size < 2_000_000
