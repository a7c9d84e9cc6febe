"""A version's id covers all code that decides its bytes, and no other."""

from pathlib import Path

import pytest

from shopmill import datasets
from shopmill.run import code
from shopmill.run.code import code_of


def files(name: str, engine: str = "duckdb") -> set[str]:
    return set(code_of(datasets.load(name), engine))


@pytest.mark.parametrize("name", datasets.names())
def test_every_dataset_has_its_folder_and_the_wrapper_of_the_sql(name: str) -> None:
    found = files(name)
    assert {"dataset.py", "shopmill/engine/compose.py", "shopmill/engine/duckdb_engine.py"} <= found
    assert {"shopmill/engine/small_files.py", "shopmill/engine/splitting.py"} <= found
    assert not {file for file in found if file.startswith(("shopmill/cli", "shopmill/airflow", "shopmill/registry"))}
    assert all(path.is_file() for path in code_of(datasets.load(name), "duckdb").values())


def test_what_python_computes_is_followed_through_its_imports() -> None:
    assert {"shopmill/text/tfidf.py", "shopmill/text/strings.py", "shopmill/text/encoder.py"} <= files(
        "articles_embeddings"
    )
    reviews = files("reviews_nlp")
    assert {"shopmill/text/clean.py", "shopmill/text/language.py", "shopmill/text/sentiment.py"} <= reviews
    assert "shopmill/text/tfidf.py" not in reviews
    assert not {file for file in files("user_item_interactions") if file.startswith("shopmill/text")}


def test_values_that_a_declaration_takes_from_another_module_are_part_of_it() -> None:
    """Such as the stand-ins for an id, which stand in its SQL."""
    assert "shopmill/vocabulary.py" in files("events_and_funnels")
    assert "shopmill/embeddings/table.py" in files("articles_embeddings")
    assert "shopmill/vocabulary.py" not in files("articles_content")


def test_the_engine_that_computes_is_part_of_it() -> None:
    assert "shopmill/engine/spark_dialect.py" in files("timeseries", "spark")
    assert "shopmill/engine/spark_dialect.py" not in files("timeseries")


def test_a_changed_module_changes_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = code_of(datasets.load("articles_embeddings"), "duckdb")["shopmill/text/tfidf.py"].read_bytes()
    for path in code.ROOT.rglob("*.py"):
        copy = tmp_path / path.relative_to(code.ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    (tmp_path / "text" / "tfidf.py").write_bytes(before + b"# changed\n")
    monkeypatch.setattr(code, "ROOT", tmp_path)
    after = code_of(datasets.load("articles_embeddings"), "duckdb")["shopmill/text/tfidf.py"].read_bytes()
    assert after != before
