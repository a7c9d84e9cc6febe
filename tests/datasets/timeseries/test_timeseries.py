"""What YAML cannot say of timeseries: bytes, continuing from the previous version, leaks, other libraries' answers."""

import shutil
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest
from golden import LENIENT, fill_shop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from series_shop import Row, Rows, SeriesShop, line

from shopmill import datasets
from shopmill.datasets.timeseries.dataset import holiday_days
from shopmill.errors import CheckFailedError, InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops import synthetic
from shopmill.versions.manifest import Manifest

START = date(2020, 2, 17)  # a Monday; 29 February is in the second week
LAST = 24
ARTICLES = ("0001", "0002", "0003")
FEATURES = (
    "lag_1, lag_7, lag_28, rolling_mean_lag1_w7, rolling_mean_lag1_w30, rolling_std_lag1_w7, rolling_std_lag1_w30"
)


def day(n: int) -> date:
    return START + timedelta(days=n)


def hashes(manifest: Manifest) -> dict[str, str]:
    return {file.path: file.sha256 for file in manifest.all_files}


@st.composite
def arrivals(draw: st.DrawFn) -> list[tuple[int, Row]]:
    """Lines with the day on which the shop's database has them: the day after, or up to five days later."""
    first = (0, line(day(0), "0001"))
    drawn = draw(
        st.lists(
            st.tuples(st.integers(0, LAST), st.integers(0, 5), st.sampled_from(ARTICLES), st.sampled_from("abc")),
            max_size=25,
        )
    )
    return [first, *((n + late, line(day(n), article, customer)) for n, late, article, customer in drawn)]


PROMOTIONS = st.lists(
    st.builds(
        lambda article, group, start, length: {
            "article_id": article,
            "product_group_name": group,
            "starts_on": day(start),
            "ends_on": None if length is None else day(start + length),
        },
        st.sampled_from(ARTICLES) | st.none(),
        st.sampled_from(["Shoes", "Socks"]),
        st.integers(-3, LAST + 3),
        st.integers(0, 9) | st.none(),
    ),
    max_size=2,
)
CATALOGUES = st.tuples(*[st.sampled_from(["Ladieswear", "Divided", None])] * 2).map(
    lambda categories: [
        {"article_id": article, "index_group_name": category, "product_group_name": "Shoes"}
        for article, category in zip(ARTICLES, categories, strict=False)
    ]
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=arrivals(),
    run_days=st.sets(st.integers(3, LAST), min_size=1, max_size=3).map(sorted),
    promotions=st.lists(PROMOTIONS, min_size=2, max_size=2),
    catalogues=st.lists(CATALOGUES, min_size=2, max_size=2),
)
def test_continuing_equals_building_anew(
    tmp_path: Path, lines: list, run_days: list[int], promotions: list, catalogues: list
) -> None:
    """Whatever arrives when, however late, and whatever the catalogue and the promotions say by then."""
    shutil.rmtree(tmp_path, ignore_errors=True)
    parameters = {"on_sale_days": 4, "min_observations": 1}
    continued = SeriesShop(tmp_path / "continued", parameters)
    for n, as_of in enumerate(days := [*run_days, LAST + 1]):
        rows = Rows([row for arrived, row in lines if arrived < as_of], catalogues[n % 2], promotions[n % 2])
        last = continued.build(day(as_of), rows)
    anew = SeriesShop(tmp_path / "anew", parameters).build(day(days[-1]), rows)
    assert hashes(last) == hashes(anew)
    assert last.version == anew.version


@pytest.mark.parametrize(("wrong", "count"), [(date(1900, 1, 1), 18), (date(1970, 1, 1), 201), (date(2000, 1, 1), 18)])
def test_a_sale_with_a_wrong_date_adds_no_file_but_of_rejects(tmp_path: Path, wrong: date, count: int) -> None:
    """It once made a week of files for each week since: 25,059 of them in nine minutes."""
    lines = [line(day(n % LAST), ARTICLES[n % 3]) for n in range(count)]
    parameters = {"min_observations": 1}
    plain = SeriesShop(tmp_path / "plain", parameters).build(day(LAST), Rows(lines))
    odd = SeriesShop(tmp_path / "odd", parameters).build(day(LAST), Rows([line(wrong, "0001"), *lines]))
    assert hashes(odd) | {"rejects": ""} != hashes(plain)
    differing = {path for path, found in hashes(odd).items() if hashes(plain).get(path) != found}
    assert {path.partition("/")[0] for path in differing} == {"rejects"}


@pytest.fixture(scope="module")
def year() -> Rows:
    """A year of a small synthetic shop."""
    with synthetic.tables(0.0005, threads=2) as shop:
        lines = shop.execute("select * from transactions where t_dat >= '2019-09-22' and price >= 0").fetchall()
        catalogue = shop.execute("select article_id, index_group_name, product_group_name from articles").fetchall()
        promoted = shop.execute("select * from promotions").fetchall()
    names = ("t_dat", "customer_id", "article_id", "price", "sales_channel_id")
    transactions = [dict(zip(names, row, strict=True)) for row in lines]
    return Rows(
        [row for row in transactions if row["article_id"]],
        [dict(zip(("article_id", "index_group_name", "product_group_name"), row, strict=True)) for row in catalogue],
        [
            dict(zip(("article_id", "product_group_name", "starts_on", "ends_on", "kind"), r, strict=True))
            for r in promoted
        ],
    )


AS_OF = synthetic.AS_OF


def test_one_and_two_threads_give_the_same_bytes(tmp_path: Path, year: Rows) -> None:
    one = SeriesShop(tmp_path / "one", threads=1).build(AS_OF, year)
    two = SeriesShop(tmp_path / "two", threads=2).build(AS_OF, year)
    assert hashes(one) == hashes(two)
    assert one.rows("article_daily") > 5_000


def test_a_new_day_writes_its_week_and_takes_the_others_over(tmp_path: Path, year: Rows) -> None:
    shop = SeriesShop(tmp_path / "shop")
    before = shop.build(AS_OF - timedelta(days=1), year)
    after = shop.build(AS_OF, year)
    paths = [_inodes(tmp_path / "shop", manifest) for manifest in (before, after)]
    new = {path for path, inode in paths[1].items() if paths[0].get(path) != inode}
    monday = "2020-09-21"  # as_of is the Wednesday after
    series = ("article_daily", "article_weekly", "category_daily", "category_weekly")
    assert {path for path in new if path.split("/")[0] in series} == {f"{name}/{monday}.parquet" for name in series}
    assert len(paths[1]) > 200


def _inodes(store: Path, manifest: Manifest) -> dict[str, int]:
    folder = store / "timeseries" / f"as_of={manifest.as_of}" / f"version={manifest.version}"
    return {file.path: (folder / file.path).stat().st_ino for file in manifest.all_files}


def test_what_is_sold_on_a_day_is_in_no_feature_of_that_day(tmp_path: Path, year: Rows) -> None:
    poisoned = AS_OF - timedelta(days=40)
    more = [line(poisoned, str(year.articles[n]["article_id"])) for n in range(10) for _ in range(n)]
    tables = {}
    for name, rows in (("plain", year), ("more", replace(year, transactions=[*year.transactions, *more]))):
        shop = SeriesShop(tmp_path / name, {"min_observations": 1})
        manifest = shop.build(AS_OF, rows)
        columns = f"unique_id, ds, y, {FEATURES}"
        found = [row for table in ("article_daily", "category_daily") for row in shop.rows(manifest, table, columns)]
        tables[name] = {row[:2]: row[2:] for row in found}
    known = [key for key in tables["plain"] if key[1] <= poisoned]
    assert [key for key in known if tables["plain"][key][1:] != tables["more"][key][1:]] == []
    assert [key for key in known if tables["plain"][key][0] != tables["more"][key][0]] != []
    later = [key for key in tables["plain"] if key[1] > poisoned]
    assert [key for key in later if tables["plain"][key][1:] != tables["more"][key][1:]] != []


def test_later_sales_change_no_earlier_row(tmp_path: Path, year: Rows) -> None:
    middle = AS_OF - timedelta(days=100)
    rows = []
    for name, as_of in (("middle", middle), ("end", AS_OF)):
        shop = SeriesShop(tmp_path / name, {"on_sale_days": 10})
        manifest = shop.build(as_of, year)
        tables = ("article_daily", "category_daily", "article_weekly", "category_weekly")
        found = [row for table in tables for row in shop.rows(manifest, table)]
        limit = middle - timedelta(days=7)  # the week of the middle was not over
        rows.append([row for row in found if row[1] < limit])
    assert rows[0] == rows[1]
    assert len(rows[0]) > 5_000


def test_rows_from_as_of_on_change_no_byte(settings: Settings, tmp_path: Path) -> None:
    plain = {
        "transactions": [
            {"t_dat": day(n), "customer_id": "c1", "article_id": ARTICLES[n % 3], "price": 1} for n in range(20)
        ],
        "articles": [{"article_id": "0001", "index_group_name": "Ladieswear", "product_group_name": "Shoes"}],
        "promotions": [{"product_group_name": "Shoes", "starts_on": day(3), "ends_on": day(5)}],
    }
    poison = {
        "transactions": [
            {"t_dat": day(20), "customer_id": "c1", "article_id": "0001", "price": 99},
            {"t_dat": day(21), "customer_id": None, "article_id": None, "price": -5},
            {"t_dat": date(2040, 1, 1), "customer_id": "c1", "article_id": "new", "price": 1},
        ],
        "articles": [],
        "promotions": [
            {"article_id": "0002", "starts_on": day(20), "ends_on": day(30)},
            {"article_id": None, "starts_on": day(25), "ends_on": day(22)},
        ],
    }
    found = []
    for name, given_rows in (("plain", plain), ("poison", {t: [*rows, *poison[t]] for t, rows in plain.items()})):
        fill_shop(settings.source_dsn.get_secret_value(), given_rows)
        found.append(hashes(_run(settings.model_copy(update={"store": str(tmp_path / name)}), day(20))))
    for files in found:  # what the shop plans is known ahead
        assert files.pop("planned_promotions/part-00000.parquet")
    assert found[0] == found[1]


def test_days_through_the_database_equal_one_build(settings: Settings, tmp_path: Path) -> None:
    """Three runs with lines that come one, two and three days late, and the same read at once."""
    lines = [
        (n + n % 4, {"t_dat": day(n), "customer_id": "c1", "article_id": ARTICLES[n % 3], "price": n})
        for n in range(22)
    ]
    articles = [{"article_id": "0001", "index_group_name": "Ladieswear"}]
    daily = settings.model_copy(update={"store": str(tmp_path / "daily"), "lookback_days": 4})
    for as_of in (19, 20, 21, 22):
        arrived = [row for arrival, row in lines if arrival < as_of]
        fill_shop(settings.source_dsn.get_secret_value(), {"transactions": arrived, "articles": articles})
        continued = _run(daily, day(as_of))
    anew = _run(settings.model_copy(update={"store": str(tmp_path / "anew")}), day(22))
    assert (continued.version, hashes(continued)) == (anew.version, hashes(anew))


def _run(configured: Settings, as_of: date) -> Manifest:
    run = Run.create(datasets.load("timeseries"), str(as_of), configured, LENIENT)
    steps.run_all(run)
    return run.versions.need(run.as_of)


SPOILED = {
    "no missing ds": ("article_daily", "select * from {t} where not (unique_id = '0001' and ds = date '2020-02-20')"),
    "levels agree": ("category_daily", "select * replace (revenue + 1 as revenue) from {t}"),
    "every unit counted": ("category_daily", "select * replace (y + 1 as y) from {t}"),
    "no leak": ("category_daily", "select * replace (y as lag_1) from {t}"),
    "y fits fill_reason": ("article_weekly", "select * replace ('zero' as fill_reason) from {t}"),
    "nothing from the future": ("category_weekly", "select * replace (ds + 700 as ds) from {t}"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_each_check_finds_what_it_is_for(tmp_path: Path, name: str) -> None:
    shop = SeriesShop(tmp_path / "shop")
    catalogue = [{"article_id": "0001", "index_group_name": "Ladieswear"}]
    run = shop.transformed(day(5), Rows([line(day(n), "0001") for n in (0, 1, 4)], catalogue))
    assert [result.name for result in shop.checked(run) if not result.passed] == []
    table, query = SPOILED[name]
    for staged in run.staging.files(table):
        path = run.store.uri(staged.key)
        spoiled = query.replace("{t}", f"'{path}'")
        duckdb.connect().sql(f"copy ({spoiled}) to '{path}.spoiled' (format parquet)")
        Path(f"{path}.spoiled").replace(path)
    assert name in [result.name for result in shop.checked(run) if not result.passed and result.severity == "error"]


def test_holidays_by_country_and_subdivision() -> None:
    def of(country: str) -> list[date]:
        bound = {"country": country, "since": date.min, "as_of": date(2020, 9, 23)}
        return holiday_days(bound)["holiday_days"]["day"].to_pylist()

    assert date(2020, 7, 3) in of("US")  # Independence Day, observed on the Friday
    assert date(2020, 1, 6) in of("DE-BY")
    assert date(2020, 1, 6) not in of("DE")
    assert of("") == []
    assert min(of("SE")).year == 1970
    with pytest.raises(InvalidInputError, match="country='XX' has no calendar"):
        of("XX")
    with pytest.raises(InvalidInputError, match="'DE-XX'"):
        of("DE-XX")


def test_an_empty_shop_is_blocked_and_the_version_before_stays(settings: Settings) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": [{"article_id": "0001"}]})
    with pytest.raises(CheckFailedError, match="article_daily row count"):
        _run(settings, day(5))


def test_agrees_with_forecasting_libraries(tmp_path: Path, year: Rows) -> None:
    """utilsforecast fills the same grid, mlforecast has the same lags and windows, to the last digits."""
    pytest.importorskip("mlforecast")
    from mlforecast import MLForecast
    from mlforecast.lag_transforms import RollingMean, RollingStd
    from utilsforecast.preprocessing import fill_gaps

    shop = SeriesShop(tmp_path / "shop", {"on_sale_days": 36500})
    manifest = shop.build(AS_OF, year)
    for table, freq, lags in (("article_daily", "D", (1, 7, 28)), ("category_weekly", "W-MON", (1, 7, 28))):
        path = tmp_path / "shop" / "timeseries" / f"as_of={AS_OF}" / f"version={manifest.version}" / table
        ours = (
            duckdb.connect()
            .sql(f"from read_parquet('{path}/*.parquet', hive_partitioning = false) order by unique_id, ds")
            .df()
        )
        sold = ours.loc[ours.fill_reason == "observed", ["unique_id", "ds", "y"]]
        filled = fill_gaps(sold, freq=freq, end=ours.ds.max()).fillna({"y": 0.0})
        filled = filled.sort_values(["unique_id", "ds"], ignore_index=True)
        assert filled[["unique_id", "ds"]].values.tolist() == ours[["unique_id", "ds"]].values.tolist()
        windows = [kind(size, min_samples=7) for size in (7, 30) for kind in (RollingMean, RollingStd)]
        forecast = MLForecast(models=[], freq=freq, lags=list(lags), lag_transforms={1: windows})
        theirs = forecast.preprocess(filled.astype({"y": "float64"}), dropna=False)
        names = {
            "lag1": "lag_1", "lag7": "lag_7", "lag28": "lag_28",
            "rolling_mean_lag1_window_size7_min_samples7": "rolling_mean_lag1_w7",
            "rolling_mean_lag1_window_size30_min_samples7": "rolling_mean_lag1_w30",
            "rolling_std_lag1_window_size7_min_samples7": "rolling_std_lag1_w7",
            "rolling_std_lag1_window_size30_min_samples7": "rolling_std_lag1_w30",
        }  # fmt: skip
        for their_name, our_name in names.items():
            left, right = theirs[their_name].astype("float64"), ours[our_name].astype("float64")
            assert (left.isna() == right.isna()).all(), our_name
            # mlforecast's deviations are kept running in floats, which loses digits; ours come from exact sums
            assert (left - right).abs().max() <= (1e-6 if "std" in our_name else 0), our_name
