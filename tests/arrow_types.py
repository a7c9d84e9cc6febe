"""The Arrow type of each type of the contract, for tests that write raw files themselves."""

import pyarrow as pa

ARROW = {
    "varchar": pa.string(),
    "integer": pa.int32(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "decimal(18,6)": pa.decimal128(18, 6),
    "decimal(18,10)": pa.decimal128(18, 10),
    "double": pa.float64(),
    "timestamptz": pa.timestamp("us", "UTC"),
}
