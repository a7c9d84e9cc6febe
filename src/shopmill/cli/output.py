"""How the command line prints: tables that fit a terminal and are whole in a pipe, JSON, and one line for an error."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import rich
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

STEERING = {
    number: f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"  # noqa: PLR2004
    for number in (*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
} | {0x09: " "}
"""What steers a terminal instead of being shown, as it is written in Python; but for line breaks. After a tab a cell would end."""


class ShowingConsole(Console):
    """A console that shows what would steer it: an article's name may clear the screen, or turn the writing around."""

    def render_str(self, text: str, **options: Any) -> Text:
        """The text, with what cannot be seen written out."""
        return super().render_str(text.translate(STEERING), **options)


rich.reconfigure(stderr=True)  # where others show progress
out, err = ShowingConsole(), rich.get_console()
FOLDED = 30
"""Characters of a cell: longer ones are texts, and may go over several lines."""


def print_json(value: Any) -> None:
    """A value as JSON, for scripts."""
    text = json.dumps(value, default=str, indent=2)
    if out.is_terminal:
        out.print_json(text)
    else:
        print(text, file=out.file)  # to colour a year of versions takes rich ten seconds


def print_lines(*lines: object) -> None:
    """Lines as they are: no markup, no colour, no wrapping."""
    for line in lines:
        out.print(str(line), soft_wrap=True, highlight=False, markup=False)


def print_table(
    rows: Sequence[Mapping[str, Any]], columns: Sequence[str], title: str | None = None, spare: Sequence[str] = ()
) -> None:
    """A table. In a pipe a row is a line and nothing is cut.

    On a terminal long texts go over several lines, and where it is too narrow `spare` columns are left out, and named.
    """
    if not out.is_terminal:
        _print_whole(columns, _cells(rows, columns), _numeric(rows, columns), title)
        return
    left_out: list[str] = []
    while _least_width(rows, columns) > out.width and (droppable := [c for c in spare if c in columns]):
        left_out.append(droppable[0])
        columns = [column for column in columns if column != droppable[0]]
    _print_for_people(columns, _cells(rows, columns), _numeric(rows, columns), title)
    if left_out:
        out.print(f"[dim]Left out for want of room: {', '.join(left_out)}[/]")


def _cells(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[list[str]]:
    return [[cell(row.get(column)) for column in columns] for row in rows]


def _numeric(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> list[bool]:
    return [any(isinstance(row.get(column), int) for row in rows) for column in columns]


def _least_width(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int:
    """What a table needs when its texts are folded, and names and numbers are not."""
    widths = [max(len(text) for text in column) for column in zip(columns, *_cells(rows, columns), strict=True)]
    return sum(min(width, FOLDED) + 2 for width in widths) - 2


def _print_for_people(
    columns: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool], title: str | None
) -> None:
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for number, (column, is_right) in enumerate(zip(columns, right, strict=True)):
        is_text = any(len(row[number]) > FOLDED for row in cells)
        table.add_column(column, overflow="fold", no_wrap=not is_text, justify="right" if is_right else "left")
    for row in cells:
        table.add_row(*map(escape, row))
    out.print(table)


def _print_whole(
    columns: Sequence[str], cells: Sequence[Sequence[str]], right: Sequence[bool], title: str | None
) -> None:
    lines = [list(columns), *([" ".join(text.split()) for text in row] for row in cells)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
    if title:
        print_lines(title)
    for line in lines:
        padded = (
            text.rjust(width) if is_right else text.ljust(width)
            for text, width, is_right in zip(line, widths, right, strict=True)
        )
        print_lines("  ".join(padded).rstrip())


def cell(value: Any) -> str:
    """A value as a cell has it."""
    if isinstance(value, bool):
        return "yes" if value else ""
    return f"{value:,}" if isinstance(value, int) else "" if value is None else str(value).translate(STEERING)
