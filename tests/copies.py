"""Stores that were filled once, and copied: each test damages its own. The shop is its own too, and nobody changes it."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
from golden import LENIENT, fill_shop

from shopmill import datasets
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings

Made = tuple[str, str]
"""A run: dataset and as_of."""


class Copies:
    """Makes a run once for all stores that begin with the same runs; `settings` name the shop and the registry."""

    def __init__(self, settings: Settings, folder: Path, rows: Mapping[str, Sequence[Mapping[str, Any]]]):
        self._settings, self._folder = settings, folder
        self._stores: dict[tuple[Made, ...], Settings] = {}
        fill_shop(settings.source_dsn.get_secret_value(), rows)

    def of(self, folder: Path, *made: Made) -> Settings:
        """Settings of a store in which these runs were made in this order: a copy of the test's own, with their rows."""
        return self._copied(self._filled(made), folder)

    def _filled(self, made: tuple[Made, ...]) -> Settings:
        if made not in self._stores:
            place = self._folder / f"{len(made)}-{len(self._stores)}"
            self._stores[made] = found = self._copied(self._filled(made[:-1]), place) if made else self._empty(place)
            for dataset, as_of in made[-1:]:
                steps.run_all(Run.create(datasets.load(dataset), as_of, found, LENIENT))
        return self._stores[made]

    def _empty(self, place: Path) -> Settings:
        place.mkdir(parents=True)
        return self._settings.model_copy(update={"store": str(place)})

    def _copied(self, filled: Settings, place: Path) -> Settings:
        subprocess.run(["cp", "-a", filled.store, str(place)], check=True)  # hard links stay what they are
        copy_rows(filled.registry_dsn.get_secret_value(), filled.store, str(place))
        return filled.model_copy(update={"store": str(place)})


def copy_rows(dsn: str, store: str, copy: str) -> None:
    """Gives a copy of a store the rows of its runs."""
    with psycopg.connect(dsn) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "select column_name from information_schema.columns where table_schema = 'shopmill' "
                "and table_name = 'etl_runs' and column_name not in ('run_id', 'store')"
            )
        ]
        if columns := ", ".join(names):
            connection.execute(
                f"insert into shopmill.etl_runs (run_id, store, {columns}) "
                f"select run_id || ' ' || md5(%s), %s, {columns} from shopmill.etl_runs where store = %s".encode(),
                (copy, copy, store),
            )
