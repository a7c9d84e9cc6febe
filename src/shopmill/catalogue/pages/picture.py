"""What a dataset is for, in a picture: a funnel by day, a series, neighbours, a heat map, reviews with their sentiment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
from markupsafe import Markup

from shopmill.catalogue.drawings import Line, bars, chart, heat_map
from shopmill.catalogue.pages import Page, dataset_path
from shopmill.catalogue.reader import Reader
from shopmill.personal import masked
from shopmill.versions.manifest import Manifest

DAYS = 180
SHOWN_SERIES = 3
NEIGHBOURS = 6
LONGEST = 400
NOTHING = Markup("")


@dataclass(frozen=True)
class Figure:
    """A drawing or a list with its caption."""

    caption: str
    drawing: Markup = NOTHING
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[str, ...]] = ()


@dataclass(frozen=True)
class PicturePage:
    """The page's content."""

    name: str
    as_of: str
    figures: list[Figure]
    trouble: str = ""


@dataclass(frozen=True)
class Look:
    """A version whose tables can be asked."""

    reader: Reader
    manifest: Manifest
    connection: "duckdb.DuckDBPyConnection"

    def rows(self, query: str, *values: Any, **most_rows: int | None) -> list[tuple[Any, ...]]:
        """The rows of a query that names tables as `{table}`."""
        tables = {
            name: f"read_parquet({self.reader.files(self.manifest, name, most_rows.get(name))!r}, hive_partitioning = false)"
            for name in self.manifest.tables
            if f"{{{name}}}" in query
        }
        return self.connection.execute(query.format(**tables), list(values)).fetchall()


Draw = Callable[[Look, str], list[Figure]]


def build(reader: Reader, name: str, wanted: str = "") -> Page:
    """The picture of the current version. `wanted` is an article or a series to show instead of the usual ones."""
    reader.need(name)
    current = reader.history(name).newest
    model = PicturePage(name, current.as_of if current else "", [])
    if current and name in PICTURES:
        model = _drawn(reader, name, reader.manifest(current), wanted)
    crumbs = (("Catalogue", "index.html"), (name, dataset_path(name)))
    return Page("picture.html", f"{name} in a picture", model, crumbs, name, dataset_path(name, "picture"))


def _drawn(reader: Reader, name: str, manifest: Manifest, wanted: str) -> PicturePage:
    with duckdb.connect(config={"threads": 2}) as connection:
        try:
            figures = PICTURES[name](Look(reader, manifest, connection), wanted)
        except (OSError, duckdb.Error, KeyError) as error:
            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            return PicturePage(name, manifest.as_of, [], f"The files of this version cannot be read: {reason}")
    return PicturePage(name, manifest.as_of, figures)


def _funnel(look: Look, _: str) -> list[Figure]:
    steps = ("session", "view", "add_to_cart", "checkout", "purchase")
    names = ["session_count", *(f"{step}_session_count" for step in steps[1:])]
    sums = ", ".join(f"sum({name})" for name in names)
    days = look.rows(f"select session_day, {sums} from {{funnel_daily}} group by 1 order by 1 desc limit {DAYS}")[::-1]
    words = ["sessions", "viewed", "put into the cart", "went to checkout", "purchased"]
    lines = [Line(word, [float(day[i + 1]) for day in days], is_area=True) for i, word in enumerate(words)]
    total = [(word, float(sum(day[i + 1] for day in days))) for i, word in enumerate(words)]
    by_day = chart([str(day[0]) for day in days], lines, "The funnel by day")
    return [
        Figure(f"Sessions by how far they got, by day of their start (the last {len(days)} days)", by_day),
        Figure(f"The same of these {len(days)} days together", bars(total, "The funnel of all these days", 620)),
    ]


def _series(look: Look, wanted: str) -> list[Figure]:
    chosen = [wanted] if wanted else _most_sold(look)
    texts = _texts_of_articles(look)
    figures = []
    for unique_id in chosen:
        rows = look.rows(
            "select ds, y, rolling_mean_lag1_w7, rolling_mean_lag1_w30, is_promo from {article_daily} "
            f"where unique_id = ? order by ds desc limit {DAYS}",
            unique_id,
            article_daily=None,
        )[::-1]
        names = ("units sold", "mean of 7 days before", "mean of 30 days before")
        lines = [
            Line(n, [None if r[i + 1] is None else float(r[i + 1]) for r in rows], i == 0) for i, n in enumerate(names)
        ]
        promoted = sum(bool(row[4]) for row in rows)
        caption = (
            f"Article {unique_id}{_named(texts(unique_id))}: {len(rows)} days, {promoted} of them promoted"
            if rows
            else f"There is no series {unique_id}."
        )
        figures.append(
            Figure(caption, chart([str(r[0]) for r in rows], lines, f"Series of {unique_id}") if rows else Markup(""))
        )
    return figures


def _named(text: str) -> str:
    """What an article's text begins with: its name."""
    return f" ({text.partition('. ')[0]})" if text else ""


def _most_sold(look: Look) -> list[str]:
    rows = look.rows(
        f"select unique_id from {{article_weekly}} group by 1 order by sum(y) desc nulls last, 1 limit {SHOWN_SERIES}"
    )
    return [row[0] for row in rows]


def _neighbours(look: Look, wanted: str) -> list[Figure]:
    chosen = [wanted] if wanted else _spread_articles(look)
    texts = _texts_of_articles(look)
    figures = []
    for article in chosen:
        rows = look.rows(
            # Articles with one text have one vector: of each different text one article is enough.
            "with one as (select embedding, text_hash from {bert} where article_id = ?) "
            "select min(article_id), any_value(list_cosine_similarity(bert.embedding, one.embedding)) as similarity "
            "from {bert} as bert, one where bert.text_hash <> one.text_hash and bert.embedding is not null "
            f"group by bert.text_hash order by similarity desc, 1 limit {NEIGHBOURS}",
            article,
        )
        listed = [(row[0], f"{row[1]:.3f}", texts(row[0])) for row in rows if row[1] is not None]
        caption = (
            f"Articles like {article}: {texts(article)}" if listed else f"There is no article {article} with a vector."
        )
        figures.append(Figure(caption, columns=("article", "similarity", "text"), rows=listed))
    return figures


def _spread_articles(look: Look) -> list[str]:
    rows = look.rows(
        f"select article_id from {{bert}} where embedding is not null order by md5(article_id) limit {SHOWN_SERIES}"
    )
    return [row[0] for row in rows]


def _texts_of_articles(look: Look) -> Callable[[str], str]:
    """What the catalogue's own articles say; nothing where articles_content has no version."""
    content = look.reader.history("articles_content").newest if "articles_content" in look.reader.names else None
    if content is None:
        return lambda _: ""
    beside = Look(look.reader, look.reader.manifest(content), look.connection)

    def text(article: str) -> str:
        rows = beside.rows("select content_text from {articles} where article_id = ?", article)
        return rows[0][0][:LONGEST] if rows else ""

    return text


def _rfm(look: Look, _: str) -> list[Figure]:
    rows = look.rows(
        "select r_score, f_score, count(*), any_value(rfm_segment) from {features} where r_score is not null group by 1, 2"
    )
    cells = {(r, f): (float(n), f"recency {r}, frequency {f}: {n:,} customers, {segment}") for r, f, n, segment in rows}
    segments = look.rows(
        "select rfm_segment, count(*) as n from {features} where rfm_segment is not null group by 1 order by n desc, 1"
    )
    return [
        Figure(
            "Customers by recency and frequency, 5 is best; where nobody is, many had the same value",
            heat_map(cells, "recency score: how lately they bought", "frequency", "Customers by RFM"),
        ),
        Figure("Customers by segment", bars([(s, float(n)) for s, n in segments], "Customers by segment", 620)),
    ]


def _stars(rating: int | None) -> str:
    return "no stars" if rating is None else "1 star" if rating == 1 else f"{rating} stars"


def _reviews(look: Look, _: str) -> list[Figure]:
    by_rating = look.rows("select rating, avg(sentiment_compound), count(*) from {reviews} group by 1 order by 1 desc")
    labels = look.rows(
        "select coalesce(sentiment_label, 'no score'), count(*) from {reviews} group by 1 order by 2 desc, 1"
    )
    shown = look.rows(
        "select rating, sentiment_compound, text_clean from {reviews} where sentiment_compound is not null "
        "qualify row_number() over (partition by sentiment_label order by md5(review_id)) <= 3 order by sentiment_compound desc"
    )
    samples = [(_stars(r), f"{s:+.2f}", str(masked("text", t))[:LONGEST]) for r, s, t in shown]
    stars = [(_stars(r), f"{n:,}", "" if mean is None else f"{mean:+.2f}") for r, mean, n in by_rating]
    return [
        Figure("Reviews by sentiment", bars([(s, float(n)) for s, n in labels], "Reviews by sentiment", 620)),
        Figure("Mean sentiment by stars, from -1 to +1", columns=("stars", "reviews", "mean sentiment"), rows=stars),
        Figure("Reviews with their sentiment", columns=("stars", "sentiment", "text"), rows=samples),
    ]


def _interactions(look: Look, _: str) -> list[Figure]:
    kinds = ("purchase", "cart", "click", "view", "return")
    total = look.rows("select " + ", ".join(f"sum({kind}_count)" for kind in kinds) + " from {interactions}")[0]
    ages = look.rows(
        "select least(recency_days // 7, 51), sum(time_weighted_score)::double, sum(interaction_count) "
        "from {interactions} group by 1 order by 1"
    )
    lines = [
        Line("signals", [float(row[2]) for row in ages], is_area=True),
        Line("weight that is left of them", [max(0.0, float(row[1])) for row in ages], is_area=True),
    ]
    return [
        Figure(
            "Signals by kind",
            bars([(k, float(n or 0)) for k, n in zip(kinds, total, strict=True)], "Signals by kind", 620),
        ),
        Figure(
            "Signals by weeks since the last one, and what their age leaves of their weight",
            chart([f"{row[0]} weeks" for row in ages], lines, "Signals and their weight by age"),
        ),
    ]


def _content(look: Look, _: str) -> list[Figure]:
    groups = look.rows(
        "select coalesce(product_group_name, 'none'), count(*) as n from {articles} where is_active group by 1 order by n desc, 1 limit 12"
    )
    changes = look.rows("select change, count(*) from {catalogue_changes} group by 1 order by 2 desc, 1")
    return [
        Figure(
            "Active articles by product group, the twelve largest",
            bars([(g, float(n)) for g, n in groups], "Articles by group", 620),
        ),
        Figure("What changed since the previous version", bars([(c, float(n)) for c, n in changes], "Changes", 620))
        if changes
        else Figure("Nothing changed since the previous version."),
    ]


PICTURES: dict[str, Draw] = {
    "events_and_funnels": _funnel,
    "timeseries": _series,
    "articles_embeddings": _neighbours,
    "customer_features": _rfm,
    "reviews_nlp": _reviews,
    "user_item_interactions": _interactions,
    "articles_content": _content,
}
