"""`shopmill export`: who may be exported to, into which folders, and what is written there."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.declaration import Parameter
from shopmill.errors import InvalidInputError, StoreError
from shopmill.exports import export as exporting
from shopmill.exports import source
from shopmill.exports.export import NOTE, consumer, export, names
from shopmill.exports.source import columns_of
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.load import Version

INTERACTIONS = "user_item_interactions"


def line(day: str, customer: str, article: str, price: int = 1) -> dict[str, Any]:
    return {"t_dat": f"2020-09-{day}", "customer_id": customer, "article_id": article, "price": price}


@pytest.fixture
def published(settings: Settings, shop_dsn: str) -> Settings:
    """Interactions of three customers, at two as_ofs."""
    lines = [line("20", "c1", "0001"), line("20", "c1", "0001"), line("21", "c2", "0001"), line("21", "c1", "a/2")]
    fill_shop(shop_dsn, {"transactions": lines})
    for as_of in ("2020-09-21", "2020-09-22"):
        steps.run_all(Run.create(datasets.load(INTERACTIONS), as_of, settings, LENIENT))
    return settings


def test_every_consumer_says_what_it_loads() -> None:
    assert set(names()) >= {"implicit", "nixtla", "feast", "huggingface", "iceberg", "pymc-marketing"}
    for name in names():
        assert (consumer(name).name, bool(consumer(name).loads), bool(consumer(name).writes)) == (name, True, True)


def test_no_library_of_a_consumer_is_imported_to_know_of_it() -> None:
    code = (
        "import sys; from shopmill.exports.export import consumer, names; [consumer(name) for name in names()]; "
        "print([m for m in ('implicit', 'feast', 'mlflow', 'pyiceberg', 'lancedb', 'pandas', 'numpy') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert found.stdout.strip() == "[]"


def test_an_export_says_what_it_is_and_can_be_repeated(published: Settings, tmp_path: Path) -> None:
    for _ in range(2):
        done = export(INTERACTIONS, "huggingface", tmp_path / "out", settings=published)
    note = json.loads((tmp_path / "out" / NOTE).read_bytes())
    assert (note["consumer"], note["dataset"], note["version"]) == ("huggingface", INTERACTIONS, done.version)
    assert done.rows == {"data/article_index": 2, "data/customer_index": 2, "data/interactions": 3, "data/log": 4}
    assert not list(tmp_path.glob(".out*"))


def test_every_export_of_signals_can_be_repeated_from_a_folder_and_from_s3(
    published: Settings, s3_store: str, tmp_path: Path
) -> None:
    on_s3 = published.model_copy(update={"store": s3_store})
    steps.run_all(Run.create(datasets.load(INTERACTIONS), "2020-09-21", on_s3, LENIENT))
    for to in ("gorse", "huggingface", "implicit", "mlflow", "recbole", "rectools"):
        done = [
            export(INTERACTIONS, to, tmp_path / folder / to, "2020-09-21", settings=settings)
            for folder, settings in (("local", published), ("local", published), ("s3", on_s3), ("s3", on_s3))
        ]
        assert len({str(one.rows) for one in done}) == 1
        written = [sorted(file.name for file in (tmp_path / folder / to).rglob("*")) for folder in ("local", "s3")]
        assert written[0] == written[1]


def test_repeating_an_export_deletes_nothing_of_others(published: Settings, tmp_path: Path) -> None:
    """Feast keeps its registry beside the definitions, and people put what they like into folders."""
    out = tmp_path / "out"
    export(INTERACTIONS, "huggingface", out, settings=published)
    (out / "registry.db").write_text("theirs")
    export(INTERACTIONS, "mlflow", out / "inner", settings=published)
    (out / "README.md").unlink()
    export(INTERACTIONS, "huggingface", out, settings=published)
    assert {path.name for path in out.iterdir()} == {"README.md", "data", "inner", "registry.db", NOTE}
    assert (out / "inner" / NOTE).exists()


def test_an_export_into_an_empty_folder_leaves_the_folder_what_it_is(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be a disk of its own, a link, or where one is."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    inode = (tmp_path / "real").stat().st_ino
    for _ in range(2):
        export(INTERACTIONS, "mlflow", tmp_path / "link", settings=published)
    assert (tmp_path / "link").is_symlink()
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    export(INTERACTIONS, "mlflow", ".", settings=published)
    for folder in ("real", "here"):
        assert {path.name for path in (tmp_path / folder).iterdir()} == {"source.json", NOTE}
    assert (tmp_path / "real").stat().st_ino == inode


def test_a_folder_that_cannot_be_made_is_named(published: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for folder in (tmp_path / "file" / "out", Path("/proc/no/out")):
        with pytest.raises(InvalidInputError, match=rf"{folder} cannot be written: "):
            export(INTERACTIONS, "mlflow", folder, settings=published)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((INTERACTIONS, "implict"), "no consumer 'implict'. There are: .* Did you mean 'implicit'?"),
        ((INTERACTIONS, "Hugging_Face"), "Did you mean 'huggingface'?"),
        ((INTERACTIONS, "zzz"), "There are: "),
        ((INTERACTIONS, "feast"), "cannot be exported to feast, which takes customer_features"),
        ((INTERACTIONS, "lancedb"), "cannot be exported to lancedb, which takes articles_embeddings, reviews_nlp"),
        (("interactions", "implicit"), "no dataset 'interactions'"),
    ],
)
def test_who_is_not_known_is_refused(settings: Settings, tmp_path: Path, arguments: Any, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        export(*arguments, tmp_path / "out", settings=settings)
    assert not (tmp_path / "out").exists()


def test_folders_that_hold_anything_else_are_refused(published: Settings, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(INTERACTIONS, "huggingface", out, "2020-09-21", settings=published)
    refused = {
        "holds the export of user_item_interactions as of 2020-09-21": lambda: export(
            INTERACTIONS, "huggingface", out, settings=published
        ),
        "to huggingface: choose another": lambda: export(
            INTERACTIONS, "recbole", out, "2020-09-21", settings=published
        ),
        "holds other files": lambda: export(INTERACTIONS, "recbole", tmp_path, settings=published),
        "is a file": lambda: export(INTERACTIONS, "recbole", out / NOTE, settings=published),
    }
    for number, note in enumerate(("[]", "{}", "1", '{"consumer": "recbole"}', "\0")):
        folder = tmp_path / f"noted{number}"
        folder.mkdir()
        (folder / NOTE).write_text(note)
        with pytest.raises(InvalidInputError, match="holds other files"):
            export(INTERACTIONS, "recbole", folder, settings=published)
    before = sorted(out.rglob("*"))
    for message, action in refused.items():
        with pytest.raises(InvalidInputError, match=message):
            action()
    assert sorted(out.rglob("*")) == before


def test_an_export_with_other_options_is_another(published: Settings, tmp_path: Path) -> None:
    export(INTERACTIONS, "recbole", tmp_path / "out", options={"test_days": 1}, settings=published)
    with pytest.raises(InvalidInputError, match="to recbole with test_days=1: choose another folder"):
        export(INTERACTIONS, "recbole", tmp_path / "out", settings=published)


def test_the_note_of_an_export_holds_no_password(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_address = replace(consumer("mlflow"), options=(Parameter("address", "text", "", "where it goes"),))
    monkeypatch.setattr(exporting, "consumer", lambda _: with_address)
    options = {"address": "postgresql://u:secret@host/d"}
    done = export(INTERACTIONS, "mlflow", tmp_path / "out", options=options, settings=published)
    assert done.options == {"address": "postgresql://u:***@host/d"}
    assert "secret" not in (tmp_path / "out" / NOTE).read_text()


def test_options_are_checked(published: Settings, tmp_path: Path) -> None:
    for options, message in (
        ({"wait": "x"}, "no option 'wait'; it has weight. Did you mean 'weight'?"),
        ({"": "x"}, "no option ''; it has weight"),
        ({"weight": "x"}, "weight='x' is not one of time_weighted_score,"),
    ):
        with pytest.raises(InvalidInputError, match=message):
            export(INTERACTIONS, "implicit", tmp_path / "out", options=options, settings=published)
    assert list(tmp_path.glob("*out*")) == []


def test_an_export_that_fails_leaves_nothing(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Mapping[str, int]:
        raise KeyboardInterrupt

    chosen = consumer("recbole")
    broken = type(chosen)(**{**vars(chosen), "writes": {INTERACTIONS: fail}})
    monkeypatch.setattr(exporting, "consumer", lambda _: broken)
    with pytest.raises(KeyboardInterrupt):
        export(INTERACTIONS, "recbole", tmp_path / "out", settings=published)
    assert list(tmp_path.glob("*out*")) == []


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "s3://bucket/exports",
            "s3://bucket/exports is an address, and what is written here is for a folder of this machine",
        ),
        (Path("gs://bucket/exports"), "gs:/bucket/exports is an address"),
        ("a" * 300, r"'a{80}' cannot be a path: File name too long"),
        ("a\0b", r"cannot be a path: .*null"),
    ],
)
def test_what_is_no_folder_of_this_machine_is_refused(
    published: Settings, output: str | Path, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder `s3:` here would hold it, and nobody would look for it there."""
    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    with pytest.raises(InvalidInputError, match=words):
        export(INTERACTIONS, "mlflow", output, settings=published)
    assert set(tmp_path.iterdir()) == before


OF_A_FULL_DISK = {
    "DuckDB": lambda draft: duckdb.IOException(f'Could not write "{draft}/x.parquet": No space left {{"errno":"28"}}'),
    "a copy": lambda draft: OSError(28, "No space left on device", "/store/x.parquet", None, f"{draft}/x.parquet"),
    "a file": lambda _: OSError(28, "No space left on device"),
}


@pytest.mark.parametrize("who", OF_A_FULL_DISK)
def test_a_full_disk_is_said_of_the_folder_and_leaves_nothing(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    def fail(_: object, draft: Path) -> Mapping[str, int]:
        raise OF_A_FULL_DISK[who](draft)

    chosen = consumer("recbole")
    monkeypatch.setattr(exporting, "consumer", lambda _: replace(chosen, writes={INTERACTIONS: fail}))
    with pytest.raises(StoreError, match=r"/out cannot be written: .*No space left.*Free some space, then run again"):
        export(INTERACTIONS, "recbole", tmp_path / "out", settings=published)
    assert list(tmp_path.glob("*out*")) == []


KILLED = """
import os, sys
from pathlib import Path
from shopmill.exports import export as exporting
from shopmill.exports.consumer import ANY, Consumer
from shopmill.settings import Settings

def die(source, folder):
    (folder / "half").write_text("half")
    os.kill(os.getpid(), 9)

chosen = Consumer("mlflow", "", {ANY: die}, accumulates=sys.argv[4] == "accumulates")
exporting.consumer = lambda _: chosen
exporting.export(sys.argv[1], "mlflow", Path(sys.argv[2]), settings=Settings(_env_file=None, store=sys.argv[3]))
"""


def kill_an_export(out: Path, settings: Settings, how: str = "") -> None:
    command = [sys.executable, "-c", KILLED, INTERACTIONS, str(out), settings.store, how]
    assert subprocess.run(command, check=False, timeout=120).returncode == -9


@pytest.mark.parametrize("is_there", [True, False])
def test_a_killed_export_can_be_repeated_and_leaves_nothing(
    published: Settings, tmp_path: Path, is_there: bool
) -> None:
    out = tmp_path / "my exports" / "a [name] of ours #1"
    out.mkdir(parents=True) if is_there else out.parent.mkdir()
    kill_an_export(out, published)
    assert list(out.parent.rglob("half"))
    export(INTERACTIONS, "mlflow", out, settings=published)
    assert sorted(path.name for path in out.parent.rglob("*")) == [out.name, NOTE, "source.json"]


def test_a_killed_export_of_many_versions_can_be_repeated(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_an_export(tmp_path / "out", published, "accumulates")
    monkeypatch.setattr(exporting, "consumer", lambda name, known=consumer: replace(known(name), accumulates=True))
    done = export(INTERACTIONS, "mlflow", tmp_path / "out", settings=published)
    assert json.loads((tmp_path / "out" / NOTE).read_bytes())["rows"] == done.rows


def test_two_exports_do_not_write_into_a_folder_at_once(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: object) -> Mapping[str, int]:
        monkeypatch.undo()
        for _ in range(2):
            with pytest.raises(InvalidInputError, match=r"Another export is writing into .*out: wait for its end"):
                export(INTERACTIONS, "recbole", tmp_path / "out", settings=published)
            (tmp_path / "out").mkdir(exist_ok=True)
        export(INTERACTIONS, "recbole", tmp_path / "another", settings=published)
        return {}

    broken = replace(consumer("mlflow"), writes={INTERACTIONS: write})
    monkeypatch.setattr(exporting, "consumer", lambda _: broken)
    export(INTERACTIONS, "mlflow", tmp_path / "out", settings=published)


def test_the_matrix_has_the_indexes_of_the_version(published: Settings, tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    export(INTERACTIONS, "implicit", tmp_path / "out", options={"weight": "purchase_count"}, settings=published)
    assert sparse.load_npz(tmp_path / "out" / "matrix.npz").toarray().tolist() == [[2, 1], [1, 0]]
    customers = pq.read_table(tmp_path / "out" / "customers.parquet").to_pylist()
    assert customers == [{"customer_index": 0, "customer_id": "c1"}, {"customer_index": 1, "customer_id": "c2"}]


def test_an_id_that_gorse_cannot_address_is_refused(published: Settings, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="article_id 'a/2' has a '/'"):
        export(INTERACTIONS, "gorse", tmp_path / "out", settings=published)


@pytest.mark.parametrize("odd", ["a\tb", "a\nb", '"q" b', "NULL", "nan", "NA"])
def test_an_id_that_recbole_would_read_as_another_is_refused(
    settings: Settings, shop_dsn: str, tmp_path: Path, odd: str
) -> None:
    """Two ids would become one, or the rows of one be left out, without a word."""
    fill_shop(shop_dsn, {"transactions": [line("20", "c1", odd), line("20", "c1", 'a 6" b')]})
    steps.run_all(Run.create(datasets.load(INTERACTIONS), "2020-09-22", settings, LENIENT))
    with pytest.raises(InvalidInputError, match=r"article_id .* would be read as another id or as none by RecBole"):
        export(INTERACTIONS, "recbole", tmp_path / "out", settings=settings)


@pytest.mark.parametrize(("table", "key"), [("articles", "article_id"), ("customers", "customer_id")])
def test_ids_without_an_interaction_are_looked_at_too(
    settings: Settings, shop_dsn: str, tmp_path: Path, table: str, key: str
) -> None:
    """They are in the files of items and users, where a quote takes in the rows up to the next one."""
    shop = {
        "transactions": [line("20", "c1", "a1")],
        "articles": [{"article_id": "a1"}],
        "customers": [{"customer_id": "c1"}],
    }
    fill_shop(shop_dsn, {**shop, table: [*shop[table], {key: '"12-INCH'}]})
    for dataset in (INTERACTIONS, "articles_content", "customer_features"):
        steps.run_all(Run.create(datasets.load(dataset), "2020-09-22", settings, LENIENT))
    with pytest.raises(InvalidInputError, match=f"{key} '\"12-INCH' would be read as another id"):
        export(INTERACTIONS, "recbole", tmp_path / "out", settings=settings)


def test_gorse_gets_moments_a_day_is_the_one_at_which_it_began_in_the_shop(
    settings: Settings, shop_dsn: str, tmp_path: Path
) -> None:
    view = {"event_id": "e1", "session_id": "s1", "customer_id": "c1", "event_type": "view", "article_id": "0001"}
    late = view | {"event_datetime": "2020-09-20 23:30:00-04"}
    fill_shop(shop_dsn, {"transactions": [line("20", "c1", "0001")], "events": [late]})
    in_new_york = settings.model_copy(update={"time_zone": "America/New_York"})
    steps.run_all(Run.create(datasets.load(INTERACTIONS), "2020-09-21", in_new_york, LENIENT))
    export(INTERACTIONS, "gorse", tmp_path / "out", settings=in_new_york)
    found = [json.loads(text) for text in (tmp_path / "out" / "feedback.jsonl").read_text().splitlines()]
    assert {one["FeedbackType"]: one["Timestamp"] for one in found} == {
        "purchase": "2020-09-20T04:00:00Z",
        "view": "2020-09-21T03:30:00Z",
    }


def test_atomic_files_have_typed_headers(published: Settings, tmp_path: Path) -> None:
    export(INTERACTIONS, "recbole", tmp_path / "out", settings=published)
    header, *rows = (tmp_path / "out" / "shop.inter").read_text().splitlines()
    assert header == "user_id:token\titem_id:token\trating:float\ttimestamp:float"
    assert sorted(row.split("\t")[:2] for row in rows)[0] == ["c1", "0001"]
    days = {datetime.fromtimestamp(int(row.split("\t")[3])).day for row in rows}  # noqa: DTZ006
    assert days <= {20, 21}


def test_relbench_gets_numbered_tables_and_its_two_tasks(settings: Settings, shop_dsn: str, tmp_path: Path) -> None:
    days = [f"2020-{8 + (i + 15) // 31:02d}-{(i + 15) % 31 + 1:02d}" for i in range(36)]
    fill_shop(
        shop_dsn, {"transactions": [line("01", f"c{i % 3}", "0001") | {"t_dat": day} for i, day in enumerate(days)]}
    )
    steps.run_all(Run.create(datasets.load(INTERACTIONS), "2020-09-21", settings, LENIENT))
    done = export(INTERACTIONS, "relbench", tmp_path / "out", settings=settings)
    assert done.rows == {"db/customer.parquet": 3, "db/article.parquet": 1, "db/log.parquet": 36}
    told = json.loads((tmp_path / "out/manifest.yaml").read_bytes())
    assert (told["val_timestamp"], told["test_timestamp"]) == ("2020-09-06", "2020-09-13")
    log = pq.read_table(tmp_path / "out/db/log.parquet")
    assert log.column_names == ["customer_id", "article_id", "day", "signal", "quantity", "value"]
    assert set(log["customer_id"].to_pylist()) == {0, 1, 2}
    tasks = {
        path.name: json.loads((path / "manifest.yaml").read_bytes()) for path in (tmp_path / "out/tasks").iterdir()
    }
    assert {name: task["entity_col"] for name, task in tasks.items()} == {
        "user-churn": "customer_id",
        "item-sales": "article_id",
    }


def test_relbench_needs_weeks_of_signals(published: Settings, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"need 36 days of signals; .* as of 2020-09-22 has 2: export a later"):
        export(INTERACTIONS, "relbench", tmp_path / "out", settings=published)


def test_folds_end_at_as_of(published: Settings, tmp_path: Path) -> None:
    export(INTERACTIONS, "rectools", tmp_path / "out", options={"folds": 2}, settings=published)
    folds = pq.read_table(tmp_path / "out" / "folds.parquet").to_pylist()
    assert [(str(f["start"].date()), str(f["end"].date())) for f in folds] == [
        ("2020-09-08", "2020-09-15"),
        ("2020-09-15", "2020-09-22"),
    ]


def test_a_version_older_than_a_table_is_refused(published: Settings) -> None:
    with source.open_source(Version(INTERACTIONS, None, published), published, {}) as opened:
        with pytest.raises(InvalidInputError, match=r"has no table 'novel': it is older.*shopmill run user_item_inter"):
            opened.need("novel")
        with pytest.raises(InvalidInputError, match="has no column 'novel' in interactions"):
            opened.need("interactions", "novel")


def without(monkeypatch: pytest.MonkeyPatch, *columns: str) -> None:
    """Versions are now older than these columns."""
    monkeypatch.setattr(source, "columns_of", lambda manifest, table: columns_of(manifest, table) - {*columns})


@pytest.mark.parametrize(
    ("to", "table", "column"),
    [
        ("implicit", "interactions", "time_weighted_score"),
        ("rectools", "log", "happened_at"),
        ("recbole", "log", "happened_at"),
        ("gorse", "log", "signal"),
        ("relbench", "log", "value"),
    ],
)
def test_an_export_of_a_version_older_than_a_column_is_refused(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str, table: str, column: str
) -> None:
    without(monkeypatch, column)
    message = rf"has no column '{column}' in {table}: it is older than that\. Publish it again: `shopmill run user_item"
    with pytest.raises(InvalidInputError, match=message):
        export(INTERACTIONS, to, tmp_path / "out", "2020-09-21", settings=published)
    assert list(tmp_path.glob("*out*")) == []


def test_an_export_sees_only_the_columns_that_it_named(published: Settings) -> None:
    with source.open_source(Version(INTERACTIONS, None, published), published, {}) as opened:
        opened.need("interactions", "customer_id")
        assert opened.rows("select * from interactions limit 1") == [{"customer_id": "c1"}]


def test_another_dataset_gives_the_columns_that_it_has(
    published: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def labels(folder: str) -> list[int]:
        export(INTERACTIONS, "gorse", tmp_path / folder, "2020-09-21", settings=published)
        users = (tmp_path / folder / "users.jsonl").read_text().splitlines()
        return [len(json.loads(user)["Labels"]) for user in users]

    assert labels("without a version") == [0]
    steps.run_all(Run.create(datasets.load("customer_features"), "2020-09-21", published, LENIENT))
    assert labels("with one") == [1]
    without(monkeypatch, "rfm_segment")
    assert labels("with one that is older") == [0]
