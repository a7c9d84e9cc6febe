"""What the steps leave for each other comes back as it was, and says what must not be deleted while the run lives."""

from datetime import date
from pathlib import Path

import pytest

from shopmill.run.checks import Result
from shopmill.run.published import Published
from shopmill.run.staging import Counts, Extent, StagedFile, Staging, staged_runs
from shopmill.source.snapshot import RawFile, Snapshot
from shopmill.versions.accounts import Account
from shopmill.versions.manifest import File, Pin
from shopmill.versions.store import Store

SALES = Snapshot("transactions", "2020-09-23", "2020-09-23", (RawFile("2020-09-22", "raw/t/1", 3, 10, "a"),), "raw/t/s")
ARTICLES = Snapshot("articles", "2020-09-23", "2020-09-23", (RawFile("", "raw/a/1", 1, 10, "b"),), "raw/a/s")
PREVIOUS, MADE_OF = Pin("2020-09-22", "aaa"), Pin("2020-09-20", "bbb")


@pytest.fixture
def staging(tmp_path: Path) -> Staging:
    return Staging(Store(str(tmp_path)), "d", "scheduled__2020-09-23T00:00:00+00:00")


def test_each_document_comes_back_as_it_was(staging: Staging) -> None:
    staging.write_inputs("one", {"transactions": SALES})
    staging.write_inputs("other", {"articles": ARTICLES})
    assert staging.inputs(("one", "other")) == {"transactions": SALES, "articles": ARTICLES}
    staging.pin_upstream({"u": MADE_OF})
    assert staging.upstream() == {"u": MADE_OF}
    for pin in (PREVIOUS, None):
        staging.pin_previous(pin)
        assert staging.previous() == pin
    for extent in (Extent(), Extent(date(2020, 9, 20), date(2020, 9, 18))):
        staging.write_extent(extent)
        assert staging.extent() == extent
    files = [StagedFile(File("t/1.parquet", 1, 2, "c"), staging.key("t/1.parquet"))]
    files += [StagedFile(File("t/2.parquet", 1, 2, "c"), "d/as_of=2020-09-22/version=aaa/t/2.parquet")]
    staging.store.write(files[0].key, b"12")
    staging.write_files("t", files)
    assert staging.files("t") == files
    assert [staging.has(file.key) for file in files] == [True, False]
    results = [Result("rule", "t", "warn", "what it means", 2, "two", ("a", "b"))]
    staging.write_checks(results)
    assert staging.checks() == results
    counts = Counts((Account("events", 3, 1, {"late": 1}, {"a reason": 1}),), {"asset": 2}, {"late_events": 3})
    staging.write_counts(counts)
    assert staging.counts() == counts
    published = Published("d", "2020-09-23", "ccc", 1, 2, 3, "published", "/store", {"asset": 2}, ("rule",))
    staging.write_published(published)
    assert staging.published() == published


def test_what_no_step_has_left_is_missing(staging: Staging) -> None:
    with pytest.raises(FileNotFoundError):
        staging.previous()


def test_a_run_refers_to_its_versions_and_to_what_it_reads(staging: Staging) -> None:
    staging.write_inputs("one", {"transactions": SALES})
    staging.write_inputs("other", {"articles": ARTICLES})
    staging.pin_upstream({"u": MADE_OF})
    staging.pin_previous(PREVIOUS)
    Staging(staging.store, "other", "just-begun").write_inputs("extract", {})
    of_other, of_run = sorted(staged_runs(staging.store), key=lambda run: len(run.entries))
    assert sorted(of_run.pinned_versions()) == [("d", PREVIOUS), ("u", MADE_OF)]
    assert set(of_run.pinned_keys()) == {"raw/t/1", "raw/t/s", "raw/a/1", "raw/a/s"}
    assert {entry.key for entry in of_run.entries} == set(staging.store.keys(staging.folder))
    assert (list(of_other.pinned_versions()), list(of_other.pinned_keys())) == ([], [])


def test_it_is_cleared_and_that_of_another_run_stays(staging: Staging) -> None:
    other = Staging(staging.store, "d", "another")
    for one in (staging, other):
        one.write_counts(Counts())
    staging.clear()
    assert staging.store.keys("staging") == [other.key("counts.json")]
