"""What there is to verify, by the settings: a look for each dataset, with its registry and vector index."""

from functools import partial
from typing import TYPE_CHECKING

import psycopg

from shopmill import datasets
from shopmill.errors import PermanentError, RegistryError
from shopmill.registry import Registry
from shopmill.settings import Settings
from shopmill.trust.finding import Finding
from shopmill.trust.verify import Verification
from shopmill.versions.proof import Hashing, Report, unreported
from shopmill.versions.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable


class DifferencesError(PermanentError):
    """What is in the store is not what its documents say. `sentences` has a difference each."""

    def __init__(self, findings: list[Finding]):
        more = f", and {len(findings) - 1} more differences" if len(findings) > 1 else ""
        super().__init__(
            f"{findings[0].where} {findings[0].fault}{more}. Run `shopmill verify --all --raw` for all of them."
        )
        self.sentences = tuple(finding.sentence for finding in findings)


def verifications(
    settings: Settings,
    dataset: str | None = None,
    raw: bool = False,
    trusting: bool = False,
    report: Report = unreported,
) -> list[Verification]:
    """A look at each dataset, or at one. A raw file that several versions were read from is looked at once.

    `report` is given how many bytes of how many are read, of each dataset by itself.
    """
    store = Store(settings.store)
    dsn = settings.registry_dsn.get_secret_value()
    names = [dataset] if dataset else datasets.names()
    registry = Registry(dsn) if dsn else None
    served: Callable[[], str | None] | None = partial(_served, settings) if dsn else None
    known: dict[str, str] = {}
    return [
        Verification(store, datasets.load(name), settings.zone, registry, raw, served, known, Hashing(report), trusting)
        for name in names
    ]


def _served(settings: Settings) -> str | None:
    """The version that the vector index serves."""
    from shopmill.embeddings.neighbours import INDEX, connect
    from shopmill.text.index import current_index

    try:
        with connect(settings) as connection:
            report = current_index(connection, INDEX)
    except psycopg.Error as error:  # it may be there, and not be for this role
        raise RegistryError(f"The vector index cannot be read: {str(error).splitlines()[0]}.") from None
    return report.version if report else None
