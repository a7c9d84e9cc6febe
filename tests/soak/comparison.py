"""What was soaked against a clean build of the same shop, and against what it was made of."""

import pyarrow as pa

import shopmill
from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.source import tombstones
from shopmill.trust.rebuild import rebuild
from shopmill.versions.store import Store
from soak.report import SoakError
from soak.soaked import Soaked, lenient

HISTORY: dict[str, dict[str, set[str]]] = {
    "articles_content": {"articles": {"first_seen", "last_seen"}, "catalogue_changes": {"*"}},
    "user_item_interactions": {
        "customer_index": {"customer_index"},
        "article_index": {"article_index"},
        "interactions": {"customer_index", "article_index"},
    },
    "events_and_funnels": {"session_history": {"*"}},
    "articles_embeddings": {},
}
"""By dataset and table the columns that say what earlier versions were: a clean build has no earlier ones. * is all of a table."""


def compare(soaked: Soaked, clean: Settings) -> None:
    """With a clean build of the shop as it is now; the people who were erased stay out of that, too."""
    if soaked.store.exists(tombstones.KEY):
        Store(clean.store).write(tombstones.KEY, soaked.store.read(tombstones.KEY))
    for dataset in soaked.in_order():
        steps.run_all(Run.create(datasets.load(dataset), str(soaked.last), clean, lenient(dataset)))
        soaked.report.compared[_likeness(soaked, clean, dataset)] += 1


def _likeness(soaked: Soaked, clean: Settings, dataset: str) -> str:
    """In what way the two are the same; SoakError where they are not."""
    left, right = (shopmill.load(dataset, str(soaked.last), store=one.store) for one in (soaked.settings, clean))
    if left.version == right.version:
        return "equal ids"
    if dataset not in HISTORY:
        raise SoakError(f"{dataset}: version {left.version}, and {right.version} of a clean build")
    for table in left.tables:
        columns = HISTORY[dataset].get(table, set())
        if "*" not in columns:
            _same_rows(f"{dataset}: {table}", *(_rows(one.to_arrow(table=table), columns) for one in (left, right)))
    return "equal rows"


def _same_rows(what: str, soaked: list[str], clean: list[str]) -> None:
    if soaked != clean:
        only = [[row for row in one if row not in other][:3] for one, other in ((soaked, clean), (clean, soaked))]
        raise SoakError(f"{what} has other rows than in a clean build: {only[0]} instead of {only[1]}")


def _rows(table: pa.Table, without: set[str]) -> list[str]:
    rows = table.drop_columns([name for name in without if name in table.column_names]).to_pylist()
    return sorted(repr(row) for row in rows if not any(str(value).startswith("erased-") for value in row.values()))


def compute_again(soaked: Soaked) -> None:
    """A version of each dataset, by chance, is computed again from what was recorded."""
    for dataset in soaked.in_order():
        _, version = soaked.dice("rebuild", dataset).choice(sorted(soaked.versions(dataset).lines()))
        try:
            found = rebuild(datasets.load(dataset), version, soaked.settings)
        except InvalidInputError as error:
            soaked.note(f"rebuild of {dataset}: {error}")
            continue
        if not found.is_same:
            raise SoakError(found.sentence)
        soaked.report.compared["rebuilt"] += 1
