"""One word for one thing: what the glossary says not to say is neither in code, SQL and messages nor on the pages."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GLOSSARY = ROOT / "docs" / "glossary.md"
HEADING = "## Words that we do not use"
PAGES = [path for path in sorted((ROOT / "docs").glob("*.md")) if path != GLOSSARY]
PAGES += [*sorted((ROOT / "docs/datasets").glob("*.md")), *(ROOT / name for name in ("README.md", "CHANGELOG.md"))]
MODULES = sorted((ROOT / "src").rglob("*.py")) + sorted((ROOT / "dags").rglob("*.py"))
OTHERS = [
    path
    for suffix in ("sql", "html", "txt", "yaml")
    for path in sorted((ROOT / "src").rglob(f"*.{suffix}"))
    if path.parent.name not in {"migrations", "shops"}  # what has run in a database stays, and reviews are people's own
]
APART = re.compile(r"\b(told|tells)\b[^.;]*\bapart|\btells apart\b", re.IGNORECASE)
"""To tell two things apart is another word."""


def phrases() -> list[str]:
    """What the glossary says not to say."""
    rows = GLOSSARY.read_text().partition(HEADING)[2]
    return [phrase for row in rows.splitlines() if row.startswith("|") for phrase in re.findall(r"`([^`]+)`", row)]


BANNED = re.compile(rf"(?<![-\w`_.])({'|'.join(map(re.escape, phrases()))})(?![-\w`_(])", re.IGNORECASE)


def said(path: Path) -> Iterator[str]:
    """The lines of a file that people read: of Python its texts and comments, of others all."""
    if path.suffix != ".py":
        yield from path.read_text().splitlines()
        return
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type in {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}:
            yield from token.string.splitlines()


def of_people(line: str) -> str:
    """A line without names of the code: what stands in braces of a template or an f-string."""
    return re.sub(r"\{[^{}]*\}", "", APART.sub("", line))


def test_the_glossary_has_words_to_look_for() -> None:
    assert len(phrases()) > 20
    assert BANNED.search("It differs from the version before.")
    assert BANNED.search("People are told.")
    assert not BANNED.search(of_people("f'{told}' visitors are told well apart"))


@pytest.mark.parametrize("path", [*PAGES, *MODULES, *OTHERS], ids=lambda path: str(path.relative_to(ROOT)))
def test_none_of_them_is_said(path: Path) -> None:
    assert [line.strip() for line in said(path) if BANNED.search(of_people(line))] == []


THAT_STOPPED_A_READER = (
    "Any Airflow executor can run them",
    "tests every claim made here",
    "A `.sql` file that is not named after a table becomes a view",
    "Whole runs can work in parallel",
    "Filling an older day does not change days already published after it",
    "Each run that publishes something new adds a version",
    "With shorter heartbeats, a machine that is swapping may be considered dead",
    "however many tasks failed",
    "Ids are text: keep their leading zeros",
)
"""Sentences of earlier pages that newcomers could not make sense of."""


def test_sentences_that_stopped_a_reader_are_gone() -> None:
    for path in (*PAGES, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs/reference").glob("*.md")), *MODULES, *OTHERS):
        text = " ".join(path.read_text().split()).lower()
        found = [sentence for sentence in THAT_STOPPED_A_READER if sentence.lower() in text]
        assert not found, path
