"""A shop may have its large tables split over files: the same rows, each file in order, and another version."""

from collections.abc import Callable
from hashlib import md5
from typing import Any

import pyarrow.parquet as pq
import pytest
from golden import fill_shop

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.versions.manifest import Manifest

LINES = [
    {
        "t_dat": f"2020-09-{day:02}",
        "customer_id": f"c{number}",
        "article_id": f"000{number % 3}",
        "price": 1,
        "sales_channel_id": 1,
    }
    for number in range(40)
    for day in (number % 5 + 1, 7)
]
GIVEN: dict[str, list[dict[str, Any]]] = {
    "transactions": LINES,
    "customers": [{"customer_id": f"c{number}"} for number in range(40)],
    "articles": [{"article_id": f"000{number}", "prod_name": "x"} for number in range(3)],
}
LARGE = {"user_item_interactions": "interactions", "customer_features": "features"}


@pytest.fixture
def published(settings: Settings) -> Callable[[str, int], tuple[Run, Manifest]]:
    fill_shop(settings.source_dsn.get_secret_value(), GIVEN)

    def publish(dataset: str, files: int) -> tuple[Run, Manifest]:
        run = Run.create(datasets.load(dataset), "2020-09-08", settings.model_copy(update={"split_into": files}))
        steps.run_all(run)
        return run, run.versions.need(run.as_of)

    return publish


@pytest.mark.parametrize(("dataset", "table"), LARGE.items())
def test_the_rows_are_the_same_and_each_lies_where_its_hash_says(
    published: Callable[[str, int], tuple[Run, Manifest]], dataset: str, table: str
) -> None:
    rows: dict[int, list[dict[str, Any]]] = {}
    made = {}
    for files in (1, 16):
        run, made[files] = published(dataset, files)
        rows[files] = []
        for file, key in zip(made[files].files(table), run.versions.keys_of(made[files], table), strict=True):
            assert run.store.root
            found = pq.read_table(run.store.root / key, partitioning=None).to_pylist()
            assert [row["customer_id"] for row in found] == sorted(row["customer_id"] for row in found)
            if files > 1:
                label = file.path.split("/")[1].removesuffix(".parquet")
                assert {md5(row["customer_id"].encode()).hexdigest()[0] for row in found} == {label}
            rows[files] += found
    assert sorted(map(repr, rows[16])) == sorted(map(repr, rows[1]))
    assert len(made[1].files(table)) == 1 < len(made[16].files(table)) <= 16
    assert made[16].content["parameters"]["split_into"] == "16"
    assert made[16].version != made[1].version
    assert "split_into" not in made[1].content["parameters"], "what is not split has the id that it had"


def test_a_table_without_rows_is_one_file(settings: Settings) -> None:
    fill_shop(settings.source_dsn.get_secret_value(), {**GIVEN, "transactions": LINES[:1]})
    run = Run.create(datasets.load("training_labels"), "2020-09-08", settings.model_copy(update={"split_into": 256}))
    steps.run_all(run)
    files = run.versions.need(run.as_of).files("customer_labels")
    assert [file.rows for file in files] == [0]
