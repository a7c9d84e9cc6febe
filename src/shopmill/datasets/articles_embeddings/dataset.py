"""Every active article as a TF-IDF row and as a sentence embedding, and the vector index that finds its neighbours.

It is made of a version of articles_content: the one at as_of, or else the newest before it. A run that was woken by the
event of changed texts has that event's as_of; the weekly run, and one by hand, the shop's day on which it starts. Where
both come at once, the later finds the same version made of the same texts and skips the rest.

- `bert`: a vector for each active article's `content_text`; null where the text has no token. `text_hash` is the
  article's `content_hash`. Only texts that the store's cache does not have are encoded, each once; reviews_nlp shares
  the cache. All vectors of a version come from one revision of one model (the setting SHOPMILL_ENCODER).
- `tfidf`: a matrix of the same articles by the terms of this version's own texts.
- The index: the vectors of the current version in the registry's database (pgvector, HNSW with m = 16 and
  ef_construction = 200), behind the view `shopmill.articles`. `quality_check` builds it beside the one that serves and
  measures its recall@10 against exact search: below `least_recall` nothing is published, and the old version and index
  stay. Once the version is published, `register_metadata` lets readers see the new index, all at once. The recall is
  among the checks in the manifest, but no part of what the version's id hashes: no two builds have the same graph. Of a
  version that is not the newest no index is built. Without pgvector there is a warning and no index.

Ask the index with `shopmill similar ARTICLE_ID`, `shopmill search "warm winter coat"`, `shopmill.similar(...)`,
`shopmill.search(...)`, or in SQL: `SELECT ids FROM shopmill.articles ORDER BY embedding <=> $1 LIMIT 10`.
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from shopmill.declaration import Artifact, Column, Dataset, Input, Parameter, Promise, QueryCheck, Serving, Task
from shopmill.embeddings.table import (
    ENCODER_SETTINGS,
    MAX_COLLAPSED_SHARE,
    PACKAGES,
    embedding_checks,
    embedding_table,
)

FOLDER = "shopmill.datasets.articles_embeddings"

BERT = embedding_table(
    "bert",
    Column("article_id", "varchar", "article as the shop names it, zero-padded text"),
    "one row per active article",
)

TFIDF = Artifact(
    name="tfidf",
    meaning="matrix.npz: CSR float32 [articles, terms], rows of length 1, for scipy.sparse.load_npz; rows.parquet: the "
    "article_id of each row; vocabulary.parquet: term, document_frequency and idf of each column. A term is a word of "
    "two characters or more in lower case (and pairs of neighbours with longest_ngram = 2); "
    "idf = ln((1 + articles) / (1 + document_frequency)) + 1",
    function=f"{FOLDER}.matrix:write_tfidf",
    key=("article_id",),
)

SERVING = Serving(
    name="recall@10",
    meaning="the vector index finds the ten nearest articles (least_recall); a warning where there can be no index",
    prepare=f"{FOLDER}.index:prepare",
    serve=f"{FOLDER}.index:serve",
)

DATASET = Dataset(
    name="articles_embeddings",
    title="Articles embeddings",
    owner="ml-platform",
    promise=Promise(within=timedelta(hours=6), age=timedelta(days=7, hours=11), every=timedelta(days=7)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    extracts={"load_artifact": ()},
    upstream=(Input("articles_content", is_fresh=True),),
    tasks=(Task("tfidf", artifacts=("tfidf",)), Task("bert_embeddings", ("bert",))),
    tables=(BERT,),
    artifacts=(TFIDF,),
    serving=SERVING,
    parameters=(
        Parameter("min_df", "integer", 2, "articles that a term of the TF-IDF is in at least", 1),
        Parameter("longest_ngram", "integer", 1, "words in the longest terms", 1, 2),
        Parameter("least_recall", "decimal", Decimal("0.95"), "recall@10 below which nothing is published", 0, 1),
        MAX_COLLAPSED_SHARE,
        Parameter("fresh_days", "integer", 7, "age of the articles in days above which a run warns", 0, 36500),
    ),
    checks=(
        QueryCheck(
            "one row per active article",
            "every active article has the embedding of its present text, and no other article has one",
        ),
        *embedding_checks(BERT),
    ),
    settings=ENCODER_SETTINGS,
    packages=("scipy", *PACKAGES),
)
