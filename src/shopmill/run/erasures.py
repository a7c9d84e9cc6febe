"""No run brings back a person who was erased: neither from a backup of the store, nor from rows that it read before."""

from shopmill.errors import ConflictError, InvalidInputError
from shopmill.registry.erasures import Erasures
from shopmill.run.run import Run
from shopmill.source.tombstones import Tombstones


def note_erasures(run: Run) -> None:
    """Notes who has been erased when a run begins; InvalidInputError where the store is older than an erasure."""
    found = Tombstones.read(run.store, run.settings.pseudonym_key)
    known = Erasures(run.registry, run.store.url).tombstones()
    if missing := known.keys() - found.people.keys():
        whom = "a person was erased" if len(missing) == 1 else f"{len(missing)} people were erased"
        raise InvalidInputError(
            f"The store {run.store.url} is from before {whom}: run `shopmill erase --restored` first."
        )
    if unfinished := [one for one in found.people.values() if not one.complete]:
        raise ConflictError(
            f"The erasure that began on {unfinished[0].at[:10]} has not come to its end: run `shopmill erase` for the same "
            "customer again."
        )
    run.staging.write_erasures(found.state)


def nobody_left(run: Run) -> None:
    """ConflictError where a person was erased since the run read its rows."""
    if Tombstones.read(run.store, run.settings.pseudonym_key).state != run.staging.erasures():
        raise ConflictError(f"A person was erased since the run of {run.dataset.name} began. Run it again.")
