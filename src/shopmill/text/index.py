"""The vector index in PostgreSQL (pgvector): built beside the one that serves, then put in its place.

Two steps, each one transaction. `prepare_index` makes the table of a version with its HNSW index, and measures the recall;
`serve_index` changes the view that readers use, and ends the old table. Readers see the old index until that commit and the
new one after it. A build that is killed or found wanting leaves nothing behind; what was prepared and never served goes with
the next build. The comments on table and view say of which version they are, and how good.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
import pyarrow as pa
from psycopg import errors, sql

from shopmill.errors import CheckFailedError, ConflictError, InvalidInputError
from shopmill.text.index_search import SCHEMA, see_pgvector, view_of
from shopmill.text.index_table import Groups, Vectors, build_table, distinct, measure_recall


@dataclass(frozen=True)
class IndexReport:
    """What an index holds (`rows` are items), and which share of the true ten nearest vectors it finds."""

    version: str
    rows: int
    dim: int
    recall_at_10: float


def prepare_index(
    connection: psycopg.Connection[Any],
    name: str,
    version: str,
    ids: Sequence[str],
    embeddings: "pa.FixedSizeListArray[Any, Any]",
    *,
    least_recall: float = 0.95,
) -> IndexReport:
    """Build the index `name` for a version beside the serving one; nothing to do if it is there already, or serves.

    `embeddings` are unit vectors, one per id; items whose vector is null are left out. Below `least_recall` nothing is
    kept: the report says so. What was prepared for other versions goes. ConflictError when the index is being built already.
    """
    if serving := _serving(connection, name, version):
        return serving
    with connection.transaction():
        _lock(connection, name)
        _have_pgvector(connection)
        _drop(connection, _tables(connection, name) - _behind_view(connection, name) - {_table(name, version)})
        if prepared := _report_on(connection, _identify(_table(name, version))):
            return prepared
        groups, vectors = distinct(ids, embeddings)
        with connection.transaction() as build:
            report = _build(connection, name, version, groups, vectors)
            if report.recall_at_10 < least_recall:
                raise psycopg.Rollback(build)
    return report


def serve_index(connection: psycopg.Connection[Any], name: str, version: str) -> IndexReport | None:
    """Put the prepared index of a version in the place of the serving one; None when none is prepared."""
    if serving := _serving(connection, name, version):
        return serving
    with connection.transaction():
        _lock(connection, name)
        report = _report_on(connection, _identify(_table(name, version)))
        if report:
            _swap(connection, name, report)
    return report


def publish_index(
    connection: psycopg.Connection[Any],
    name: str,
    version: str,
    ids: Sequence[str],
    embeddings: "pa.FixedSizeListArray[Any, Any]",
    *,
    least_recall: float = 0.95,
) -> IndexReport:
    """Prepare an index and let it serve, in one transaction. CheckFailedError below `least_recall`: the old one stays."""
    with connection.transaction():
        report = prepare_index(connection, name, version, ids, embeddings, least_recall=least_recall)
        if report.recall_at_10 < least_recall:
            raise CheckFailedError(
                f"Index {name} {version} is not put in place, the old index stays: {too_low(report, least_recall)}."
            )
        serve_index(connection, name, version)
    return report


def too_low(report: IndexReport, least_recall: float) -> str:
    """Say what is wrong with an index that finds too little, and what to do."""
    return (
        f"{report.recall_at_10} of the ten nearest are found, at least {least_recall} are wanted: "
        "look for collapsed vectors, or lower least_recall"
    )


def current_index(connection: psycopg.Connection[Any], name: str) -> IndexReport | None:
    """Return the report of the serving index, or None before the first."""
    return _report_on(connection, view_of(name))


def _serving(connection: psycopg.Connection[Any], name: str, version: str) -> IndexReport | None:
    report = current_index(connection, name)
    return report if report and report.version == version else None


def _report_on(connection: psycopg.Connection[Any], relation: sql.Identifier) -> IndexReport | None:
    question = "SELECT obj_description(to_regclass(%s), 'pg_class')"
    row = connection.execute(question, [relation.as_string(connection)]).fetchone()
    return _read(row[0]) if row else None


def _read(comment: str | None) -> IndexReport | None:
    """The report in a comment; None where there is none, or somebody else's words."""
    try:
        return IndexReport(**json.loads(comment or ""))
    except (ValueError, TypeError):
        return None


def _table(name: str, version: str) -> str:
    return f"{name}_{version}"


def _identify(table: str) -> sql.Identifier:
    return sql.Identifier(SCHEMA, table)


def _tables(connection: psycopg.Connection[Any], name: str) -> set[str]:
    """The tables of this index alone: the name of another one may begin in the same way."""
    question = (
        "SELECT relname, obj_description(oid, 'pg_class') FROM pg_class "
        "WHERE relkind = 'r' AND relnamespace = to_regnamespace(%s)"
    )
    found = {table: _read(comment) for table, comment in connection.execute(question, [SCHEMA])}
    return {table for table, report in found.items() if report and table == _table(name, report.version)}


def _behind_view(connection: psycopg.Connection[Any], name: str) -> set[str]:
    """The table that readers see."""
    question = (
        "SELECT DISTINCT t.relname FROM pg_rewrite r JOIN pg_depend d ON d.objid = r.oid "
        "JOIN pg_class t ON t.oid = d.refobjid AND t.relkind = 'r' AND t.relnamespace = to_regnamespace(%s) "
        "WHERE r.ev_class = to_regclass(%s)"
    )
    found = connection.execute(question, [SCHEMA, view_of(name).as_string(connection)])
    return {table for (table,) in found}


def _drop(connection: psycopg.Connection[Any], tables: set[str]) -> None:
    for table in sorted(tables):
        connection.execute(sql.SQL("DROP TABLE {}").format(_identify(table)))


def _lock(connection: psycopg.Connection[Any], name: str) -> None:
    """Be the only one at work on this index until the transaction ends."""
    row = connection.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [f"{SCHEMA}.{name}"]).fetchone()
    if not (row and row[0]):
        raise ConflictError(f"Index {name} is being built by another run: wait for it, then try again.")


def _have_pgvector(connection: psycopg.Connection[Any]) -> None:
    try:
        connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    except (errors.FeatureNotSupported, errors.UndefinedFile, errors.InsufficientPrivilege) as error:
        raise InvalidInputError(
            "This database has no pgvector: install it and run CREATE EXTENSION vector as an administrator."
        ) from error
    see_pgvector(connection)
    if connection.execute("SELECT to_regnamespace(%s) IS NULL", [SCHEMA]).fetchone() == (True,):
        connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(SCHEMA)))


def _build(
    connection: psycopg.Connection[Any], name: str, version: str, groups: Groups, vectors: Vectors
) -> IndexReport:
    """Make the table of a version, measure it, and write down in its comment what came out."""
    table = _identify(_table(name, version))
    build_table(connection, table, groups, vectors)
    recall = measure_recall(connection, table, groups, vectors)
    report = IndexReport(version, sum(map(len, groups)), vectors.shape[1], recall)
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, _comment(report)))
    return report


def _comment(report: IndexReport) -> sql.Literal:
    return sql.Literal(json.dumps(asdict(report)))


def _swap(connection: psycopg.Connection[Any], name: str, report: IndexReport) -> None:
    """Let the view show the new table, and drop every other table of this index."""
    view, table = view_of(name), _table(name, report.version)
    others = (_tables(connection, name) | _behind_view(connection, name)) - {table}
    connection.execute(sql.SQL("DROP VIEW IF EXISTS {}").format(view))
    connection.execute(sql.SQL("CREATE VIEW {} AS SELECT ids, embedding FROM {}").format(view, _identify(table)))
    connection.execute(sql.SQL("COMMENT ON VIEW {} IS {}").format(view, _comment(report)))
    _drop(connection, others)
