"""Numbers of the indexes are 0 to n - 1, each once: what repeats cannot hide what is missing."""

import duckdb
import pytest

from shopmill.datasets.user_item_interactions.dataset import DATASET

CHECK = next(check for check in DATASET.checks if check.name == "numbers without gap")


@pytest.mark.parametrize(
    ("numbers", "passes"),
    [([], True), ([0], True), ([2, 0, 1], True), ([0, 1, 1], False), ([1], False), ([0, 2], False), ([0, 0, 2], False),
     ([-1, 0], False)],
)  # fmt: skip
@pytest.mark.parametrize("spoiled", ["customer", "article"])
def test_numbers_are_there_each_once(numbers: list[int], passes: bool, spoiled: str) -> None:
    connection = duckdb.connect()
    for of in ("customer", "article"):
        connection.execute(f"create table {of}_index ({of}_id varchar, {of}_index bigint)")
        for number in numbers if of == spoiled else [0, 1]:
            connection.execute(f"insert into {of}_index values ('x', ?)", [number])
    violations = connection.execute(DATASET.query(CHECK)).fetchall()[0][0]
    assert (violations == 0) == passes
