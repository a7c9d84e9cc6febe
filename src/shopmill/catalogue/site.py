"""Addresses to pages and back: the same relative links hold for files in a folder and below any path of a server."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from shopmill.catalogue.pages import Page, dataset, diff, lineage, overview, picture, quality, runs, size_of, version
from shopmill.catalogue.reader import NotThereError, Reader

ASSETS = {"catalogue.css": "text/css", "catalogue.js": "text/javascript"}
NAVIGATION = (("Catalogue", "index.html"), ("Quality", "quality.html"), ("Runs", "runs.html"))
TABS = (
    ("Overview", "index"),
    ("Picture", "picture"),
    ("Quality", "quality"),
    ("Lineage", "lineage"),
)
Build = Callable[..., Page]
NAME, KEY = r"(?P<name>[A-Za-z0-9_.-]+)", r"[A-Za-z0-9_.-]+?"
ROUTES: tuple[tuple[re.Pattern[str], Build], ...] = tuple(
    (re.compile(pattern), build)
    for pattern, build in (
        (r"(index\.html)?", lambda reader, **_: overview.build(reader)),
        (r"quality\.html", lambda reader, **_: quality.build_all(reader)),
        (r"runs\.html", lambda reader, **_: runs.build(reader)),
        (rf"datasets/{NAME}/(index\.html)?", lambda reader, name, **_: dataset.build(reader, name)),
        (rf"datasets/{NAME}/quality\.html", lambda reader, name, **_: quality.build(reader, name)),
        (rf"datasets/{NAME}/lineage\.html", lambda reader, name, **_: lineage.build(reader, name)),
        (
            rf"datasets/{NAME}/picture\.html",
            lambda reader, name, wanted="", **_: picture.build(reader, name, wanted),
        ),
        (
            rf"datasets/{NAME}/versions/(?P<key>{KEY})\.html",
            lambda reader, name, key, **_: version.build(reader, name, key),
        ),
        (
            rf"datasets/{NAME}/diffs/(?P<old>{KEY})\.\.\.(?P<new>{KEY})\.html",
            lambda reader, name, old, new, **_: diff.build(reader, name, old, new),
        ),
    )
)


@dataclass(frozen=True)
class Site:
    """Renders pages. `airflow` is where Airflow's UI is from the root of the catalogue; empty when there is none.

    `whole` puts style and script into each page. With `can_ask`, pages are made when they are asked for, so that
    they may have forms and links to any comparison.
    """

    airflow: str = ""
    whole: bool = False
    can_ask: bool = False

    def run_href(self, root: str, dag_id: str, run_id: str) -> str:
        """Where Airflow shows a DAG run."""
        base = self.airflow.rstrip("/") + "/" if "://" in self.airflow else root + self.airflow
        return f"{base}dags/{quote(dag_id)}/runs/{quote(run_id)}"

    def open(self, reader: Reader, path: str, wanted: str = "") -> str:
        """The page of an address; NotThereError where there is none."""
        for pattern, build in ROUTES:
            if match := pattern.fullmatch(path):
                return self.render(build(reader, wanted=wanted, **match.groupdict()), path)
        raise NotThereError(f"There is no page {path!r}.")

    def trouble(self, path: str, sentence: str) -> str:
        """A page that says what is wrong."""
        return self.render(Page("trouble.html", "Not to be shown", sentence, (("Catalogue", "index.html"),)), path)

    def render(self, page: Page, path: str) -> str:
        """The HTML of a page that is read at `path`."""
        context = {
            "page": page,
            "model": page.model,
            "root": "../" * path.count("/"),
            "site": self,
            "navigation": NAVIGATION,
            "tabs": TABS if page.dataset else (),
            "style": asset("catalogue.css") if self.whole else "",
            "script": asset("catalogue.js") if self.whole else "",
        }
        return _environment().get_template(page.template).render(context)


@cache
def asset(name: str) -> Markup:
    """A style sheet or script of the package."""
    return Markup((files("shopmill.catalogue") / "assets" / name).read_text())  # noqa: S704 (our own file)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("shopmill.catalogue"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, size=size_of, markdown=_markdown, seconds=_seconds, moment=_moment)
    return environment


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,}"


def _seconds(value: float | None) -> str:
    if value is None:
        return ""
    minutes, seconds = divmod(round(value), 60)
    return f"{value:.1f} s" if value < 10 else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"  # noqa: PLR2004


def _moment(value: Any) -> str:
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def _markdown(text: str) -> Markup:
    """Documentation as HTML; HTML within it is shown, never executed."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    return Markup(parser.render(text))  # noqa: S704 (escaped by the parser)


def pages(reader: Reader, names: list[str] | None = None, most_versions: int = 50) -> Iterator[str]:
    """The addresses of a report: of all datasets or of some, with the newest versions and their comparisons."""
    yield from ("index.html", "quality.html", "runs.html")
    for name in names or reader.names:
        reader.need(name)
        yield from (f"datasets/{name}/{page}.html" for _, page in TABS if page != "lineage" or reader.declared(name))
        newest = reader.history(name).all[-most_versions:]
        yield from (f"datasets/{name}/versions/{summary.key}.html" for summary in newest)
        for old, new in pairwise(newest):
            yield f"datasets/{name}/diffs/{old.key}...{new.key}.html"
