"""The catalogue as files: a folder that opens from disk, and that CI may keep or a mail may link to."""

import posixpath
import re
from collections.abc import Callable, Collection
from pathlib import Path

from shopmill.catalogue.reader import NotThereError, Reader
from shopmill.catalogue.site import ASSETS, Site, asset, pages


def write_report(
    reader: Reader,
    folder: Path,
    names: list[str] | None = None,
    airflow: str = "",
    most_versions: int = 50,
    on_page: Callable[[int, int], None] = lambda _done, _all: None,
) -> list[Path]:
    """Writes the pages into `folder`, calling `on_page` with how many of how many are done; returns their paths."""
    addresses = list(dict.fromkeys(pages(reader, names, most_versions)))
    site = Site(airflow=airflow)
    written = []
    for done, address in enumerate(addresses, start=1):
        written.append(_write(folder / address, without_dead_links(_page(site, reader, address), address, addresses)))
        on_page(done, len(addresses))
    for name in ASSETS:
        _write(folder / "assets" / name, asset(name))
    return written


def _page(site: Site, reader: Reader, address: str) -> str:
    try:
        return site.open(reader, address)
    except NotThereError as error:  # gc removed a version while the report was written
        return site.trouble(address, str(error))


LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)


def without_dead_links(html: str, address: str, addresses: Collection[str]) -> str:
    """The page with links to pages that the report leaves out, such as old versions, as plain text."""
    here, known = posixpath.dirname(address), {*addresses, *(f"assets/{name}" for name in ASSETS)}

    def kept(link: re.Match[str]) -> str:
        target = link[1].partition("#")[0]
        is_outside = "://" in target or not target or link[1].startswith("#")
        return link[0] if is_outside or posixpath.normpath(posixpath.join(here, target)) in known else link[2]

    return LINK.sub(kept, html)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path
