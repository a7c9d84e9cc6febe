"""What will each customer buy in the next week? implicit on user_item_interactions, against what sells best.

python examples/recommender.py    # with SHOPMILL_STORE and SHOPMILL_TIME_ZONE of a store that has the versions named below
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix, load_npz
from threadpoolctl import threadpool_limits

import shopmill

AS_OF, NEXT_WEEK, K = "2017-12-25", "2018-01-01", 20


def recall(recommended: dict[str, list[str]], bought: "pd.Series[list[str]]") -> float:
    """The share of what each customer bought that was among K recommended articles, on average."""
    return float(
        np.mean([len({*found} & {*recommended[who]}) / min(len({*found}), K) for who, found in bought.items()])
    )


def main() -> dict[str, float]:
    with TemporaryDirectory() as folder:
        shopmill.export("user_item_interactions", "implicit", Path(folder) / "out", AS_OF)
        matrix: csr_matrix = load_npz(Path(folder) / "out" / "matrix.npz")
        customers = pd.read_parquet(Path(folder) / "out" / "customers.parquet")["customer_id"]
        articles = pd.read_parquet(Path(folder) / "out" / "articles.parquet")["article_id"].to_numpy()

    labels = shopmill.load("training_labels", NEXT_WEEK).to_pandas(
        "customer_article_labels", where="label = 'next_basket_7d'"
    )
    bought = labels[labels["customer_id"].isin(customers)].groupby("customer_id")["article_id"].apply(list)
    rows = pd.Index(customers).get_indexer(bought.index)

    threadpool_limits(1, "blas")  # implicit has threads of its own, and those of BLAS would fight with them
    model = AlternatingLeastSquares(factors=256, alpha=5, iterations=5, random_state=0)
    model.fit(matrix, show_progress=False)
    # A grocery shop's customers buy again what they bought: what is known is not left out.
    found, _ = model.recommend(rows, matrix[rows], N=K, filter_already_liked_items=False)
    by_model = {who: list(articles[ids]) for who, ids in zip(bought.index, found, strict=True)}

    best = list(articles[np.argsort(-np.asarray(matrix.sum(axis=0)).ravel())[:K]])
    metrics = {
        f"recall@{K}": recall(by_model, bought),
        f"recall@{K} of the baseline": recall(dict.fromkeys(bought.index, best), bought),
    }
    print(f"trained as of {AS_OF}, tested on the baskets of {len(bought):,} customers in the week after")
    print(*(f"{name}: {value:.4f}" for name, value in metrics.items()), sep="\n")
    return metrics


if __name__ == "__main__":
    main()
