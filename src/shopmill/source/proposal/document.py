"""shopmill.toml as it is proposed, and how it and the files of the mapping come to their place: all of them or none."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

from shopmill.errors import InvalidInputError
from shopmill.settings import SHOP_FILE
from shopmill.source.proposal.choices import Choice
from shopmill.source.proposal.propose import Proposal

MAPPING = "mapping"
BEFORE = ".bak"
HEAD = """\
# Written by `shopmill init` after a look at the database. Every choice says why; lines that begin with `# name =` are
# questions. Environment variables SHOPMILL_* win. All settings: docs/reference/settings.md
#
# Not in this file: SHOPMILL_SOURCE_DSN and SHOPMILL_REGISTRY_DSN, which hold passwords, and SHOPMILL_PSEUDONYM_KEY.
# Versions go to .shopmill/store; for another place: store = "s3://bucket/prefix"
"""


def document(proposal: Proposal) -> str:
    """The text of shopmill.toml: settings first, then the parameters of datasets."""
    parts = [HEAD, *(_explained(choice) for choice in proposal.choices if not choice.dataset)]
    datasets = {choice.dataset: choice for choice in proposal.choices if choice.dataset}
    for name in sorted(datasets):
        chosen = [choice for choice in proposal.choices if choice.dataset == name]
        parts.append("\n".join([f"[parameters.{name}]", *(_explained(choice).rstrip() for choice in chosen)]) + "\n")
    return "\n".join(parts)


def _explained(choice: Choice) -> str:
    return f"# {choice.reason}\n{choice.line}\n"


@dataclass(frozen=True)
class Place:
    """Where the files go: shopmill.toml, and a folder for the mapping beside it."""

    file: Path
    mapping: Path

    @classmethod
    def of_environment(cls) -> "Place":
        """What SHOPMILL_CONFIG names, or the working directory."""
        file = Path(os.environ.get("SHOPMILL_CONFIG") or SHOP_FILE).expanduser()
        return cls(file, file.parent / MAPPING)

    def refuse_what_is_there(self) -> None:
        """InvalidInputError for a file or folder that would be written over."""
        for path in (self.file, self.mapping):
            if path.exists():
                raise InvalidInputError(
                    f"{path} is there already and is not written over: move it away, or use --force, which keeps it as "
                    f"{path.name}{BEFORE}."
                )

    @contextmanager
    def prepared(self) -> Iterator[Path]:
        """A folder beside the place, which is deleted afterwards; InvalidInputError where nothing can be written."""
        try:
            folder = Path(mkdtemp(prefix=".shopmill-init-", dir=self.file.parent))
        except OSError as error:
            raise InvalidInputError(
                f"{self.file.parent} cannot be written to: {error.strerror}. Change to another folder."
            ) from None
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def write(self, proposal: Proposal, prepared: Path) -> list[Path]:
        """Puts what was prepared in its place; what was there is kept beside it."""
        text = prepared / SHOP_FILE
        text.write_text(document(proposal), encoding="utf-8")
        files = sorted(path.name for path in (prepared / MAPPING).glob("*.sql"))
        if files:
            _put(prepared / MAPPING, self.mapping)
        _put(text, self.file)
        return [self.file, *(self.mapping / name for name in files)]


def _put(new: Path, place: Path) -> None:
    before = place.with_name(place.name + BEFORE)
    if place.exists():
        if before.is_dir():
            shutil.rmtree(before)
        place.replace(before)
    new.replace(place)
