"""The declared labels: of whom, what, and over how many days."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pyarrow as pa

Entity = Literal["customer", "article", "customer_article"]
KEYS: Mapping[Entity, tuple[str, ...]] = {
    "customer": ("customer_id",),
    "article": ("article_id",),
    "customer_article": ("customer_id", "article_id"),
}


@dataclass(frozen=True)
class Label:
    """A target: `measure` over the `horizon_days` from the origin on."""

    name: str
    entity: Entity
    measure: str
    horizon_days: int
    meaning: str
    missing: int | None = None
    """What an entity without a row has; None: nothing is known of it, and it is not learnt from."""

    @property
    def table(self) -> str:
        """The table of training_labels that has it."""
        return f"{self.entity}_labels"

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name the entity."""
        return KEYS[self.entity]


def _of_customers(days: int) -> tuple[Label, ...]:
    return (
        Label(
            f"churn_{days}d", "customer", "churn", days, f"1: no purchase in {days} days, of customers who ever bought"
        ),
        Label(f"spend_{days}d", "customer", "spend", days, f"what was spent in {days} days, in the shop's currency"),
        Label(f"units_{days}d", "customer", "units", days, f"units bought in {days} days"),
    )


LABELS = (
    *_of_customers(30),
    *_of_customers(90),
    Label(
        "user_churn_7d", "customer", "active_churn", 7, "1: no purchase in 7 days, of customers of the 7 days before"
    ),
    Label("article_units_7d", "article", "units", 7, "units sold in 7 days"),
    Label("article_units_28d", "article", "units", 28, "units sold in 28 days"),
    Label("item_sales_7d", "article", "spend", 7, "what was sold for in 7 days, in the shop's currency"),
    Label(
        "next_basket_7d",
        "customer_article",
        "units",
        7,
        "units bought in 7 days; only what was bought has a row",
        missing=0,
    ),
    Label("review_rating_28d", "customer_article", "rating", 28, "stars of the last review written in 28 days"),
)


def label_windows(bound: Mapping[str, Any]) -> Mapping[str, "pa.Table"]:
    """The labels with the origin of each: the day on which the window that ends at as_of began."""
    import pyarrow as pa

    columns = {
        "label": pa.array([label.name for label in LABELS]),
        "entity": pa.array([label.entity for label in LABELS]),
        "measure": pa.array([label.measure for label in LABELS]),
        "horizon_days": pa.array([label.horizon_days for label in LABELS], pa.int64()),
        "origin": pa.array([bound["as_of"] - timedelta(days=label.horizon_days) for label in LABELS], pa.date32()),
    }
    return {"label_windows": pa.table(columns)}
