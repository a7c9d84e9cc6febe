"""What `shopmill verify --raw` says of a store as a whole: whose it is, and people who were erased and are there again."""

from collections.abc import Collection, Iterator
from contextlib import nullcontext
from pathlib import Path

from shopmill.errors import DamagedError, InvalidInputError, RegistryError
from shopmill.registry import Registry
from shopmill.registry.erasures import Erasures
from shopmill.settings import Settings
from shopmill.source.shop import fault_of_owner
from shopmill.source.tombstones import KEY, Tombstones
from shopmill.trust.erasure.holdings import Holdings
from shopmill.trust.erasure.journal import PLAN
from shopmill.trust.erasure.search import returned
from shopmill.trust.finding import AGAIN, Finding
from shopmill.versions.layout import SHOP
from shopmill.versions.store import Store

WAY_OUT = "Run `shopmill repair`, what `shopmill verify` names, or `shopmill gc --delete` where nothing needs it."


def findings(settings: Settings) -> Iterator[Finding]:
    """A finding where an erasure has not ended, one for all people whom a backup brought back, and what cannot be read."""
    store = Store(settings.store, settings.work_folder)
    if fault := fault_of_owner(store):
        yield Finding("", "", store.uri(SHOP), "is damaged, so runs are refused", fault)
    if store.exists(PLAN):
        way_out = "Run `shopmill erase` for the same customer again."
        yield Finding("", "", store.uri(PLAN), "is of an erasure that has not come to its end", way_out)
    found, known = None, dict[str, list[str]]()
    try:
        found = Tombstones.read(store, settings.pseudonym_key)
    except (DamagedError, InvalidInputError) as error:
        yield Finding("", "", store.uri(KEY), "does not say who was erased, so they could be back", str(error))
    try:
        known = _registered(settings, store)
    except RegistryError as error:
        fault = f"could lack people who were erased: {str(error).rstrip('.')}"
        yield Finding("", "", store.uri(KEY), fault, AGAIN)
    if found and (lacking := known.keys() - found.people.keys()):
        fault = f"lacks {len(lacking)} of the people who were erased"
        yield Finding("", "", store.uri(KEY), fault, "Run `shopmill erase --restored`.")
    ids = (found.ids if found else set()) | {value for person, own in known.items() for value in (person, *own)}
    if settings.pseudonym_key.get_secret_value():
        yield from _back(settings, store, ids)
    elif ids:
        yield Finding(
            "", "", store.url, "could have people who were erased", "Set SHOPMILL_PSEUDONYM_KEY to find them."
        )


def _back(settings: Settings, store: Store, ids: Collection[str]) -> Iterator[Finding]:
    left_out: dict[str, str] = {}
    with nullcontext(Path()) if store.root else store.scratch() as scratch:  # who may only read looks as well
        back = returned(Holdings(store, settings.zone, scratch, left_out), settings.pseudonym_key, ids)
    for key in left_out:
        yield Finding("", "", store.uri(key), "cannot be read, so an erased customer could be in it", WAY_OUT)
    if back:
        what = "has a customer who was erased" if len(back) == 1 else f"has {len(back)} customers who were erased"
        yield Finding("", "", store.url, what, "Run `shopmill erase --restored`.")


def _registered(settings: Settings, store: Store) -> dict[str, list[str]]:
    """The ids of each person whom the registry knows as erased."""
    dsn = settings.registry_dsn.get_secret_value()
    found = Erasures(Registry(dsn), store.url).tombstones() if dsn else {}
    return {person: tombstone["ids"] for person, tombstone in found.items()}
