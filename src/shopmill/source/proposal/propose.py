"""A proposal for a shop: its mapping in a folder, and its settings as the text of a shopmill.toml."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from shopmill.errors import InvalidInputError, ShopmillError
from shopmill.settings import Settings
from shopmill.source.contract import TABLES
from shopmill.source.database import Source, open_source
from shopmill.source.mapping import CANONICAL, load_mapping
from shopmill.source.platforms import Platform, recognised
from shopmill.source.proposal import choices
from shopmill.source.proposal.choices import Choice
from shopmill.source.proposal.drafts import Draft
from shopmill.source.proposal.files import Files, drafts
from shopmill.source.proposal.matching import matches
from shopmill.source.proposal.tables import ShopTable, shop_tables
from shopmill.source.selection import Selection

Given = Mapping[str, Any]
"""Settings that the environment has decided, by name."""
SHOWN = 5
REPEATED = ("mapping", "time_zone", "currency")
"""Of these those that are repeated, so that the file says what a shop is."""


@dataclass(frozen=True)
class Proposal:
    """What was found and what is proposed. `newest` is the day of the last sale."""

    about: str
    drafts: tuple[Draft, ...]
    choices: tuple[Choice, ...]
    tables: tuple[str, ...]
    newest: date | None = None

    @property
    def questions(self) -> tuple[str, ...]:
        """What a person must decide, with where."""
        of_settings = [f"shopmill.toml: {choice.reason}" for choice in self.choices if not choice.is_decided]
        return (*of_settings, *(f"{draft.table}.sql: {asked}" for draft in self.drafts for asked in draft.asked))


def propose(settings: Settings, given: Given, folder: Path, named: str) -> Proposal:
    """Looks at the database, and proposes a mapping and settings.

    The files of a mapping, where some are needed, are written into the folder; the proposal calls it as it will be named.
    """
    canonical = settings.model_copy(update={"mapping": CANONICAL})
    with open_source(canonical, load_mapping(canonical)) as source:
        tables = shop_tables(source)
        platform = None if "mapping" in given else recognised(source.tables())
        own, of_rates = ((), "") if platform or "mapping" in given else _own(source, tables)
    made = _verified(canonical, own, folder)
    mapping, reason = _mapping(platform, len(made), given, len(tables), named)
    read = settings.model_copy(update={"mapping": str(folder) if made else mapping})
    there = _there(read)
    if not there and not made:
        raise InvalidInputError(_like_no_shop(tables))
    with open_source(read, load_mapping(read)) as source:
        found = _choices(source, tables, there, of_rates)
        newest = _newest(source, there)
    chosen = (Choice("mapping", mapping, reason), *found) if mapping != CANONICAL else found
    return Proposal(reason, made, _respecting(chosen, given), tuple(there), newest)


def _own(source: Source, tables: tuple[ShopTable, ...]) -> tuple[tuple[Draft, ...], str]:
    found = matches(tables)
    return drafts(source, found), Files(source, found).own_currency


def _mapping(platform: Platform | None, files: int, given: Given, tables: int, named: str) -> tuple[str, str]:
    """The setting, and why it is that."""
    if "mapping" in given:
        return given["mapping"], "SHOPMILL_MAPPING says so."
    if platform:
        return platform.preset, f"The tables are those of {platform.title}: this preset maps them ({platform.basis})."
    if files:
        return (
            named,
            f"Files of the mapping bring {files} tables into the contract's names; {tables} were looked at.",
        )
    return CANONICAL, "The tables have the contract's own names: there is nothing to map."


def _verified(settings: Settings, own: Iterable[Draft], folder: Path) -> tuple[Draft, ...]:
    """Writes the files. One that PostgreSQL does not take selects nothing, and says why."""
    made = []
    for draft in own:
        path = folder / f"{draft.table}.sql"
        folder.mkdir(exist_ok=True)
        path.write_text(draft.text, encoding="utf-8")
        if not draft.undecided and (refused := _refused(settings, draft)):
            draft = replace(draft, questions=(*draft.questions, f"PostgreSQL says: {refused}"), is_refused=True)  # noqa: PLW2901
            path.write_text(draft.text, encoding="utf-8")
        made.append(draft)
    return tuple(made)


def _refused(settings: Settings, draft: Draft) -> str:
    try:
        with open_source(settings, load_mapping(settings)) as source:
            source.types(TABLES[draft.table], draft.text)
    except ShopmillError as error:
        return " ".join(str(error).split())
    return ""


def _there(settings: Settings) -> dict[str, Selection]:
    """The tables that can be read as they are mapped, each in a transaction of its own; doctor says what is wrong with the others."""
    found: dict[str, Selection] = {}
    for table in TABLES.values():
        with suppress(ShopmillError), open_source(settings, load_mapping(settings)) as source:
            found[table.name] = source.selected(table)
    return found


def _choices(
    source: Source, tables: tuple[ShopTable, ...], there: Mapping[str, Selection], of_rates: str
) -> tuple[Choice, ...]:
    land = choices.country(source, tables, "")
    zone = choices.time_zone(source, land.value if land.is_decided else "")  # type: ignore[arg-type]
    if not land.is_decided and zone.is_decided:
        land = choices.country(source, (), str(zone.value))
    more = [
        choices.currency(source, there, of_rates),
        *choices.statuses(source, there),
        choices.vocabulary(source, there),
    ]
    return (zone, *(choice for choice in more if choice), *([land] if "transactions" in there else []))


def _newest(source: Source, there: Mapping[str, Selection]) -> date | None:
    for name in ("transactions", "events", "reviews"):
        if name in there:
            selection = there[name]
            time = f'mapped."{selection.table.time}"'
            newest = source.value(f"select max({time})::date::text from {selection.mapped} where {time} <= now()")
            if newest:
                return date.fromisoformat(str(newest))
    return None


def _respecting(found: Iterable[Choice], given: Given) -> tuple[Choice, ...]:
    """What the environment has decided is not asked again."""
    decided = [Choice(name, given[name], f"SHOPMILL_{name.upper()} says so.") for name in REPEATED if name in given]
    return (*decided, *(choice for choice in found if choice.name not in given))


def _like_no_shop(tables: tuple[ShopTable, ...]) -> str:
    shown = ", ".join(table.sql for table in tables[:SHOWN])
    more = f" and {len(tables) - SHOWN} more" if len(tables) > SHOWN else ""
    return (
        f"None of what the database has ({shown}{more}) looks like a table of a shop: write a mapping yourself "
        "(docs/your-shop.md, Tables with other names)."
    )


def as_of(newest: date | None) -> str:
    """The day to run for first: the one after the last sale, but not a day that is not over."""
    today = datetime.now(UTC).date()
    return str(min(newest + timedelta(days=1), today) if newest else today)
