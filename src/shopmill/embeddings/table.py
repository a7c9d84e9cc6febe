"""What a table of embeddings looks like and must meet, for every dataset that has one. Imports nothing heavy."""

from decimal import Decimal

from shopmill.declaration import Column, Parameter, QueryCheck, Table

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


def embedding_table(name: str, key: Column, grain: str) -> Table:
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
        function=EMBED,
    )


def embedding_checks(table: Table) -> tuple[QueryCheck, ...]:
    """Dimension, finite numbers, length 1, one model, equal vectors for equal texts, no collapse."""
    name, key = table.name, table.key[0]
    return (
        QueryCheck(
            f"{name}: unit vectors",
            f"""
            with numbers as (
              select {key}, dim, unnest(cast(embedding as double[])) as x from {name}
            ),
            vectors as (
              select
                count(*) <> dim as is_cut,
                -- NaN is larger than any number, so neither it nor infinity is between two.
                count(*) filter (where x between -1.001 and 1.001) < count(*) as is_wild,
                sqrt(sum(x * x)) between 0.999 and 1.001 as is_unit
              from numbers
              group by {key}, dim
            )
            select
              count(*) filter (where is_cut or is_wild or not is_unit) as violations,
              'vectors of another dimension: ' || count(*) filter (where is_cut)
                || ', with NaN or infinity: ' || count(*) filter (where is_wild)
                || ', of another length than 1: ' || count(*) filter (where not is_unit) as detail
            from vectors
            """,
            "every vector has dim finite numbers and length 1 within 0.001",
        ),
        QueryCheck(
            f"{name}: one model",
            f"""
            select case when count(*) > 1 then count(*) else 0 end as violations, count(*) || ' models' as detail
            from (select distinct model_id, model_revision, dim from {name}) as models
            """,
            "all vectors come from one revision of one model",
        ),
        QueryCheck(
            f"{name}: no collapse",
            f"""
            with pairs as (
              select distinct text_hash, embedding from {name} where embedding is not null
            ),
            counted as (
              select
                count(*) as n_pairs, count(distinct text_hash) as n_texts, count(distinct embedding) as n_vectors
              from pairs
            )
            select
              n_pairs - n_texts
                + case when n_texts - n_vectors > $max_collapsed_share * n_texts then n_texts - n_vectors else 0 end
                as violations,
              n_vectors || ' different vectors for ' || n_texts || ' different texts' as detail
            from counted
            """,
            "equal texts have equal vectors, and few different texts do (max_collapsed_share)",
        ),
        QueryCheck(
            f"{name}: something to embed",
            f"select count(*) filter (where embedding is null) as violations from {name}",
            "every text has a token",
            severity="warn",
        ),
    )
