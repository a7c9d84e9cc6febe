"""The pages: what the manifests have, nothing of a person, nothing executed, and a sentence where something is missing."""

import re
from pathlib import Path
from typing import Any

import pytest
from shelf import NOW, PASSED, Shelf

from shopmill.asof import AsOf
from shopmill.catalogue.reader import NotThereError, Reader
from shopmill.catalogue.report import write_report
from shopmill.catalogue.site import Site
from shopmill.catalogue.summaries import History
from shopmill.settings import Settings

ROWS = {
    "interactions": [
        {"customer_id": f"person-{i}", "article_id": f"{i % 7:04}", "spend_sum": i / 2} for i in range(500)
    ]
}
EVIL = '<script>alert("x")</script>'
SITE = Site(airflow="../", can_ask=True)
LINK = re.compile(r'(?:href|src)="([^"]*)"')


def pages_of(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in sorted(folder.rglob("*.html"))}


def test_every_link_of_a_report_leads_to_a_page_of_it(shelf: Shelf, tmp_path: Path) -> None:
    for day in range(1, 6):
        shelf.publish(f"2020-09-{day:02}", {"interactions": ROWS["interactions"][: day * 100]})
    folder = tmp_path / "report"
    write_report(shelf.reader(), folder, most_versions=2)
    pages = pages_of(folder)
    assert "datasets/user_item_interactions/index.html" in pages
    assert sum("/versions/" in name for name in pages) == 2
    for name, text in pages.items():
        for target in LINK.findall(text):
            assert "://" not in target, (name, target)  # no address of another host
            if not target.startswith(("data:", "#")):
                assert not target.startswith("/")
                assert (folder / name).parent.joinpath(target.partition("#")[0]).resolve().is_file(), (name, target)
    for asset in (folder / "assets").iterdir():
        assert "://" not in asset.read_text()


def test_a_version_shows_the_figures_of_its_manifest(shelf: Shelf) -> None:
    check = {
        **PASSED,
        "name": "prices known",
        "passed": False,
        "severity": "warn",
        "violations": 3,
        "examples": ["person-7, 0007"],
    }
    made = shelf.publish(
        "2020-09-23",
        {
            **ROWS,
            "rejects": [
                {
                    "source_table": "transactions",
                    "reason": "no price",
                    "source_day": None,
                    "source_row": '{"customer_id": "person-9", "price": null}',
                }
            ],
        },
        checks=[PASSED, {**check, "table": ""}],
        rejected={"transactions: no price": 1},
        inputs={"transactions": {"rows": 501, "sha256": "0"}},
    )
    text = SITE.open(shelf.reader(), f"datasets/user_item_interactions/versions/2020-09-23.{made.version}.html")
    for words in (
        "500",
        made.version,
        "501",
        "no price",
        "prices known",
        'shopmill.load("user_item_interactions")'.replace('"', "&#34;"),
    ):
        assert words in text
    assert "price&#34;: null" in text  # the rejected row itself, of which the customer is masked
    assert "person-9" not in text


def test_nothing_of_a_person_is_on_any_page(shelf: Shelf, tmp_path: Path) -> None:
    key = {"user_item_interactions": ["customer_id", "article_id"]}
    check = {**PASSED, "passed": False, "violations": 1, "examples": ["person-7, 0007, 3.5"]}
    shelf.publish("2020-09-23", ROWS, checks=[check])
    assert key
    write_report(shelf.reader(), tmp_path / "report")
    for name, text in pages_of(tmp_path / "report").items():
        assert "person-" not in text, name
    statistics = next(Path(shelf.settings.store).rglob("statistics.json")).read_text()
    assert "person-" not in statistics


def test_nothing_that_data_say_is_executed(shelf: Shelf, tmp_path: Path) -> None:
    rows = [
        {EVIL: EVIL, "text_clean": f"{EVIL} & more", "article_id": "'\"><img src=x onerror=alert(1)>"} for _ in range(3)
    ]
    check = {
        **PASSED,
        "name": EVIL,
        "meaning": EVIL,
        "detail": EVIL,
        "passed": False,
        "violations": 1,
        "examples": [EVIL],
    }
    rejected = {f"reviews: {EVIL}": 1}
    for dataset in ("reviews_nlp", "a_dataset_of_somebody"):
        of = Shelf(shelf.settings, dataset)
        of.publish("2020-09-22", {"reviews": rows}, checks=[check], rejected=rejected, parameters={EVIL: EVIL})
        of.publish("2020-09-23", {"reviews": rows[:2]}, checks=[check], inputs={EVIL: {"rows": 1}})
    write_report(shelf.reader(), tmp_path / "report")
    for name, text in pages_of(tmp_path / "report").items():
        assert "<script>alert" not in text, name
        assert "<img" not in text, name
        assert not re.search(r"<[a-z][^>]* on[a-z]+=", text), name  # no handler within a page


def test_html_in_a_review_is_shown_as_text(shelf: Shelf) -> None:
    reviews = [
        {
            "review_id": f"r{i}",
            "rating": 5,
            "sentiment_compound": 0.5,
            "sentiment_label": "positive",
            "text_clean": f"<b>{EVIL} write to a@b.se",
        }
        for i in range(3)
    ]
    Shelf(shelf.settings, "reviews_nlp").publish("2020-09-23", {"reviews": reviews})
    text = SITE.open(shelf.reader(), "datasets/reviews_nlp/picture.html")
    assert "&lt;b&gt;&lt;script&gt;" in text
    assert "a@b.se" not in text


def test_a_picture_says_what_it_shows(shelf: Shelf) -> None:
    ratings = ({"review_id": f"r{n}", "rating": rating} for n, rating in enumerate((1, 5, None)))
    reviews = [
        {**row, "sentiment_compound": 0.5, "sentiment_label": "positive", "text_clean": "good"} for row in ratings
    ]
    Shelf(shelf.settings, "reviews_nlp").publish("2020-09-23", {"reviews": reviews})
    text = SITE.open(shelf.reader(), "datasets/reviews_nlp/picture.html")
    assert [words for words in ("1 star<", "5 stars<", "no stars<") if words not in text] == []

    articles = [{"article_id": "0007", "content_text": "STRAWBERRIES. BERRIES. PRODUCE"}]
    Shelf(shelf.settings, "articles_content").publish("2020-09-23", {"articles": articles})
    day = {
        "unique_id": "0007",
        "y": 3.0,
        "rolling_mean_lag1_w7": None,
        "rolling_mean_lag1_w30": None,
        "is_promo": False,
    }
    daily = [{**day, "ds": f"2020-09-{n}"} for n in (21, 22)]
    series = {"article_daily": daily, "article_weekly": [{"unique_id": "0007", "y": 6.0}]}
    Shelf(shelf.settings, "timeseries").publish("2020-09-23", series)
    text = SITE.open(shelf.reader(), "datasets/timeseries/picture.html")
    assert "Article 0007 (STRAWBERRIES): 2 days, 0 of them promoted" in text


def test_an_empty_store_and_a_silent_registry_are_said(shelf: Shelf) -> None:
    text = SITE.open(shelf.reader(), "index.html")
    assert "The registry does not answer" in text
    assert "no version yet" in text
    assert "shopmill run timeseries" in SITE.open(shelf.reader(), "datasets/timeseries/index.html")
    for page in ("quality.html", "runs.html", "datasets/timeseries/quality.html", "datasets/timeseries/picture.html"):
        assert "<h1>" in SITE.open(shelf.reader(), page)


def test_no_registry_at_all(shelf: Shelf) -> None:
    settings = Settings(_env_file=None, store=shelf.settings.store)
    assert "SHOPMILL_REGISTRY_DSN" in SITE.open(Reader(settings, NOW), "index.html")


def test_a_silent_registry_is_asked_once(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    from shopmill.registry import Registry

    asked = []
    original = Registry.runs

    def runs(self: Registry, *arguments: Any) -> Any:
        asked.append(arguments)
        return original(self, *arguments)

    monkeypatch.setattr(Registry, "runs", runs)
    reader = shelf.reader()
    for _ in range(3):
        SITE.open(Reader(reader.settings, NOW, reader.memory), "index.html")
    assert len(asked) == 1


def test_a_withdrawn_version_is_not_the_current_one(shelf: Shelf) -> None:
    old, new = (shelf.publish(day, ROWS, parameters={"day": day}) for day in ("2020-09-22", "2020-09-23"))
    shelf.versions.withdraw(AsOf.parse("2020-09-23", shelf.versions.zone), "prices were in cents")
    history = History(shelf.versions)
    assert {summary.version: summary.is_current for summary in history.all} == {old.version: True, new.version: False}
    assert history.newest is not None
    assert history.newest.version == old.version


def test_a_version_that_was_removed_while_its_page_was_open(shelf: Shelf) -> None:
    old, new = (shelf.publish(day, ROWS, parameters={"day": day}) for day in ("2020-09-22", "2020-09-23"))
    reader = shelf.reader()
    address = f"datasets/user_item_interactions/versions/2020-09-22.{old.version}.html"
    assert old.version in SITE.open(reader, address)
    shelf.versions.store.delete(shelf.versions.folder(old))
    with pytest.raises(NotThereError, match="gc"):
        SITE.open(reader, address)  # it was listed a moment ago
    again = Reader(reader.settings, NOW, reader.memory)
    for gone in (
        address,
        f"datasets/user_item_interactions/diffs/2020-09-22.{old.version}...2020-09-23.{new.version}.html",
    ):
        with pytest.raises(NotThereError, match="gc"):
            SITE.open(again, gone)
    assert old.version not in SITE.open(again, "datasets/user_item_interactions/index.html")


@pytest.mark.parametrize(
    "path",
    [
        "nothing.html",
        "datasets/nothing/index.html",
        "datasets/../index.html",
        "datasets/user_item_interactions/versions/2020-01-01.abc.html",
        "datasets/%3Cscript%3E/index.html",
        "../../etc/passwd",
    ],
)
def test_a_page_that_is_not_there(shelf: Shelf, path: str) -> None:
    with pytest.raises(NotThereError):
        SITE.open(shelf.reader(), path)
    assert "<script>alert" not in SITE.trouble(path, EVIL)


def test_a_dataset_of_another_package_version(shelf: Shelf) -> None:
    Shelf(shelf.settings, "weather").publish(
        "2020-09-23", {"days": [{"day": "2020-09-22"}]}, software={"shopmill": "9.9"}
    )
    text = SITE.open(shelf.reader(), "datasets/weather/index.html")
    assert "declares no dataset weather" in text
    assert "9.9" in text
    assert "weather" in SITE.open(shelf.reader(), "index.html")
    with pytest.raises(NotThereError, match="SQL of weather"):
        SITE.open(shelf.reader(), "datasets/weather/lineage.html")


def test_who_may_not_see_a_dataset_sees_nothing_of_it(shelf: Shelf) -> None:
    made = shelf.publish("2020-09-23", ROWS)
    reader = Reader(shelf.settings, NOW, may_see=lambda name: name == "timeseries")
    assert "user_item_interactions" not in SITE.open(reader, "index.html")
    for page in ("index", "quality", "picture", "lineage", f"versions/2020-09-23.{made.version}"):
        with pytest.raises(NotThereError):
            SITE.open(reader, f"datasets/user_item_interactions/{page}.html")


def test_what_changed_between_two_versions(shelf: Shelf) -> None:
    old = shelf.publish("2020-09-22", {"interactions": ROWS["interactions"][:400]}, parameters={"half_life": "30"})
    new = shelf.publish(
        "2020-09-23",
        {"interactions": [{**row, "score": 1} for row in ROWS["interactions"]]},
        parameters={"half_life": "60"},
    )
    text = SITE.open(
        shelf.reader(),
        f"datasets/user_item_interactions/diffs/2020-09-22.{old.version}...2020-09-23.{new.version}.html",
    )
    for words in ("+100", "interactions.score", "half_life", "30", "60"):
        assert words in text


def test_one_file_has_all_of_a_version(shelf: Shelf) -> None:
    made = shelf.publish("2020-09-23", ROWS)
    text = Site(whole=True).open(
        shelf.reader(), f"datasets/user_item_interactions/versions/2020-09-23.{made.version}.html"
    )
    assert [target for target in LINK.findall(text) if not target.startswith(("data:", "#"))] in (
        [],
        ["index.html"],
        ["../../../index.html"],
    )
    assert "<style>" in text


def test_the_current_version_is_marked_and_a_replaced_one_too(shelf: Shelf) -> None:
    first = shelf.publish("2020-09-23", ROWS)
    second = shelf.publish("2020-09-23", {"interactions": ROWS["interactions"][:10]})
    history = History(shelf.versions)
    assert {s.version: s.is_current for s in history.all} == {first.version: False, second.version: True}
    assert history.newest is not None
    assert history.newest.version == second.version
    assert "replaced" in SITE.open(shelf.reader(), "datasets/user_item_interactions/index.html")


def test_a_store_on_s3(s3_store: str, tmp_path: Path) -> None:
    """A dataset that a run has published there, its statistics kept beside it."""
    import obstore
    from obstore.store import from_url

    local = Shelf(Settings(_env_file=None, store=str(tmp_path / "store")))
    local.publish("2020-09-23", ROWS)
    objects = from_url(s3_store, client_options={"allow_http": True})
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            obstore.put(objects, str(path.relative_to(tmp_path / "store")), path)
    reader = Reader(Settings(_env_file=None, store=s3_store), NOW)
    assert "2020-09-23" in SITE.open(reader, "index.html")
    assert "article_id" in SITE.open(reader, "datasets/user_item_interactions/index.html")
    keys = [item["path"] for batch in obstore.list(objects) for item in batch]
    assert [key for key in keys if key.endswith(("statistics.json", "summaries.json"))] != []


def test_what_another_user_planted_in_the_shared_temporary_folder_is_not_read(
    s3_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import obstore
    from obstore.store import from_url

    local = Shelf(Settings(_env_file=None, store=str(tmp_path / "store")))
    manifest = local.publish("2020-09-23", ROWS)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "shared"))
    objects = from_url(s3_store, client_options={"allow_http": True})
    for path in (tmp_path / "store").rglob("*"):
        if path.is_file():
            key = str(path.relative_to(tmp_path / "store"))
            obstore.put(objects, key, path)
            planted = tmp_path / "shared" / "shopmill-cache" / manifest.version / key
            planted.parent.mkdir(parents=True, exist_ok=True)
            planted.write_bytes(b"planted")
    reader = Reader(Settings(_env_file=None, store=s3_store), NOW)
    assert {name: table.rows for name, table in reader.statistics(manifest).items()} == {
        name: manifest.rows(name) for name in manifest.tables
    }
    table = manifest.tables[0]
    assert [Path(path).read_bytes() != b"planted" for path in reader.files(manifest, table)] == [True]
