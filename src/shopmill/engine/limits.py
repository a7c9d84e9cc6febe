"""How much memory and disk the engine may use, and what it needs at least: said before the work where it is known."""

import re
import shutil
from pathlib import Path

from shopmill.errors import InvalidInputError
from shopmill.settings import Settings

LEAST_PER_THREAD = 125_000_000
"""DuckDB's own documentation names this as the least that a thread needs."""
USABLE_SHARE = 0.9
"""The share of the free disk that may be filled: DuckDB's own default."""
BYTES_PER_ROW = 1_000
"""Memory for a row of facts, from the windows that judge it to the sort of its file: with less, DuckDB spills."""
PREFIXES = " kmgt"


def size_in_bytes(size: str) -> int:
    """`4GB` is 4,000,000,000 and `4GiB` 4,294,967,296, as DuckDB reads them."""
    number, prefix, binary = re.fullmatch(r"(?i)([\d.]+) ?([kmgt])(i?)b", size).groups()  # type: ignore[union-attr]
    return int(float(number) * (1024 if binary else 1000) ** PREFIXES.index(prefix.lower()))


def in_words(size: int) -> str:
    """Bytes as people read them: 1.5 GB."""
    for prefix, factor in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f}".removesuffix(".0") + f" {prefix}B"
    return f"{size} bytes"


def refuse_too_little_memory(settings: Settings) -> None:
    """InvalidInputError where the memory is less than DuckDB needs for its threads."""
    needed = LEAST_PER_THREAD * settings.threads
    if size_in_bytes(settings.memory_limit) < needed:
        raise InvalidInputError(
            f"SHOPMILL_MEMORY_LIMIT={settings.memory_limit} is too little: DuckDB needs {in_words(LEAST_PER_THREAD)} for each of "
            f"SHOPMILL_THREADS={settings.threads}, {in_words(needed)}. Raise the one, or lower the other."
        )


def rows_at_once(settings: Settings) -> int:
    """Rows of facts that fit into the memory while a table is computed of them."""
    return size_in_bytes(settings.memory_limit) // BYTES_PER_ROW


def free_bytes(folder: Path) -> int:
    """What is free on the disk of a folder, which may not be there yet."""
    there = next(found for found in (folder.absolute(), *folder.absolute().parents) if found.exists())
    return shutil.disk_usage(there).free


def spill_bytes(settings: Settings, folder: Path) -> int:
    """How much may be spilled to a folder: the setting, or less where the disk has less."""
    return min(size_in_bytes(settings.spill_limit), int(free_bytes(folder) * USABLE_SHARE))


def spilled_too_much(settings: Settings, folder: Path) -> str:
    """The sentence about a statement that needed more disk than it may use."""
    where = f"Scratch space in {folder.parent}"
    if spill_bytes(settings, folder) < size_in_bytes(settings.spill_limit):
        return (
            f"{where} is too small: a statement spilled all that it may, and {in_words(free_bytes(folder))} are free. Free "
            f"disk, or set SHOPMILL_WORK_FOLDER to a larger one; more than SHOPMILL_MEMORY_LIMIT={settings.memory_limit} spills less."
        )
    return (
        f"{where}: a statement spilled SHOPMILL_SPILL_LIMIT={settings.spill_limit} and needs more. Raise that, or "
        f"SHOPMILL_MEMORY_LIMIT={settings.memory_limit}, which lets it spill less."
    )
