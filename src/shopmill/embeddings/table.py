"""What a table of embeddings looks like and must meet, for every dataset that has one. Imports nothing heavy."""

from decimal import Decimal
from pathlib import Path

from shopmill.declaration import Column, Parameter, QueryCheck, Severity, Table
from shopmill.sql_files import file_name

CHECKS = Path(__file__).parent / "checks"
EMBED = "shopmill.embeddings.embeddings:embed_rows"
ENCODER_SETTINGS = ("encoder", "encoder_precision")
PACKAGES = ("numpy", "onnxruntime", "pyarrow", "tokenizers")

MAX_COLLAPSED_SHARE = Parameter(
    "max_collapsed_share",
    "decimal",
    Decimal("0.05"),
    "share of different texts that may have the vector of another",
    0,
    1,
)


def embedding_table(name: str, key: Column, grain: str, *, may_be_empty: bool = False) -> Table:
    """A table that `<name>.sql` gives the key and the `text` of."""
    return Table(
        name=name,
        grain=grain,
        key=(key.name,),
        columns=(
            key,
            Column("embedding", "float[]", "vector of length 1; null for a text without a token", required=False),
            Column("text_hash", "varchar", "SHA-256 of the text, in hex"),
            Column("model_id", "varchar", "the sentence model"),
            Column("model_revision", "varchar", "its revision"),
            Column("dim", "integer", "numbers in a vector", minimum=1),
            Column("n_tokens", "integer", "tokens of the text that were read", "tokens", minimum=0),
            Column("was_truncated", "boolean", "whether the text is longer than the model reads"),
        ),
        may_be_empty=may_be_empty,
        function=EMBED,
    )


def embedding_checks(table: Table) -> tuple[QueryCheck, ...]:
    """Dimension, finite numbers, length 1, one model, equal vectors for equal texts, no collapse."""
    values = {"table": table.name, "key": table.key[0]}

    def check(name: str, meaning: str, severity: Severity = "error") -> QueryCheck:
        return QueryCheck(f"{table.name}: {name}", meaning, severity, CHECKS / file_name(name), values)

    return (
        check("unit vectors", "every vector has dim finite numbers and length 1 within 0.001"),
        check("one model", "all vectors come from one revision of one model"),
        check("no collapse", "equal texts have equal vectors, and few different texts do (max_collapsed_share)"),
        check("something to embed", "every text has a token", "warn"),
    )
