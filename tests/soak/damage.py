"""Damage to the files of a soaked store, as disks, people and programs that do not ask do it."""

import random
import re
from collections.abc import Callable

from soak.soaked import Soaked

DOCUMENTS = ("manifest.json", "current.json", "index/", "snapshots/", "statistics.json")
GARBAGE = (b"", b"\0" * 40, b'{"as_of": "2020-0', b"[]")
HASHES = re.compile(r"(?<=version=)[^/]+|[0-9a-f]{12,}")


def torn(soaked: Soaked, dice: random.Random) -> None:
    """Files are cut off, or have a bit flipped."""
    for key in _one_of_each(soaked, dice):
        data = soaked.store.read(key)
        _harm(soaked, key, data[: len(data) // 2] if dice.random() < 0.5 else _flipped(data, dice))


def deleted(soaked: Soaked, dice: random.Random) -> None:
    """Files are gone."""
    for key in _one_of_each(soaked, dice):
        _harm(soaked, key, None)


def unreadable(soaked: Soaked, dice: random.Random) -> None:
    """Documents are empty, full of zeros, cut off, or something else."""
    for key in _files(soaked, dice, lambda key: any(name in key for name in DOCUMENTS)):
        _harm(soaked, key, dice.choice(GARBAGE))


def _one_of_each(soaked: Soaked, dice: random.Random) -> list[str]:
    """A raw file, and a file of a version."""
    found = [
        _files(soaked, dice, lambda key, top=top: key.endswith(".parquet") and key.split("/")[0] in top)
        for top in ({"raw"}, {*soaked.names})
    ]
    return [key for keys in found for key in keys[:1]]


def _files(soaked: Soaked, dice: random.Random, chosen: Callable[[str], bool]) -> list[str]:
    """Two keys by chance; the same ones for a seed, whatever the hashes in their names are."""
    keys = sorted((key for key in soaked.store.keys("") if chosen(key)), key=lambda key: (HASHES.sub("", key), key))
    return dice.sample(keys, min(len(keys), 2))


def _harm(soaked: Soaked, key: str, data: bytes | None) -> None:
    """Damages what is there, under this name alone: links to the same bytes stay whole, as on another disk block."""
    soaked.note(f"{key} is {'deleted' if data is None else f'{len(data)} bytes now'}")
    soaked.damaged.add(key)
    soaked.store.write(key, data) if data is not None else soaked.store.delete_keys([key])


def _flipped(data: bytes, dice: random.Random) -> bytes:
    place = dice.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
