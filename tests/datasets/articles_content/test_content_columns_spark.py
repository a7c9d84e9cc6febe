"""What content_text is made of, on Spark: the shop's columns in their order, attributes among them, and a name that is none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from golden import LENIENT, fill_shop, load_case, published_rows, run_case

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

pytestmark = pytest.mark.spark
HERE = Path(__file__).parent


@pytest.mark.parametrize("case", ["content_columns", "unknown_content_column"])
def test_the_cases_of_the_parameter(case: str, settings: Settings, spark_settings: Mapping[str, Any]) -> None:
    for run in load_case(HERE / f"{case}.yaml"):
        run_case("articles_content", run, settings.model_copy(update=spark_settings))


@pytest.mark.parametrize("engine", ["duckdb", "spark"])
def test_attributes_in_any_writing(
    settings: Settings, spark_settings: Mapping[str, Any], tmp_path: Path, engine: str
) -> None:
    articles = [{"article_id": f"000{n}", "prod_name": name} for n, name in enumerate(("Cup", "Pot"), 1)]
    fill_shop(settings.source_dsn.get_secret_value(), {"articles": articles})
    (tmp_path / "articles.sql").write_text(
        "select article_id, prod_name, case article_id when '0001' then E' hard\\u00a0 porcelain' end as \"Größe\", "
        "'1.5' as _weight2, 'quoted \"x\" \\ /' as \"材料\" from articles"
    )
    chosen = settings.model_copy(update={"mapping": str(tmp_path), **(spark_settings if engine == "spark" else {})})
    parameters = {**LENIENT, "content_columns": "Größe, prod_name,_weight2,材料"}
    run = Run.create(datasets.load("articles_content"), "2020-09-21", chosen, parameters)
    steps.run_all(run)
    rows = published_rows(run, run.versions.need(run.as_of), "articles", [{"article_id": "", "content_text": ""}])
    assert [row["content_text"] for row in rows] == [
        'hard porcelain. Cup. 1.5. quoted "x" \\ /', 'Pot. 1.5. quoted "x" \\ /',
    ]  # fmt: skip
