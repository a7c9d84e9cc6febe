"""Asking a vector index in PostgreSQL (pgvector) for what is near: index.py builds it, readers ask the view."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg
from psycopg import errors, sql

from shopmill.errors import InvalidInputError

SCHEMA = "shopmill"
LEAST_CANDIDATES, MOST_CANDIDATES = (
    100,
    1000,
)  # hnsw.ef_search: how many items a search weighs; 1,000 is pgvector's limit
MOST_NEIGHBOURS = 500


@dataclass(frozen=True)
class Neighbour:
    """An item and its cosine similarity to what was asked for, in [-1, 1]."""

    id: str
    similarity: float


@dataclass(frozen=True)
class Group:
    """The items of one vector, by their ids, and its cosine similarity to what was asked for."""

    ids: tuple[str, ...]
    similarity: float


def search(connection: psycopg.Connection[Any], name: str, vector: Sequence[float], k: int = 10) -> list[Neighbour]:
    """Return the `k` items nearest to a vector, the nearest first."""
    return _items(search_groups(connection, name, vector, k))[:k]


def similar(connection: psycopg.Connection[Any], name: str, item: str, k: int = 10) -> list[Neighbour]:
    """Return the `k` items nearest to an item, without the item itself."""
    return _items(similar_groups(connection, name, item, k))[:k]


def search_groups(
    connection: psycopg.Connection[Any], name: str, vector: Sequence[float], k: int = 10, *, exact: bool = False
) -> list[Group]:
    """Return the groups of the `k` vectors nearest to a vector, the nearest first.

    An `exact` search compares every vector, where the index may miss one.
    """
    _check_number(k)
    try:
        with connection.transaction():
            return _groups(nearest(connection, view_of(name), vector, k, exact=exact))
    except errors.UndefinedTable as error:
        raise InvalidInputError(_not_built(name)) from error


def similar_groups(
    connection: psycopg.Connection[Any], name: str, item: str, k: int = 10, *, exact: bool = False
) -> list[Group]:
    """Return the groups of the `k` other vectors nearest to an item's; before them the other items of its own, if any."""
    _check_number(k)
    question = sql.SQL("SELECT embedding::real[] FROM {} WHERE ids @> ARRAY[%s]").format(view_of(name))
    try:
        with connection.transaction():
            row = connection.execute(question, [item]).fetchone()
            found = _groups(nearest(connection, view_of(name), row[0], k + 1, exact=exact)) if row else []
    except errors.UndefinedTable as error:
        raise InvalidInputError(_not_built(name)) from error
    if not row:
        raise InvalidInputError(f"{item} is not in the index {name}: it is unknown, inactive, or has no text.")
    own = [_without(item, group) for group in found if item in group.ids]
    return [group for group in own if group.ids] + [group for group in found if item not in group.ids][:k]


def _without(item: str, group: Group) -> Group:
    return replace(group, ids=tuple(other for other in group.ids if other != item))


def _not_built(name: str) -> str:
    """The index of `articles` is made by the dataset `articles_embeddings`, and so on."""
    return f"There is no index {name} yet: run the DAG {name}_embeddings, or `shopmill run {name}_embeddings`."


def nearest(
    connection: psycopg.Connection[Any], source: sql.Identifier, vector: Sequence[float], k: int, *, exact: bool = False
) -> list[tuple[list[str], float]]:
    """Return the items and similarity of the `k` nearest vectors; inside a transaction, which bounds the settings."""
    see_pgvector(connection)
    width = str(min(max(LEAST_CANDIDATES, 2 * k), MOST_CANDIDATES))
    name, value = ("enable_indexscan", "off") if exact else ("hnsw.ef_search", width)
    connection.execute("SELECT set_config(%s, %s, true)", [name, value])
    question = sql.SQL(
        "SELECT ids, 1 - (embedding <=> %(v)s::vector) FROM {} ORDER BY embedding <=> %(v)s::vector LIMIT %(k)s"
    )
    return connection.execute(question.format(source), {"v": str(list(vector)), "k": k}).fetchall()


def see_pgvector(connection: psycopg.Connection[Any]) -> None:
    """Lets the transaction find pgvector's types and operators, whichever schema an administrator has put them into.

    InvalidInputError where the role may not use that schema.
    """
    question = (
        "SELECT quote_ident(nspname), has_schema_privilege(n.oid, 'USAGE'), current_user, nspname = ANY (current_schemas(true)) "
        "FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname = 'vector'"
    )
    row = connection.execute(question).fetchone()
    if row is None:
        return
    schema, may_use, role, is_searched = row
    if not may_use:
        raise InvalidInputError(
            f"pgvector is in the schema {schema}, which {role} may not use: run GRANT USAGE ON SCHEMA {schema} TO {role} "
            "as an administrator."
        )
    if not is_searched:
        added = "SELECT set_config('search_path', concat_ws(', ', nullif(current_setting('search_path'), ''), %s::text), true)"
        connection.execute(added, [schema])


def view_of(name: str) -> sql.Identifier:
    """The view through which readers see the index `name`."""
    return sql.Identifier(SCHEMA, name)


def _check_number(k: int) -> None:
    if not 1 <= k <= MOST_NEIGHBOURS:
        raise InvalidInputError(f"k must be 1 to {MOST_NEIGHBOURS}, not {k}.")


def _groups(rows: list[tuple[list[str], float]]) -> list[Group]:
    groups = [Group(tuple(sorted(ids)), similarity) for ids, similarity in rows]
    return sorted(groups, key=lambda group: (-group.similarity, group.ids))


def _items(groups: list[Group]) -> list[Neighbour]:
    neighbours = [Neighbour(item, group.similarity) for group in groups for item in group.ids]
    return sorted(neighbours, key=lambda neighbour: (-neighbour.similarity, neighbour.id))
