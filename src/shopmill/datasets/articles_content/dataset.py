"""Every article of the shop with the text that is embedded, its place among the others, and its history.

`articles` has a row for every article that the shop lists at as_of or that an earlier version had. A deleted article
stays with what the shop said of it last, `is_active` false. `first_seen` and `last_seen` are the as_of days of the
first and the last version for which the shop listed it; the history begins with the first version, so all articles of
that one were first seen then. History follows as_of: versions before as_of count, versions after it do not, so fill a
past in ascending order.

*The catalogue* below is the active articles; what is measured against it is null for inactive ones.

- `price_normalised` and `stock_normalised` = (value - minimum) / (maximum - minimum) over the catalogue; 0 where all
  values are equal, null where the value is null.
- `price_percentile_in_group` = the share of the other priced articles of the same `product_group_name` in the
  catalogue that cost less: 0 for the cheapest, 1 for the dearest if no other costs as much, 0 for one without others,
  equal for equal prices; null without a price or a group.
- `category_path` = `index_group_name > product_group_name > product_type_name`, without those that are null or blank.
- `content_text` = the columns that the parameter `content_columns` names, in its order, with `. ` between, without those that
  are null or blank, any run of white space (no-break spaces and line breaks too) as one blank. It may name the text columns of
  articles and a shop's own `attributes`. By default it is `prod_name. product_type_name. product_group_name.
  graphical_appearance_name. colour_group_name. section_name. garment_group_name. index_group_name. detail_desc`. Price and stock
  are not in it. It is '' where nothing is said. `content_hash` is its SHA-256 in hex, the key of the embedding cache.

`catalogue_changes` compares with the previous published version: `added` (no version before had it), `removed` (listed
before and not now), `returned` (inactive before and listed now), `changed` (any of the shop's columns differs, or the
text). `changed_fields` names the shop's columns that differ, sorted and separated by commas: '' for added and removed
articles, and for changed ones whose text differs only because it is put together in another way than before.
`text_changed` says that the text to be embedded came, went or is another: true for added, returned and removed
articles, and for changed ones whose `content_hash` differs. So an edit of a price, a stock or a code alone has
`text_changed` false. In the first version everything is added.

The embeddings are woken when at least `min_text_changes` articles of the version have `text_changed`. Fewer wait for
the weekly run, which takes the texts as they are then.

`is_listed` and `attributes` are what a shop may say besides: an article can be sold before and not be offered now, and columns
that the contract does not know are kept as text. They are the shop's columns like the others, and count as changes.

Rejected are rows without an id, rows with a negative price, and repeated ids: of the rows with the same id that could
be used, the first in the order of all columns (as the contract lists them, null last) is kept. An article whose only
rows are rejected is still listed: it stays as the previous version had it, and is missing where none had it.

Category checks warn and do not block: in H&M's own catalogue some codes have more than one name, and such an article
is still sold, shown and embedded. What would make the history wrong blocks.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopmill.declaration import (
    REJECTS,
    Announcement,
    Column,
    Dataset,
    Input,
    Parameter,
    Promise,
    QueryCheck,
    RowCheck,
    Table,
    Task,
)
from shopmill.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class CodeColumn:
    """A column with a code, and the one with its name."""

    code: str
    name: str


CODE_COLUMNS = (
    CodeColumn("product_type_no", "product_type_name"),
    CodeColumn("graphical_appearance_no", "graphical_appearance_name"),
    CodeColumn("colour_group_code", "colour_group_name"),
    CodeColumn("perceived_colour_value_id", "perceived_colour_value_name"),
    CodeColumn("perceived_colour_master_id", "perceived_colour_master_name"),
    CodeColumn("department_no", "department_name"),
    CodeColumn("index_code", "index_name"),
    CodeColumn("index_group_no", "index_group_name"),
    CodeColumn("section_no", "section_name"),
    CodeColumn("garment_group_no", "garment_group_name"),
)


def _pair(code: str, kind: str, name: str, what: str) -> tuple[Column, Column]:
    return (
        Column(code, kind, f"code of the {what}", required=False),
        Column(name, "varchar", f"name of the {what}", required=False),
    )


SHOP_COLUMNS = (
    Column("article_id", "varchar", "article as the shop names it, zero-padded text"),
    Column("product_code", "varchar", "product of which the article is one variant", required=False),
    Column("prod_name", "varchar", "name of the product", required=False),
    *_pair("product_type_no", "integer", "product_type_name", "product type"),
    Column("product_group_name", "varchar", "group of product types", required=False),
    *_pair("graphical_appearance_no", "integer", "graphical_appearance_name", "graphical appearance"),
    *_pair("colour_group_code", "integer", "colour_group_name", "colour group"),
    *_pair("perceived_colour_value_id", "integer", "perceived_colour_value_name", "lightness perceived"),
    *_pair("perceived_colour_master_id", "integer", "perceived_colour_master_name", "main colour perceived"),
    *_pair("department_no", "integer", "department_name", "department"),
    *_pair("index_code", "varchar", "index_name", "index, a part of the range"),
    *_pair("index_group_no", "integer", "index_group_name", "group of indexes"),
    *_pair("section_no", "integer", "section_name", "section"),
    *_pair("garment_group_no", "integer", "garment_group_name", "garment group"),
    Column("detail_desc", "varchar", "description", required=False),
    Column("price", "decimal(18,6)", "list price", "the shop's currency", required=False, minimum=0),
    Column("stock", "integer", "units in stock", "units", required=False),
    Column("is_listed", "boolean", "whether the shop offers it now, null where it does not say", required=False),
    Column("attributes", "varchar", "the shop's own columns: a JSON object of text, keys sorted", required=False),
)

TEXT_COLUMNS = tuple(column.name for column in SHOP_COLUMNS if column.type == "varchar" and column.name != "attributes")
CONTENT_COLUMNS = (
    "prod_name",
    "product_type_name",
    "product_group_name",
    "graphical_appearance_name",
    "colour_group_name",
    "section_name",
    "garment_group_name",
    "index_group_name",
    "detail_desc",
)


def text_parts(bound: Mapping[str, Any]) -> Mapping[str, "pa.Table"]:
    """The columns that content_text is made of, in their order; InvalidInputError for what cannot be a column."""
    import pyarrow as pa

    names = [name.strip() for name in str(bound["content_columns"]).split(",") if name.strip()]
    if not names:
        raise InvalidInputError("content_columns names no column: leave the parameter out for the default.")
    if wrong := next((name for name in names if set(name) & set(".[]*'\"$")), None):
        raise InvalidInputError(f"content_columns names {wrong!r}: give such a column a plain name in the mapping.")
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise InvalidInputError(f"content_columns names {repeated!r} twice: leave one of them out.")
    columns = {
        "place": pa.array(range(len(names)), pa.int64()),
        "column_name": pa.array(names, pa.string()),
        "is_column": pa.array([name in TEXT_COLUMNS for name in names], pa.bool_()),
    }
    return {"text_parts": pa.table(columns)}


def _share(name: str, meaning: str) -> Column:
    return Column(name, "double", meaning, "share", required=False, minimum=0, maximum=1)


ARTICLES = Table(
    name="articles",
    grain="one row per article that the shop lists or ever listed",
    key=("article_id",),
    columns=(
        *SHOP_COLUMNS,
        _share("price_normalised", "price between the lowest (0) and the highest (1) of the catalogue"),
        _share("stock_normalised", "stock between the lowest (0) and the highest (1) of the catalogue"),
        _share("price_percentile_in_group", "share of the others in the product group that cost less"),
        Column("category_path", "varchar", "index group > product group > product type", required=False),
        Column("content_text", "varchar", "the text that is embedded"),
        Column("content_hash", "varchar", "SHA-256 of content_text, in hex"),
        Column("first_seen", "date", "as_of of the first version for which the shop listed it"),
        Column("last_seen", "date", "as_of of the last version for which the shop listed it"),
        Column("is_active", "boolean", "whether the shop lists it at as_of"),
    ),
    checks=(
        RowCheck(
            "dates in order",
            "first_seen <= last_seen and last_seen <= $as_of",
            "first_seen is not after last_seen, nor that after as_of",
        ),
        RowCheck("active is seen", "not is_active or last_seen = $as_of", "an active article was listed at as_of"),
        RowCheck("has a text", "content_text <> ''", "there is something to embed", severity="warn"),
        RowCheck("stock at least 0", "stock >= 0", "no article is oversold", severity="warn"),
    ),
)

CATALOGUE_CHANGES = Table(
    name="catalogue_changes",
    grain="one row per article that differs from the previous version",
    key=("article_id",),
    columns=(
        Column("article_id", "varchar", "article as the shop names it"),
        Column("change", "varchar", "what happened to it", allowed=("added", "removed", "returned", "changed")),
        Column("changed_fields", "varchar", "the shop's columns that differ, sorted, separated by commas"),
        Column("text_changed", "boolean", "whether the text to be embedded came, went or is another"),
    ),
    may_be_empty=True,
)


DATASET = Dataset(
    name="articles_content",
    title="Articles content",
    owner="ml-platform",
    promise=Promise(within=timedelta(hours=2), age=timedelta(hours=30)),
    documentation=__doc__,
    folder=Path(__file__).parent,
    values={
        "code_columns": CODE_COLUMNS,
        "shop_columns": SHOP_COLUMNS,
        "text_columns": TEXT_COLUMNS,
        "compared_columns": sorted(SHOP_COLUMNS[1:], key=lambda column: column.name),
    },
    extracts={"extract": (Input("articles"),)},
    tasks=(
        Task("validate", ("rejects",)),
        Task("normalise", ("articles",)),
        Task("catalogue_change", ("catalogue_changes",)),
    ),
    tables=(ARTICLES, CATALOGUE_CHANGES, REJECTS),
    parameters=(
        Parameter(
            "content_columns",
            "text",
            ",".join(CONTENT_COLUMNS),
            "what content_text is made of: text columns of articles, and attributes of the shop's own, with commas between",
        ),
        Parameter("min_text_changes", "integer", 1, "changed texts from which on the embeddings are woken", 1),
        Parameter(
            "max_missing_description_share",
            "decimal",
            Decimal("0.05"),
            "share of active articles without a description above which a warning is given",
            0,
            1,
        ),
    ),
    checks=(
        QueryCheck(
            "content columns known",
            "content_columns names text columns of articles, and attributes that some article has",
        ),
        QueryCheck(
            "catalogue not emptied",
            "there are active articles, and not far fewer than before (max_row_drop)",
        ),
        QueryCheck(
            "history kept",
            "no article of the previous version is lost, nor what is known of when it was there",
        ),
        QueryCheck(
            "changes add up",
            "active before, and added and returned, without removed, are the active now",
        ),
        QueryCheck("one name per code", "a code has one name", severity="warn"),
        QueryCheck(
            "one group per product type",
            "a product type belongs to one product group",
            severity="warn",
        ),
        QueryCheck(
            "descriptions",
            "few active articles lack a description (max_missing_description_share)",
            severity="warn",
        ),
    ),
    lookups=text_parts,
    announcements=(
        Announcement(
            asset="articles_texts",
            meaning="texts of active articles came, went or changed: the embeddings are behind",
        ),
    ),
)
