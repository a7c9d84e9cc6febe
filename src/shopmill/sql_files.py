"""The SQL files of a dataset's folder: found by their folder, read, and what repeats in them written out.

A file may repeat a part of itself for each value of a list, and name a value:

    {% for w in windows %}
    sum(spend) filter (where age_days <= {{ w.days }}) as spend_sum_{{ w.name }},
    {% endfor %}

That is all there is: no conditions, no calculations. It is a small part of Jinja's language, which editors know.

The shared views may name a part, such as `{{ worth }}`: the text of `parts/worth.sql` beside them, which several of them have.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shopmill.errors import InvalidInputError

SHARED_VIEWS = Path(__file__).parent / "source" / "rows"
"""Views that every dataset may read."""

_TAG_ON_ITS_LINE = re.compile(r"^[ \t]*(\{%[^%]*%\})[ \t]*\n", re.MULTILINE)
_LOOP = re.compile(r"\{%\s*for (\w+) in (\w+)\s*%\}((?:(?!\{%\s*for).)*?)\{%\s*endfor\s*%\}", re.DOTALL)
_VALUE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def file_name(name: str) -> str:
    """The file of a query that people call `name`: `event_id not used again` is in event_id_not_used_again.sql."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") + ".sql"


def shared_parts() -> list[Path]:
    """What several of the shared views have in common, a file each."""
    return sorted((SHARED_VIEWS / "parts").glob("*.sql"))


def shared_views() -> dict[str, str]:
    """The views that every dataset may read, by name.

    `judged_<table>` is of the rows of a table as they are, `judged_changed_<table>` and `judged_former_<table>` are the
    same of what changed since the previous version: a rule is written once.
    """
    found: dict[str, str] = {}
    parts = {path.stem: path.read_text().strip() for path in shared_parts()}
    for source, prefix in (("source_", ""), ("changed_", "changed_"), ("former_", "former_")):
        views = read_folder(SHARED_VIEWS, {"source": source, **parts})
        found |= {
            name.replace("judged_", f"judged_{prefix}", 1): text
            for name, text in views.items()
            if not prefix or name.startswith("judged_")
        }
    return found


def read_folder(folder: Path, values: Mapping[str, Any]) -> dict[str, str]:
    """The text of each .sql file of a folder by its name, sorted."""
    return {path.stem: read(path, values) for path in sorted(folder.glob("*.sql"))}


def read(path: Path, values: Mapping[str, Any]) -> str:
    """The text of a file with what repeats written out; InvalidInputError names a value that there is not."""
    try:
        return expand(path.read_text(encoding="utf-8-sig"), values)
    except (ValueError, KeyError, AttributeError) as error:
        raise InvalidInputError(f"{path.parent.parent.name}/{path.parent.name}/{path.name}: {error}") from None


def expand(text: str, values: Mapping[str, Any]) -> str:
    """The text with its loops and values written out; inner loops first see the outer's values last."""
    text = _TAG_ON_ITS_LINE.sub(r"\1", text)
    while loop := _LOOP.search(text):
        name, listed, body = loop.groups()
        rounds = (_with_value(body, name, item) for item in _value(listed, values))
        text = text[: loop.start()] + "".join(rounds) + text[loop.end() :]
    text = _VALUE.sub(lambda found: str(_value(found[1], values)), text)
    if "{%" in text or "{{" in text:
        raise ValueError("a tag is not closed, or none that there is: only {% for x in list %}, {% endfor %}, {{ x }}")
    return text


def _with_value(body: str, name: str, item: Any) -> str:
    def replaced(found: re.Match[str]) -> str:
        root = found[1].partition(".")[0]
        return str(_value(found[1], {name: item})) if root == name else found[0]

    return _VALUE.sub(replaced, body)


def _value(path: str, values: Mapping[str, Any]) -> Any:
    root, *fields = path.split(".")
    if root not in values:
        raise ValueError(f"there is no {root} to repeat or to name; there is: {', '.join(sorted(values)) or 'nothing'}")
    found = values[root]
    for field in fields:
        found = getattr(found, field)
    return found
