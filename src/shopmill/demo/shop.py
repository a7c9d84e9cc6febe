"""The shops that the demo knows, and the loading of one beside what else happens."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from threading import Event

from shopmill.demo.display import Loading
from shopmill.errors import InvalidInputError
from shopmill.shops import completejourney, synthetic
from shopmill.shops.loading import Progress

_LOOK_SECONDS = 0.1


Load = Callable[[str, float, Progress, Callable[[], None]], Mapping[str, int]]
"""Loads a shop of a scale into a database, and calls back when customers and articles are there."""


@dataclass(frozen=True)
class DemoShop:
    """A shop that the demo can load, and the first as_of that sees all of it."""

    note: str
    time_zone: str
    as_of: date
    load: Load


SHOPS = {
    "complete-journey": DemoShop(
        note=completejourney.SOURCE_NOTE,
        time_zone=completejourney.TIME_ZONE,
        as_of=completejourney.AS_OF,
        load=lambda dsn, _, progress, catalogue_loaded: completejourney.load(dsn, progress, catalogue_loaded),
    ),
    "synthetic": DemoShop(
        note=synthetic.SOURCE_NOTE,
        time_zone=synthetic.TIME_ZONE,
        as_of=synthetic.AS_OF,
        load=lambda dsn, scale, progress, catalogue_loaded: synthetic.load(
            dsn, scale, progress=progress, catalogue_loaded=catalogue_loaded
        ),
    ),
}


def known_shop(name: str) -> DemoShop:
    """The shop of a name; InvalidInputError where there is none."""
    if name not in SHOPS:
        raise InvalidInputError(f"There is no shop {name!r}: choose one of {', '.join(SHOPS)}.")
    return SHOPS[name]


class ShopLoads:
    """A shop that is loaded in a thread: what it sells at once, and the rest when it may go on.

    The machine has enough to do until the first dataset is published, and that one needs no more than what the shop sells.
    """

    def __init__(self, shop: DemoShop, dsn: str, scale: float, loading: Loading) -> None:
        self.loading = loading
        self._has_catalogue, self._may_go_on = Event(), Event()
        self._thread = ThreadPoolExecutor(1)
        self._rows = self._thread.submit(shop.load, dsn, scale, loading, self._catalogue_loaded)

    def wait_for_catalogue(self) -> None:
        """Waits until customers and articles are there; raises what ended the loading before that."""
        while not self._has_catalogue.wait(_LOOK_SECONDS) and not self.is_whole:
            pass

    def wait(self) -> None:
        """Waits until all is there, and lets it go on first; raises what ended the loading."""
        self.go_on()
        self._rows.result()

    def go_on(self) -> None:
        """Lets it load the rest."""
        self._may_go_on.set()

    @property
    def is_whole(self) -> bool:
        """Whether all is there; raises what ended the loading."""
        return self._rows.done() and self._rows.result() is not None

    def close(self) -> None:
        """Ends the loading with its next rows."""
        self.loading.stop()
        self.go_on()
        self._thread.shutdown()

    def _catalogue_loaded(self) -> None:
        self._has_catalogue.set()
        self._may_go_on.wait()
        self.loading.end_where_stopped()
