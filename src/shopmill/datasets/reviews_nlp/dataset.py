"""Every usable review with its clean text, language and baseline sentiment, and its sentence embedding.

`reviews` has the reviews dated before as_of.

- `text_clean`: without HTML, URLs and control characters, e-mail addresses as `[email]`, telephone numbers (any number
  of seven digits or more that does not have the form of a date, price, measure or size) as `[phone]`, white space single,
  quotes straight, Unicode in NFC. Case and punctuation stay. `text_lower` is the same in lower case. `n_chars` and
  `n_words` are of `text_clean`. A review without words keeps its stars: `text_clean` and all that is computed of it are
  null, `n_chars` and `n_words` are 0.
- A review is of an article, or, without an `article_id`, of a product: all articles with its `product_code`.
- `category` is the article's `index_group_name`, as in timeseries; null where the article has none or is unknown. A product's is
  that of its articles, the first in alphabetical order where they differ.
- `lang` is one of 31 languages and those of the parameter `languages` (ISO 639-1), null where the detector is less sure
  than `min_lang_confidence`. Short texts often are: name the languages that the shop expects, and a text that is not
  clearly in another one is taken to be in one of them. `lang_confidence` is there for every text.
- `sentiment_compound` is VADER's compound score in [-1, 1], `sentiment_label` its published reading: positive from
  0.05, negative from -0.05 down. Null for a text that is not known to be English: VADER knows no other language.
- `rating_sentiment_gap` = (rating - 3) / 2 - sentiment_compound, in [-2, 2]: above 0 the stars are better than the
  words, below 0 the words are better than the stars. Null without a sentiment.
- `duplicate_of`: the first review (by review_date, then review_id) that has the same words, emoji and emoticons, case and
  punctuation aside, whoever wrote it and of whichever article; null for that first one, for texts that are there once
  and for reviews without text. Scores of duplicates may differ, since VADER reads case and exclamation marks. Leave
  the duplicates out where the same text must not be in training and in test data.

`embeddings` has a vector for every review with text, duplicates included. Equal texts are encoded once and kept in the store's
cache, which articles_embeddings shares; a second run encodes nothing.

Rejected are reviews without an id or a date, with a rating that is null or outside 1 to 5, with a text shorter than
`min_chars` (1: none), of an article or product that the catalogue does not have (unless `keep_unknown_articles`), and repeated
ids: of the usable reviews with the same id the first by review_date is kept (ties: in the order of customer_id,
article_id, rating, text, product_code). Rejects show the cleaned text, so that masked addresses stay masked.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from shopmill.declaration import (
    REJECTS,
    Column,
    Dataset,
    Input,
    Join,
    Parameter,
    Promise,
    QueryCheck,
    RowCheck,
    Table,
    Task,
)
from shopmill.embeddings.table import (
    ENCODER_SETTINGS,
    MAX_COLLAPSED_SHARE,
    PACKAGES,
    embedding_checks,
    embedding_table,
)
from shopmill.text.languages import KNOWN

FUNCTIONS = "shopmill.datasets.reviews_nlp.texts"

SHOP_COLUMNS = (
    Column("review_id", "varchar", "review as the shop names it"),
    Column("customer_id", "varchar", "who wrote it, null when not known", required=False),
    Column("article_id", "varchar", "article as the shop names it, zero-padded text", required=False),
    Column(
        "product_code",
        "varchar",
        "product of the article; where article_id is null, what the review is of",
        required=False,
    ),
    Column("rating", "integer", "stars", "1 worst to 5 best", minimum=1, maximum=5),
    Column("review_date", "timestamptz", "when it was written", "UTC"),
)
TEXT_COLUMNS = (
    Column(
        "text_clean", "varchar", "the text without markup and addresses, case kept; null: stars only", required=False
    ),
    Column("text_lower", "varchar", "text_clean in lower case", required=False),
    Column("n_chars", "integer", "length of text_clean", "characters", minimum=0),
    Column("n_words", "integer", "words of text_clean, as white space parts them", "words", minimum=0),
)

CLEANED = Table(
    name="cleaned_reviews",
    grain="one row per review of the shop",
    columns=(
        *SHOP_COLUMNS,
        *TEXT_COLUMNS,
        Column("duplicate_key", "varchar", "the words, without case and punctuation", required=False),
        Column("problem", "varchar", "why the row cannot be used", required=False),
        Column("source_day", "date", "its day in the shop's time zone", required=False),
        Column("source_row", "varchar", "the row as JSON, without the text"),
    ),
    may_be_empty=True,
    published=False,
    function=f"{FUNCTIONS}:clean_reviews",
)

REVIEWS = Table(
    name="reviews",
    grain="one row per usable review",
    key=("review_id",),
    columns=(
        *SHOP_COLUMNS,
        Column("category", "varchar", "index_group_name of the article", required=False),
        *TEXT_COLUMNS,
        Column("lang", "varchar", "language, ISO 639-1; null when unsure", required=False),
        Column(
            "lang_confidence",
            "double",
            "probability of the likeliest language; null without text",
            "probability",
            required=False,
            minimum=0,
            maximum=1,
        ),
        Column(
            "sentiment_compound",
            "double",
            "VADER's compound score; null unless English",
            "-1 worst to 1 best",
            required=False,
            minimum=-1,
            maximum=1,
        ),
        Column(
            "sentiment_label",
            "varchar",
            "reading of sentiment_compound",
            required=False,
            allowed=("positive", "neutral", "negative"),
        ),
        Column(
            "rating_sentiment_gap",
            "double",
            "how much better the stars are than the words",
            "units of sentiment",
            required=False,
            minimum=-2,
            maximum=2,
        ),
        Column("duplicate_of", "varchar", "the first review with the same words", required=False),
    ),
    checks=(
        RowCheck("before as_of", "review_date < $as_of_at", "no review was written at or after as_of"),
        RowCheck(
            "sentiment of English",
            "coalesce(lang, '') = 'en' or sentiment_compound is null",
            "a language that VADER does not know has no score",
        ),
        RowCheck(
            "label fits score",
            """coalesce(sentiment_label, '') = case
              when sentiment_compound is null then ''
              when sentiment_compound >= cast(0.05 as double) then 'positive'
              when sentiment_compound <= cast(-0.05 as double) then 'negative'
              else 'neutral'
            end""",
            "the label is the published reading of the score",
        ),
        RowCheck(
            "stars only",
            "(text_clean is null) = (n_chars = 0)",
            "a review without text has no characters, and no other has none",
        ),
        RowCheck(
            "e-mail addresses masked",
            "text_clean is null or not regexp_matches(text_clean, '[a-zA-Z0-9]@[a-zA-Z0-9-]+[.][a-zA-Z]')",
            "text_clean holds no e-mail address; one review does not stop the others",
            severity="warn",
        ),
    ),
    function=f"{FUNCTIONS}:score_reviews",
)

EMBEDDINGS = embedding_table(
    "embeddings",
    Column("review_id", "varchar", "review as the shop names it"),
    "one row per review with text",
    may_be_empty=True,
)

DATASET = Dataset(
    name="reviews_nlp",
    title="Reviews NLP",
    owner="ml-platform",
    promise=Promise(within=timedelta(hours=4), age=timedelta(hours=30)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    extracts={"extract": (Input("reviews", is_fresh=True), Input("articles"))},
    tasks=(
        Task("text_cleaning", ("cleaned_reviews",)),
        Task("quality_checks", ("rejects",)),
        Task("baseline_sentiment", ("reviews",)),
        Task("bert_embeddings", ("embeddings",)),
    ),
    tables=(REVIEWS, EMBEDDINGS, CLEANED, REJECTS),
    parameters=(
        Parameter(
            "min_chars", "integer", 1, "characters that a clean text has at least; a review without text is kept", 1
        ),
        Parameter(
            "languages",
            "text",
            "",
            "languages that the shop expects, such as en,pt: short texts are taken to be in one of them",
            choices=KNOWN,
            is_list=True,
        ),
        Parameter("min_lang_confidence", "decimal", Decimal("0.5"), "probability below which lang is null", 0, 1),
        Parameter(
            "keep_unknown_articles", "boolean", False, "keep reviews of articles that are missing in the catalogue"
        ),
        Parameter(
            "max_reject_share",
            "decimal",
            Decimal("0.05"),
            "share of the rows of a source table that may be rejected",
            0,
            1,
        ),
        MAX_COLLAPSED_SHARE,
        Parameter("fresh_days", "integer", 7, "age of the newest reviews in days above which a run warns", 0, 36500),
    ),
    checks=(
        QueryCheck(
            "duplicates have an original",
            "duplicate_of names a review that is there and is itself no duplicate",
        ),
        QueryCheck(
            "a vector for every text",
            "the reviews with text and the embeddings have the same ids",
        ),
        *embedding_checks(EMBEDDINGS),
    ),
    joins=(Join("cleaned_reviews", "article_id", "articles"),),
    settings=ENCODER_SETTINGS,
    packages=("py3langid", "vaderSentiment", *PACKAGES),
)
