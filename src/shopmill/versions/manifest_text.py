"""A manifest.json as the texts of its members, for who reads and writes many that have most of them in common.

What two versions have in common is parsed once, and what stays as it is is written as it was read.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from shopmill.versions.indented import indented
from shopmill.versions.manifest import OWN, Manifest, id_of

KEPT = 256
"""Texts whose values are kept in memory: versions that follow each other share theirs."""
CONTENT, TABLES, TABLE = "  ", "   ", "    "
"""How far the members of the content, of its tables, and of one of them are indented."""
Members = Mapping[str, str]


@lru_cache(KEPT)
def value_of(text: str) -> Any:
    """What a text says. It is the same object for the same text: nobody may change it."""
    return json.loads(text)


def members(text: str, indentation: str) -> dict[str, str]:
    """The members of an object that `to_json` wrote, by name."""
    _, *lines = text.split(f'\n{indentation}"')
    if lines:
        lines = [*(line[:-1] for line in lines[:-1]), lines[-1][: -len(indentation) - 1]]
    return {name: value for name, _, value in (line.partition('": ') for line in lines)}


def written(found: Members, indentation: str) -> str:
    """The reverse."""
    if not found:
        return "{}"
    within = f",\n{indentation}".join(f'"{name}": {text}' for name, text in sorted(found.items()))
    return f"{{\n{indentation}{within}\n{indentation[1:]}}}"


def text_of(value: Any, indentation: str) -> str:
    """A value as a member that is indented so far."""
    return indented(value, f"\n{indentation}")


@dataclass(frozen=True)
class ManifestText:
    """The members of the content, and what stands beside it."""

    content: Members
    beside: Members

    @classmethod
    def of(cls, data: bytes) -> "ManifestText":
        """That of a manifest.json. One that others wrote, with the same values in other words, is written again first."""
        text = data.decode()
        found = cls._split(text)
        is_ours = found.beside.keys() >= OWN and found.text == text
        return found if is_ours else cls._split(Manifest.from_bytes(data).to_json().decode())

    @classmethod
    def _split(cls, text: str) -> "ManifestText":
        beside = members(text.rstrip("\n"), " ")
        content = beside.pop("content", "{}")
        beside.pop("version", None)
        return cls(members(content, CONTENT), beside)

    @cached_property
    def version(self) -> str:
        """The id."""
        hashed = {name: _shifted(text) for name, text in self.content.items()}
        hashed |= {name: self.beside[name] for name in OWN}
        return id_of(f"{written(hashed, ' ')}\n".encode())

    @property
    def text(self) -> str:
        """The text of manifest.json."""
        more = {"version": json.dumps(self.version), "content": written(self.content, CONTENT)}
        return f"{written({**self.beside, **more}, ' ')}\n"

    @cached_property
    def manifest(self) -> Manifest:
        """What it says. Values are shared with others: nobody may change them."""
        content = {name: value_of(text) for name, text in self.content.items() if name != "tables"}
        content["tables"] = {name: value_of(text) for name, text in self.tables.items()}
        beside = {name: value_of(text) for name, text in self.beside.items() if name not in OWN}
        found = Manifest(value_of(self.beside["dataset"]), value_of(self.beside["as_of"]), content, beside)
        vars(found)["version"] = self.version
        return found

    @property
    def tables(self) -> dict[str, str]:
        """The texts of the tables."""
        return members(self.content["tables"], TABLES)

    def with_content(self, changed: Members) -> "ManifestText":
        """Itself with other members of its content."""
        return replace(self, content={**self.content, **changed})

    def with_beside(self, changed: Members) -> "ManifestText":
        """Itself with other members beside its content."""
        return replace(self, beside={**self.beside, **changed})


@lru_cache(KEPT)
def _shifted(text: str) -> str:
    """A text one less indented: no line ends within a value, for JSON writes it as \\n."""
    return text.replace("\n ", "\n")
