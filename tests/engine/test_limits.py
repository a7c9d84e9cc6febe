from pathlib import Path

import duckdb
import pytest

from shopmill.engine.limits import free_bytes, in_words, size_in_bytes, spill_bytes
from shopmill.settings import Settings


@pytest.mark.parametrize("size", ["4GB", "4GiB", "1.5 gb", "300MB", "2 TiB", "800kb"])
def test_sizes_are_what_duckdb_takes_them_for(size: str) -> None:
    (found,) = duckdb.connect().execute("select parse_formatted_bytes(?)", [size]).fetchone() or (None,)
    assert size_in_bytes(size) == found


@pytest.mark.parametrize(
    ("size", "said"), [(4_000_000_000, "4 GB"), (1_540_000_000, "1.5 GB"), (250_000_000, "250 MB"), (12, "12 bytes")]
)
def test_sizes_in_words(size: int, said: str) -> None:
    assert in_words(size) == said


def test_no_more_is_spilled_than_the_disk_has(tmp_path: Path) -> None:
    folder = tmp_path / "not there" / "yet"
    assert free_bytes(folder) > 0
    assert spill_bytes(Settings(_env_file=None, spill_limit="1MB"), folder) == 1_000_000
    assert spill_bytes(Settings(_env_file=None, spill_limit="9000TB"), folder) < free_bytes(folder) * 0.91
