"""Who will not come back within 30 days? scikit-learn on customer_features, calibrated, against days since the last purchase.

python examples/churn.py    # with SHOPMILL_STORE and SHOPMILL_TIME_ZONE of a store that has the versions named below
"""

import numpy as np
import pandas as pd
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss, roc_auc_score

import shopmill

AS_OFS = ["2017-06-01", "2017-07-01", "2017-08-01", "2017-09-01", "2017-10-01"]
NOT_FEATURES = ["split", "origin", "customer_id", "label"]


def features_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Numbers and categories; dates say nothing that windows do not."""
    return (
        rows.drop(columns=NOT_FEATURES)
        .select_dtypes(["number", "boolean", "category"])
        .astype(dict.fromkeys(rows.select_dtypes(["Int32", "Int64", "boolean"]).columns, float))
    )


def main() -> dict[str, float]:
    made = shopmill.training_set("customer_features", label="churn_30d", as_of=AS_OFS)
    frame = made.to_pandas()
    parts = {name: frame[frame["split"] == name] for name in ("train", "validation", "test")}
    columns = features_of(parts["train"]).dropna(axis=1, how="all").columns
    x = {name: features_of(rows)[columns] for name, rows in parts.items()}
    y = {name: rows["label"] for name, rows in parts.items()}

    model = HistGradientBoostingClassifier(
        categorical_features="from_dtype", max_iter=150, learning_rate=0.05, max_leaf_nodes=8, random_state=0
    ).fit(x["train"], y["train"])
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="sigmoid").fit(x["validation"], y["validation"])
    churn = calibrated.predict_proba(x["test"])[:, 1]

    # The baseline knows what every shop knows: how long ago the last purchase was, as a calibrated probability.
    recency = {
        name: rows["clv_T_days"].astype(float) - rows["clv_recency_days"].astype(float) for name, rows in parts.items()
    }
    by_recency = IsotonicRegression(out_of_bounds="clip").fit(recency["train"], y["train"]).predict(recency["test"])
    predictions = {"": churn, " of the baseline": by_recency}
    metrics = {f"auc{of}": roc_auc_score(y["test"], found) for of, found in predictions.items()}
    metrics |= {f"brier{of}": brier_score_loss(y["test"], found) for of, found in predictions.items()}
    print(made.line)
    print(f"test: {len(churn):,} customers, {np.mean(y['test']):.1%} churned, {churn.mean():.1%} predicted")
    print(*(f"{name}: {value:.4f}" for name, value in metrics.items()), sep="\n")
    return metrics


if __name__ == "__main__":
    main()
