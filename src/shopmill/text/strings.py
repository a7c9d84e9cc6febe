"""The one way in which texts come in: an Arrow column or a plain sequence, nulls allowed."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import pyarrow as pa

Texts: TypeAlias = "pa.StringArray | pa.ChunkedArray[Any] | Sequence[str | None]"


def as_list(texts: Texts) -> list[str | None]:
    """Return the texts as Python strings."""
    if isinstance(texts, pa.Array | pa.ChunkedArray):
        values: list[str | None] = texts.to_pylist()
        return values
    return list(texts)
