"""`shopmill new`, and the page about adding a dataset, walked from the first command to the last."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from checkout import NAME, Checkout, commands

from shopmill.datasets import new
from shopmill.errors import InvalidInputError

pytestmark = pytest.mark.timeout(600)
NEW, TEST, REMOVE, DOCS = commands()


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return Checkout.copy(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def made(untouched: Checkout) -> Iterator[Checkout]:
    """The checkout with the dataset, as the first command makes it; the last ones remove it."""
    before = dict(untouched.files())
    done = untouched.shopmill(*NEW[1:])
    assert (NEW[0], done.returncode) == ("shopmill", 0), done.stderr
    yield untouched
    assert (REMOVE[:2], DOCS) == (["rm", "-r"], ["make", "docs"])
    for path in (untouched.root / name for name in REMOVE[2:]):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert untouched.shopmill("docs").returncode == 0
    assert dict(untouched.files()) == before


def test_what_is_made_works_at_once(made: Checkout) -> None:
    assert made.shopmill("docs", "--check").returncode == 0
    assert (made.root / "docs" / "datasets" / f"{NAME}.md").exists()
    navigation = (made.root / "zensical.toml").read_text()
    assert (
        f'"training_labels" = "datasets/training_labels.md" }},\n      {{ "{NAME}" = "datasets/{NAME}.md" }},\n    ] }},'
        in navigation
    )
    assert TEST[:2] == ["make", "test-quick"]
    arguments = TEST[2].removeprefix("TESTS=").split()
    assert "1 passed" in made.pytest("-m", "not spark and not airflow", *arguments)
    assert "2 passed" in made.pytest("tests/datasets/test_faults.py", "-k", NAME)
    style = made.python("-m", "ruff", "check", "--quiet", f"src/shopmill/datasets/{NAME}", f"dags/{NAME}.py")
    assert (style.returncode, style.stdout) == (0, "")
    written = [f"src/shopmill/datasets/{NAME}", f"dags/{NAME}.py"]
    assert made.python("-m", "ruff", "format", "--check", "--quiet", *written).returncode == 0


def test_the_same_name_again_is_one_sentence(made: Checkout) -> None:
    done = made.shopmill("new", NAME)
    [line] = done.stderr.splitlines()
    assert (done.returncode, "exists already: choose another name" in line) == (1, True)


def test_it_prints_its_files_as_json(untouched: Checkout) -> None:
    done = untouched.shopmill("new", "weekly_sales", "--json")
    printed = json.loads(done.stdout)
    assert printed["dataset"] == "weekly_sales"
    assert all((untouched.root / path).exists() for path in printed["files"])
    for path in printed["files"]:
        if path not in {"docs/datasets/README.md", "zensical.toml"}:  # written by `shopmill docs`, below
            (untouched.root / path).unlink()
    for folder in ("src/shopmill/datasets/weekly_sales", "tests/datasets/weekly_sales"):
        assert not [path for path in (untouched.root / folder).rglob("*") if path.suffix in {".sql", ".yaml"}]
    assert untouched.shopmill("docs").returncode == 0


def test_every_change_of_the_page_works(made: Checkout) -> None:
    made.change()
    assert made.shopmill("docs").returncode == 0
    assert "4 passed" in made.pytest("tests/datasets/test_golden.py", "tests/datasets/test_faults.py", "-k", NAME)


@pytest.mark.spark
def test_the_other_engine_gives_the_same(made: Checkout) -> None:
    assert "2 passed" in made.pytest("tests/datasets/test_golden_spark.py", "-k", NAME)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("My-Sales", "cannot be called 'My-Sales': use lower-case letters"),
        ("1st", "use lower-case letters"),
        ("a__b", "use lower-case letters"),
        ("../up", "use lower-case letters"),
        ("transactions", "the name is used for something else"),
        ("raw", "the name is used for something else"),
        ("faults", "the name is used for something else"),
        ("class", "the name is used for something else"),
    ],
)
def test_a_name_that_cannot_be(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        new.create(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_installed_package_has_no_place_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new, "__file__", str(tmp_path / "site-packages/shopmill/datasets/new.py"))
    with pytest.raises(InvalidInputError, match=r"in a checkout of shopmill.*installed package.*make setup"):
        new.checkout()
