"""Damaged files are found where something rests on them: by load, by the run that says unchanged, and by the next run."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from golden import LENIENT, fill_shop
from typer.testing import CliRunner

import shopmill
from copies import Copies
from shopmill import datasets
from shopmill.cli import app as cli
from shopmill.errors import DamagedError, InvalidInputError
from shopmill.run import steps
from shopmill.run.published import Published
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.store import Store, sha256_of

DATASET, FIRST, SECOND = "user_item_interactions", "2020-09-22", "2020-09-23"
SALES = [{"t_dat": f"2020-09-{day}", "customer_id": f"c{day}", "article_id": "1", "price": 1} for day in (20, 21, 22)]


@pytest.fixture
def made(few_sales: Copies, tmp_path: Path) -> Callable[..., Settings]:
    """A store in which runs were made: those of the first as_of, by default."""

    def make(*names: str, as_ofs: tuple[str, ...] = (FIRST,)) -> Settings:
        return few_sales.of(tmp_path / "store", *((name, as_of) for name in names for as_of in as_ofs))

    return make


@pytest.fixture
def shop(made: Callable[..., Settings]) -> Settings:
    return made(DATASET)


def publish(settings: Settings, as_of: str, dataset: str = DATASET) -> Published:
    return steps.run_all(Run.create(datasets.load(dataset), as_of, settings, LENIENT))


def missing(path: Path) -> None:
    path.unlink()


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def bit_flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [missing, cut_off])
def test_load_and_show_name_a_file_of_the_wrong_size(shop: Settings, damage: object) -> None:
    [file] = shopmill.load(DATASET, store=shop.store).files()
    damage(file)  # type: ignore[operator]
    for read in ("to_arrow", "to_pandas", "to_dataset", "scan"):
        with pytest.raises(DamagedError, match=rf"interactions.*parquet.*shopmill run {DATASET} --as-of {FIRST}"):
            getattr(shopmill.load(DATASET, store=shop.store), read)()
    shown = CliRunner().invoke(cli.app, ["--store", shop.store, "show", DATASET])
    assert isinstance(shown.exception, DamagedError)


def test_load_finds_other_bytes_when_asked_to(shop: Settings) -> None:
    opened = shopmill.load(DATASET, store=shop.store, verify=True)
    assert opened.to_arrow().num_rows == 2
    bit_flipped(opened.files()[0])
    shopmill.load(DATASET, store=shop.store).files()
    with pytest.raises(DamagedError, match="other bytes"):
        shopmill.load(DATASET, store=shop.store, verify=True).files()


@pytest.mark.parametrize("damage", [missing, cut_off, bit_flipped])
def test_a_rerun_replaces_a_damaged_file_before_it_says_unchanged(shop: Settings, damage: object) -> None:
    first = shopmill.load(DATASET, store=shop.store)
    [file] = shopmill.load(DATASET, store=shop.store).files()
    sha256 = sha256_of(file)
    damage(file)  # type: ignore[operator]
    assert publish(shop, FIRST).version == first.version
    assert sha256_of(file) == sha256
    assert shopmill.load(DATASET, store=shop.store, verify=True).to_arrow().num_rows == 2


@pytest.mark.parametrize("damage", [missing, cut_off, bit_flipped])
def test_the_next_run_takes_nothing_over_that_is_damaged(
    made: Callable[..., Settings], tmp_path: Path, damage: object
) -> None:
    shop = made("timeseries")
    clean = shop.model_copy(update={"store": str(tmp_path / "clean")})
    shutil.copytree(shop.store, clean.store)
    wanted = publish(clean, SECOND, "timeseries").version
    for file in shopmill.load("timeseries", store=shop.store).files():
        damage(file)  # type: ignore[operator]
    assert publish(shop, SECOND, "timeseries").version == wanted
    assert shopmill.load("timeseries", store=shop.store, verify=True).files()


def test_what_cannot_be_computed_without_the_damaged_file_is_refused(made: Callable[..., Settings]) -> None:
    shop = made("articles_content")
    [file] = shopmill.load("articles_content", store=shop.store).files()
    bit_flipped(file)
    with pytest.raises(DamagedError, match=rf"other bytes.*shopmill run articles_content --as-of {FIRST}"):
        publish(shop, SECOND, "articles_content")
    publish(shop, FIRST, "articles_content")
    assert publish(shop, SECOND, "articles_content").status == "published"


def test_what_a_check_compares_with_is_needed_too(made: Callable[..., Settings]) -> None:
    """customer_features is computed whole, and its checks count who was lost since the previous version."""
    shop = made("customer_features")
    for file in shopmill.load("customer_features", store=shop.store).files():
        bit_flipped(file)
    with pytest.raises(DamagedError, match=rf"`shopmill run customer_features --as-of {FIRST}` first"):
        publish(shop, SECOND, "customer_features")
    publish(shop, FIRST, "customer_features")
    assert publish(shop, SECOND, "customer_features").status == "published"


@pytest.mark.parametrize("damage", [missing, cut_off])
def test_a_damaged_raw_file_is_read_from_the_shop_again(shop: Settings, damage: object) -> None:
    version = shopmill.load(DATASET, store=shop.store).version
    store = Store(shop.store)
    for key in store.keys("raw/transactions"):
        if key.endswith(".parquet"):
            damage(Path(store.uri(key)))  # type: ignore[operator]
    assert publish(shop, FIRST).version == version


def unreadable(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-60] + b"\xff" * 52 + data[-8:])


def raw_files(settings: Settings, table: str) -> list[Path]:
    store = Store(settings.store)
    return [Path(store.uri(key)) for key in store.keys(f"raw/{table}") if key.endswith(".parquet")]


def test_a_raw_file_that_cannot_be_read_is_read_from_the_shop_again(settings: Settings, shop_dsn: str) -> None:
    """It has the right size: that it is damaged shows when keys are looked for in it."""
    orders = [
        {"order_id": f"o{day}", "customer_id": "c1", "order_datetime": f"2020-09-{day}T10:00Z"} for day in (10, 21, 22)
    ]
    fill_shop(shop_dsn, {"transactions": SALES, "articles": [{"article_id": "1"}], "orders": orders})
    publish(settings, FIRST)
    [old] = [path for path in raw_files(settings, "orders") if "day=2020-09-10" in str(path)]
    sha256 = sha256_of(old)
    unreadable(old)
    assert publish(settings, SECOND).status == "published"
    assert sha256_of(old) == sha256


def test_a_refresh_of_the_past_takes_nothing_from_a_damaged_file(made: Callable[..., Settings]) -> None:
    """Of articles the rows that were read nearest to a past as_of count, where they are whole."""
    shop = made(DATASET, as_ofs=(FIRST, SECOND))
    [articles] = raw_files(shop, "articles")
    sha256 = sha256_of(articles)
    bit_flipped(articles)
    steps.run_all(Run.create(datasets.load(DATASET), FIRST, shop, LENIENT, refresh=True))
    assert sha256_of(articles) == sha256


def test_a_raw_file_that_cannot_be_read_is_named_with_the_way_out(shop: Settings) -> None:
    [damaged, *_] = raw_files(shop, "transactions")
    unreadable(damaged)
    again = f"shopmill run customer_features --as-of {FIRST} --refresh"
    with pytest.raises(DamagedError, match=rf"{damaged.name} has other bytes than were written.*`{again}`"):
        publish(shop, FIRST, "customer_features")
    steps.run_all(Run.create(datasets.load("customer_features"), FIRST, shop, LENIENT, refresh=True))


@pytest.mark.parametrize(
    "path", ["../../secret.parquet", "/secret.parquet", "interactions/../../../x", "interactions//x"]
)
def test_a_manifest_cannot_name_files_elsewhere(shop: Settings, path: str) -> None:
    store = Store(shop.store)
    opened = shopmill.load(DATASET, store=shop.store)
    document = json.loads((Path(opened.path) / "manifest.json").read_text())
    document["content"]["tables"]["interactions"]["files"][0]["path"] = path
    _plant(store, opened, document)
    with pytest.raises((DamagedError, InvalidInputError), match=r"no version|damaged"):
        shopmill.load(DATASET, store=shop.store).files()


def _plant(store: Store, opened: object, document: dict[str, object]) -> None:
    """Publishes a manifest that was made to mislead: its id is right."""
    from shopmill.versions.manifest import Manifest

    manifest = Manifest.from_document(document)
    shutil.rmtree(Path(store.url) / DATASET)
    folder = f"{DATASET}/as_of={FIRST}"
    store.write(f"{folder}/version={manifest.version}/manifest.json", manifest.to_json())
    for pointer in (f"{DATASET}/current.json", f"{folder}/current.json"):
        store.write(pointer, json.dumps({"as_of": FIRST, "version": manifest.version}).encode())


@pytest.mark.parametrize("is_folder", [False, True])
def test_a_link_out_of_the_folder_is_refused(shop: Settings, tmp_path: Path, is_folder: bool) -> None:
    [file] = shopmill.load(DATASET, store=shop.store).files()
    linked, secret = file.parent if is_folder else file, tmp_path / "secret"
    shutil.move(linked, secret)
    linked.symlink_to(secret)
    with pytest.raises(DamagedError, match="leads out of"):
        shopmill.load(DATASET, store=shop.store).files()
