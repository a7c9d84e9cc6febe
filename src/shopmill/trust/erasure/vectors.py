"""The cache of embeddings without the vectors of some texts."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopmill.trust.erasure.holdings import CACHE
from shopmill.versions.store import Store


def forget(store: Store, hashes: Collection[str]) -> None:
    """Writes the files of the cache again that have a vector of one of these texts."""
    gone = pa.array(sorted(hashes), pa.string())
    for key in (key for key in store.keys(CACHE) if key.endswith(".parquet")) if hashes else ():
        rows = pq.read_table(pa.BufferReader(store.read(key)))
        is_gone = pc.is_in(rows["text_hash"], value_set=gone)
        if pc.any(is_gone).as_py():
            sink = pa.BufferOutputStream()
            pq.write_table(rows.filter(pc.invert(is_gone)), sink, compression="zstd", use_dictionary=False)
            store.write(key, bytes(sink.getvalue()))
