"""Hugging Face datasets: a folder that `load_dataset("FOLDER", "<table>")` loads, with a card.

    README.md                        the card: a configuration for each table that has rows
    data/<table>/train-*.parquet     the version's own files

`load_dataset` needs a split, and calls the only one `train`.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from shopmill.exports.consumer import ANY, Consumer
from shopmill.exports.source import Source
from shopmill.versions.standards.card import card


def write(source: Source, folder: Path) -> Mapping[str, int]:
    """Copies files; rows are not looked at."""
    rows = {}
    filled = [name for name in source.version.tables if source.manifest.rows(name)]
    for table in filled:
        target = folder / "data" / table
        target.mkdir(parents=True)
        files = source.version.files(table)
        for number, file in enumerate(files):
            shutil.copyfile(file, target / f"train-{number:05d}-of-{len(files):05d}.parquet")
        rows[f"data/{table}"] = source.manifest.rows(table)
    files_of = {table: f"data/{table}/train-*.parquet" for table in filled}
    (folder / "README.md").write_text(card(source.manifest, files_of))
    return rows


CONSUMER = Consumer(name="huggingface", loads="a folder with a card for load_dataset", writes={ANY: write})
