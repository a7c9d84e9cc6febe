"""The files of a new dataset: they work as they are, and are there to be changed. See docs/adding-a-dataset.md."""

import keyword
import re
from pathlib import Path

from shopmill.errors import InvalidInputError
from shopmill.source.contract import TABLES
from shopmill.versions import layout

TEMPLATE = Path(__file__).parent / "template"
PLACES = {
    "__init__.py.txt": "src/shopmill/datasets/{name}/__init__.py",
    "dataset.py.txt": "src/shopmill/datasets/{name}/dataset.py",
    "table.sql": "src/shopmill/datasets/{name}/tables/{name}.sql",
    "rejects.sql": "src/shopmill/datasets/{name}/tables/rejects.sql",
    "no_line_lost.sql": "src/shopmill/datasets/{name}/checks/no_line_lost.sql",
    "dag.py.txt": "dags/{name}.py",
    "case.yaml": "tests/datasets/{name}/first.yaml",
}
"""The files of the template, and where they go in a checkout."""
RESERVED = {*layout.PLACES, "rejects", "template"}
"""Names that the store or shopmill itself uses."""


def checkout() -> Path:
    """The checkout that this package is run from; InvalidInputError where it is installed from elsewhere."""
    root = Path(__file__).parents[3]
    if not all((root / needed).exists() for needed in ("pyproject.toml", "dags", "tests/datasets", "src/shopmill")):
        raise InvalidInputError(
            "A new dataset is made in a checkout of shopmill, and this shopmill is an installed package: "
            "clone the repository, run `make setup` in it, and use its .venv/bin/shopmill."
        )
    return root


def create(name: str, root: Path) -> list[str]:
    """Writes the files of the dataset `name` into a checkout; gives their paths in it."""
    _refuse_name(name)
    placed = {place.format(name=name): (TEMPLATE / file).read_text() for file, place in PLACES.items()}
    for path in placed:
        if (root / path).exists():
            raise InvalidInputError(f"{path} exists already: choose another name, or delete the dataset {name} first.")
    for path, text in placed.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(_named(text, name))
    return sorted(placed)


def _named(text: str, name: str) -> str:
    return text.replace("new_dataset", name).replace("New dataset", name.replace("_", " ").capitalize())


def _refuse_name(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name):
        raise InvalidInputError(
            f"A dataset cannot be called {name!r}: use lower-case letters, digits and single underscores, and begin with a "
            "letter, as in daily_sales."
        )
    module = Path(__file__).with_name(f"{name}.py")
    if name in RESERVED or name in TABLES or keyword.iskeyword(name) or module.exists():
        raise InvalidInputError(
            f"A dataset cannot be called {name!r}: the name is used for something else. Choose another."
        )
