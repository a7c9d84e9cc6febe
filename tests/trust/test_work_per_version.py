"""What a command reads and writes for one version more: it is counted, for seconds say little on a machine that has other work."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Never
from unittest.mock import patch

import pytest
from made import DATASET, publish
from pydantic import SecretStr

from shopmill import datasets
from shopmill.registry import Registry
from shopmill.settings import Settings
from shopmill.trust.erasure.erase import Erasure
from shopmill.trust.erasure.holdings import Holdings
from shopmill.trust.erasure.person import Person
from shopmill.trust.erasure.raw import Snapshots
from shopmill.trust.erasure.versions import Succession
from shopmill.trust.repair import Repair
from shopmill.trust.verify import Verification
from shopmill.versions.indented import indented
from shopmill.versions.layout import manifest_in
from shopmill.versions.manifest import Manifest
from shopmill.versions.proof import Hashing, faults_among
from shopmill.versions.store import Entry, Store
from shopmill.versions.versions import StoredFile, Versions

CUSTOMER = "person-1"
SOFTWARE = {"shopmill": "1"}
Work = Counter[str]


@pytest.fixture
def settings(tmp_path: Path, registry_dsn: str) -> Settings:
    return Settings(
        _env_file=None,
        store=str(tmp_path / "store"),
        registry_dsn=SecretStr(registry_dsn),
        pseudonym_key=SecretStr("only the shop knows"),
    )


def fill(settings: Settings, days: range) -> None:
    rows = {"interactions": [{"customer_id": CUSTOMER}, {"customer_id": "other"}]}
    checks = [{"name": f"check {number}", "passed": True, "severity": "block"} for number in range(5)]
    versions = Versions(Store(settings.store), DATASET, settings.zone)
    for day in days:
        made = publish(settings, f"2020-09-{day:02}", rows, {"interactions": ["customer_id"]}, software=SOFTWARE)
        key = manifest_in(versions.folder(made))
        versions.store.write(
            key, Manifest(DATASET, made.as_of, made.content, {**made.beside, "checks": checks}).to_json()
        )


@contextmanager
def counted() -> Iterator[Work]:
    """How many documents are read, manifests read in full, and values written as JSON."""
    work: Work = Counter()
    document, from_bytes = Store.document, Manifest.from_bytes

    def counting(name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object) -> object:
            work[name] += 1
            return real(*given)

        return call

    with (
        patch.object(Store, "document", counting("documents", document)),
        patch.object(Manifest, "from_bytes", counting("manifests in full", from_bytes)),
        patch.object(Manifest, "to_json", counting("manifests written in full", Manifest.to_json)),
        patch("shopmill.versions.store.indented", counting("values written", indented)),
        patch.object(Store, "sha256", counting("files hashed", Store.sha256)),
    ):
        yield work


def look(settings: Settings, **options: bool) -> Verification:
    return Verification(Store(settings.store), datasets.load(DATASET), settings.zone, **options)


def verify(settings: Settings) -> None:
    assert list(look(settings).of(everything=True)) == []


def repair(settings: Settings) -> None:
    list(look(settings).of(everything=True))
    with counted() as work:
        list(Repair(look(settings, trusting=True)).run())
    assert (work["manifests in full"], work["files hashed"]) == (0, 0)


def preview(settings: Settings) -> None:
    assert Erasure(settings).preview(CUSTOMER).versions


COMMANDS: dict[Callable[[Settings], None], Work] = {
    # the manifest, the statistics, and the pointer of the as_of
    verify: Counter({"documents": 3, "files hashed": 1}),
    preview: Counter({"documents": 1}),
}
"""The work that a version more may be to a command."""


@pytest.mark.parametrize(("command", "allowed"), COMMANDS.items(), ids=lambda one: getattr(one, "__name__", ""))
def test_a_version_more_is_so_much_work(settings: Settings, command: Callable[[Settings], None], allowed: Work) -> None:
    found: list[Work] = []
    Registry(settings.registry_dsn.get_secret_value()).migrate()
    for days in (range(1, 5), range(5, 13)):
        fill(settings, days)
        with counted() as work:
            command(settings)
        found.append(work)
    more, versions = found[1] - found[0], 8
    assert {name: count / versions for name, count in more.items()} == dict(allowed)


def test_a_look_at_few_files_among_many_asks_for_these_alone(settings: Settings) -> None:
    """Raw files are asked for once for each version that was read from them: asking for all each time is a year squared."""

    class Listed(dict[str, Entry]):
        def items(self) -> Never:
            pytest.fail("all of them are looked at")

    there = Listed({f"raw/{number}": Entry(f"raw/{number}", 1, 0.0) for number in range(10)})
    wrong = faults_among(Store(settings.store), [StoredFile("raw/3", 2, "")], there, Hashing())
    assert wrong == {"raw/3": "has 1 bytes instead of 2"}


def test_a_repair_of_what_looks_the_same_reads_no_manifest(settings: Settings) -> None:
    fill(settings, range(1, 5))
    repair(settings)


def test_an_erasure_reads_and_writes_no_manifest_in_full(settings: Settings) -> None:
    """Of each version it writes what differs, and the pointer; what is the same in all is written once."""
    fill(settings, range(1, 10))
    with counted() as work:
        receipt = Erasure(settings).run(CUSTOMER)
    assert len(receipt.rewritten) == 9
    assert (work["manifests in full"], work["manifests written in full"]) == (1, 0), "the one that an index may serve"
    assert list(look(settings).of(everything=True)) == []
    for key in Store(settings.store).keys(DATASET):
        if key.endswith("manifest.json"):
            data = Store(settings.store).read(key)
            assert Manifest.from_bytes(data).to_json() == data


def test_a_row_of_previous_versions_may_be_as_long_as_a_year(settings: Settings, tmp_path: Path) -> None:
    """A dataset whose name comes first was made of the newest of them."""
    store, made = Store(settings.store), None
    content = {"main_table": "t", "tables": {"t": {"files": []}}, "inputs": {}, "rejected": {}}
    with patch("os.fsync"):
        for hours in range(sys.getrecursionlimit()):
            as_of = f"{datetime(2020, 9, 1, tzinfo=UTC) + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
            made = keep(settings, Manifest("zz", as_of, content, {"previous": vars(made.pin) if made else None}))
        assert made
        inputs = {"zz": {"rows": 0, **vars(made.pin)}}
        keep(settings, Manifest("aa", made.as_of, {**content, "inputs": inputs}, {"previous": None}))
    nobody = Person({"customer": frozenset({CUSTOMER})})
    assert Succession(Holdings(store, settings.zone, tmp_path), [], nobody, Snapshots(store, {})).make() == ()


def keep(settings: Settings, made: Manifest) -> Manifest:
    versions = Versions(Store(settings.store), made.dataset, settings.zone)
    versions.store.write(manifest_in(versions.folder(made)), made.to_json())
    return made
