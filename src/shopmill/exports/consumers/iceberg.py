"""Iceberg: a table for each of the version's, over the very files of the store: nothing is copied.

    catalogue.db   the catalogue, in SQLite; or in PostgreSQL with `catalogue=postgresql+psycopg2://...`
    warehouse/     metadata of the tables, snapshot by snapshot

A version is a snapshot, and its as_of a tag: `for version as of 'as_of=2018-01-01'` in Trino, `version as of` in Spark,
`table.scan(snapshot_id=table.snapshot_by_name("as_of=2018-01-01").snapshot_id)` in pyiceberg. One folder takes the
versions of any datasets, tables named `<dataset>.<table>`; exporting a version again changes nothing, and one that took
the place of another at an as_of takes its tag. Current is the newest as_of, in whatever order they were exported.
Snapshots whose version `shopmill gc` has deleted are dropped by the next export: gc decides what stays, and nothing of
Iceberg ever deletes a file of the store.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.asof import AsOf
from shopmill.declaration import Parameter
from shopmill.errors import InvalidInputError, cause_in_a_line
from shopmill.exports.consumer import ANY, Consumer
from shopmill.exports.source import Source
from shopmill.redaction import without_secrets
from shopmill.versions.layout import manifest_in
from shopmill.versions.store import Store

if TYPE_CHECKING:
    from pyiceberg.catalog.sql import SqlCatalog
    from pyiceberg.table import Table

TAG = "as_of="
VERSION, AS_OF, FOLDER = "shopmill.version", "shopmill.as_of", "shopmill.folder"


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Adds a snapshot to each table that has no snapshot of the version yet."""
    from sqlalchemy.exc import SQLAlchemyError

    _refuse_marks(source, folder)
    address = str(source.options["catalogue"]) or f"sqlite:///{folder.resolve()}/catalogue.db"
    try:
        return _add_all(source, _catalogue(address, folder))
    except (SQLAlchemyError, ImportError) as error:
        raise InvalidInputError(
            f"The catalogue {without_secrets(address)} cannot be used: {without_secrets(cause_in_a_line(error))}. Give an "
            "address such as postgresql+psycopg2://user:password@host/database."
        ) from error


def _refuse_marks(source: Source, folder: Path) -> None:
    """pyiceberg and SQLAlchemy take these marks in an address for something else, and would write into another folder."""
    for place in (str(folder.resolve()), source.version.path):
        if mark := next((mark for mark in "#?%" if mark in place), None):
            raise InvalidInputError(
                f"{place} has a {mark!r}, which Iceberg's addresses cannot hold: choose another folder."
            )


def _add_all(source: Source, catalogue: "SqlCatalog") -> Mapping[str, int]:
    catalogue.create_namespace_if_not_exists(source.manifest.dataset)
    rows = {}
    for table in source.version.tables:
        name = f"{source.manifest.dataset}.{table}"
        known = _table(catalogue, source, name, table)
        _add(source, known, table)
        _show_newest(known, source)
        rows[name] = source.manifest.rows(table)
    _drop_deleted(source, catalogue)
    return rows


def _catalogue(address: str, folder: Path) -> "SqlCatalog":
    from pyiceberg.catalog.sql import SqlCatalog

    warehouse = f"file://{folder.resolve()}/warehouse"
    return SqlCatalog("shopmill", uri=address, warehouse=warehouse, **_s3_properties())


def _s3_properties() -> dict[str, str]:
    """pyiceberg reads no endpoint from the environment."""
    import os

    names = {"s3.endpoint": "AWS_ENDPOINT_URL", "s3.region": "AWS_REGION", "s3.access-key-id": "AWS_ACCESS_KEY_ID"}
    names |= {"s3.secret-access-key": "AWS_SECRET_ACCESS_KEY", "s3.session-token": "AWS_SESSION_TOKEN"}
    return {name: os.environ[variable] for name, variable in names.items() if os.environ.get(variable)}


def _table(catalogue: "SqlCatalog", source: Source, name: str, table: str) -> "Table":
    """The table, new or known; one of older versions with other columns begins again: its files cannot be read as these."""
    schema = source.version.to_dataset(table).schema
    if catalogue.table_exists(name):
        found = catalogue.load_table(name)
        if [field.name for field in found.schema().fields] == schema.names:
            return found
        if newer := [label for label, as_of in _as_ofs(found, source) if as_of > source.as_of]:
            raise InvalidInputError(
                f"{name} as of {source.as_of.label} has other columns than the table, which has as_of {newer[-1]}: choose "
                "another folder."
            )
        catalogue.drop_table(name)
    return catalogue.create_table(name, schema=schema.remove_metadata())


def _add(source: Source, table: "Table", name: str) -> None:
    """One transaction: the files of the version in the place of all others, and the tag on them."""
    from pyiceberg.expressions import AlwaysTrue

    manifest = source.manifest
    tag = f"{TAG}{manifest.as_of}"
    tagged = table.snapshot_by_name(tag)
    if tagged and _properties(tagged).get(VERSION) == manifest.version:
        return
    properties = {VERSION: manifest.version, AS_OF: manifest.as_of, FOLDER: source.version.path}
    files = [_address(file) for file in source.version.addresses(name)]
    with table.transaction() as transaction:
        if table.current_snapshot():
            transaction.delete(AlwaysTrue(), snapshot_properties=properties)
        transaction.add_files(files, snapshot_properties=properties)
    snapshot = table.refresh().current_snapshot()
    if snapshot is not None:
        manage = table.manage_snapshots()
        if tagged:
            manage = manage.remove_tag(tag)
        manage.create_tag(snapshot.snapshot_id, tag).commit()


def _show_newest(table: "Table", source: Source) -> None:
    """Makes the newest as_of the current one: what a reader finds who names none."""
    labels = [label for label, _ in _as_ofs(table.refresh(), source)]
    newest, current = table.snapshot_by_name(f"{TAG}{labels[-1]}") if labels else None, table.current_snapshot()
    if newest and newest != current:
        table.manage_snapshots().set_current_snapshot(newest.snapshot_id).commit()


def _as_ofs(table: "Table", source: Source) -> list[tuple[str, AsOf]]:
    """The as_ofs that have a snapshot, the newest last."""
    labels = [name.removeprefix(TAG) for name in table.refs() if name.startswith(TAG)]
    return sorted(((label, AsOf.parse(label, source.settings.zone)) for label in labels), key=lambda one: one[1])


def _address(file: str) -> str:
    return file if "://" in file else f"file://{file}"


def _properties(snapshot: Any) -> Mapping[str, str]:
    return snapshot.summary.additional_properties if snapshot.summary else {}


def _drop_deleted(source: Source, catalogue: "SqlCatalog") -> None:
    """Takes back the tags of versions that are no longer in the store, and expires their snapshots."""
    store = Store(source.settings.store)
    for name in catalogue.list_tables(source.manifest.dataset):
        table = catalogue.load_table(name)
        for tag, snapshot_id in list(_deleted(table, store)):
            table.manage_snapshots().remove_tag(tag).commit()
            table.maintenance.expire_snapshots().by_id(snapshot_id).commit()


def _deleted(table: "Table", store: Store) -> Iterator[tuple[str, int]]:
    current = table.current_snapshot()
    for tag, reference in table.refs().items():
        snapshot = table.snapshot_by_id(reference.snapshot_id)
        if snapshot is None or snapshot == current or FOLDER not in _properties(snapshot):
            continue
        key = _properties(snapshot)[FOLDER].removeprefix(store.uri("")).strip("/")
        if not store.exists(manifest_in(key)):
            yield tag, reference.snapshot_id


CONSUMER = Consumer(
    name="iceberg",
    loads="tables over the store's own files, a snapshot for each version",
    writes={ANY: write},
    options=(Parameter("catalogue", "text", "", "SQLAlchemy address of the catalogue; default: SQLite in the folder"),),
    packages=("pyiceberg", "sqlalchemy"),
    accumulates=True,
)
