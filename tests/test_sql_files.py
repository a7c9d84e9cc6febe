"""SQL files: what repeats in them is written out, and nothing else is."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from shopmill.errors import InvalidInputError
from shopmill.sql_files import expand, file_name, read, read_folder


@dataclass(frozen=True)
class Window:
    name: str
    days: int


WINDOWS = (Window("7d", 7), Window("30d", 30))


def test_a_loop_repeats_its_lines_for_each_value() -> None:
    text = "select\n  {% for w in windows %}\n  sum(x) filter (where age <= {{ w.days }}) as x_{{w.name}},\n  {% endfor %}\n  1\n"
    assert expand(text, {"windows": WINDOWS}) == (
        "select\n  sum(x) filter (where age <= 7) as x_7d,\n  sum(x) filter (where age <= 30) as x_30d,\n  1\n"
    )


def test_a_loop_within_a_line_and_loops_within_loops() -> None:
    assert expand("0{% for n in numbers %} + {{ n }}{% endfor %}", {"numbers": (1, 2)}) == "0 + 1 + 2"
    nested = "{% for w in windows %}{% for n in numbers %}{{ w.days }}*{{ n }} {% endfor %}{% endfor %}"
    assert expand(nested, {"windows": WINDOWS, "numbers": (1, 2)}) == "7*1 7*2 30*1 30*2 "


def test_a_list_may_be_empty_and_text_without_tags_stays() -> None:
    assert expand("a{% for w in windows %}b{% endfor %}c", {"windows": ()}) == "ac"
    assert expand("select '{' || x || '}' % 2", {}) == "select '{' || x || '}' % 2"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{{ window }}", "there is no window"),
        ("{% for w in widows %}{% endfor %}", "there is no widows"),
        ("{% for w in windows %}{{ w.hours }}{% endfor %}", "hours"),
        ("{% for w in windows %}", "not closed"),
        ("{% if windows %}{% endif %}", "only"),
    ],
)
def test_anything_else_is_refused_by_file(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "a_dataset" / "views" / "sums.sql"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=rf"a_dataset/views/sums.sql: .*{told}"):
        read(path, {"windows": WINDOWS})


def test_a_query_has_the_file_of_its_name(tmp_path: Path) -> None:
    assert file_name("event_id not used again") == "event_id_not_used_again.sql"
    assert file_name("bert: unit vectors") == "bert_unit_vectors.sql"
    (tmp_path / "b.sql").write_text("select 1")
    (tmp_path / "a.txt").write_text("no")
    assert read_folder(tmp_path, {}) == {"b": "select 1"}
    assert read_folder(tmp_path / "missing", {}) == {}
