"""The choice of golden cases for Spark: every table is in it, and nothing that adds to it is left out."""

from pathlib import Path

from cover import chosen
from golden import load_case

from shopmill import datasets

CASES = sorted(Path(__file__).parent.glob("*/*.yaml"))


def test_every_table_that_a_case_expects_is_expected_on_spark() -> None:
    def tables(paths: list[Path]) -> set[tuple[str, str]]:
        return {(path.parent.name, table) for path in paths for case in load_case(path) for table in case["expect"]}

    found = [path for path in CASES if all("expect" in case for case in load_case(path))]
    assert tables([path for path in chosen(CASES) if path in found]) == tables(found)
    assert {path.parent.name for path in chosen(CASES)} >= {"timeseries", *datasets.names()} - {"articles_embeddings"}


def test_a_case_that_shows_something_else_is_chosen(tmp_path: Path) -> None:
    row = "{a: 1, b: 2, c: 3, d: 4, e: 5}"
    for number in range(6):
        (tmp_path / f"same{number}.yaml").write_text(f"expect: {{t: [{row}]}}")
    (tmp_path / "other.yaml").write_text("expect: {t: [{f: 1, g: 2, h: 3, i: 4, j: 5}]}")
    names = [path.stem for path in chosen(sorted(tmp_path.glob("*.yaml")))]
    assert names == ["other", "same0"]
