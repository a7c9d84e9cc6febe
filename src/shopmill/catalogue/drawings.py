"""Pictures as inline SVG: no script draws them, colours come from the page's style, and each has a name for readers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from markupsafe import Markup, escape

T = TypeVar("T")
MOST_POINTS = 400
MOST_LINKED = 100
NARROW = 4  # pixels of a cell: narrower ones have no gap


def _svg(width: float, height: float, name: str, kind: str, *inner: str) -> Markup:
    opened = Markup(
        '<svg class="drawing {kind}" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" role="{role}" aria-label="{name}">'
    ).format(
        kind=kind,
        w=width,
        h=height,
        name=name,
        role="group" if any("<a " in p or "tabindex" in p for p in inner) else "img",
    )
    return opened + Markup("").join(Markup(part) for part in inner) + Markup("</svg>")  # noqa: S704 (parts are escaped)


def _text(x: float, y: float, text: object, kind: str = "", anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'


def _rect(x: float, y: float, width: float, height: float, kind: str, title: str = "") -> str:
    told = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{max(width, 0):.2f}" height="{max(height, 0):.2f}" class="{kind}">'
        f"{told}</rect>"
    )


def _path(points: Sequence[tuple[float, float]], kind: str) -> str:
    steps = " ".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
    return f'<path d="{steps}" class="{kind}"/>'


def short(value: float) -> str:
    """A number in few characters: 1,234 is 1.2k."""
    size = abs(value)
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:.3g}"


def thinned(values: Sequence[T], most: int) -> list[T]:
    """At most so many values, evenly spread, the last one among them."""
    if len(values) <= most:
        return list(values)
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


def sparkline(values: Sequence[float], name: str) -> Markup:
    """A small line without axes, for a cell of a table."""
    width, height = 120.0, 28.0
    shown = thinned(values, 60)
    if len(shown) < 2:  # noqa: PLR2004
        return Markup("")
    points = _scaled(shown, width - 6, height - 8, 3, 4)
    x, y = points[-1]
    area = [*points, (points[-1][0], height - 1), (points[0][0], height - 1)]
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" class="dot"/>'
    return _svg(width, height, name, "spark", _path(area, "area"), _path(points, "line"), dot)


def _scaled(
    values: Sequence[float], width: float, height: float, left: float, top: float, low: float | None = None
) -> list[tuple[float, float]]:
    least, most = min(values) if low is None else low, max(values)
    span = (most - least) or 1.0
    step = width / max(1, len(values) - 1)
    flat = most == least
    return [
        (left + i * step, top + (height / 2 if flat else height - (value - least) / span * height))
        for i, value in enumerate(values)
    ]


def histogram(bars: Sequence[tuple[str, int]], name: str, width: float = 150, height: float = 34) -> Markup:
    """Bars side by side; each says its value and its rows."""
    if not bars:
        return Markup("")
    most = max(rows for _, rows in bars) or 1
    step = width / len(bars)
    drawn = []
    for i, (label, rows) in enumerate(bars):
        size = max(1.0, rows / most * (height - 2)) if rows else 0
        drawn.append(_rect(i * step + 0.4, height - size, step - 0.8, size, "bar", f"{label}: {rows:,}"))
    return _svg(width, height, name, "histogram", *drawn)


def bars(rows: Sequence[tuple[str, float]], name: str, width: float = 420, written: bool = True) -> Markup:
    """Bars one below the other with their labels."""
    label, line = 190.0, 24.0
    most = max((value for _, value in rows), default=0) or 1
    drawn = []
    for i, (text, value) in enumerate(rows):
        y = i * line
        size = value / most * (width - label - 70)
        drawn.append(_text(label - 8, y + 15, _cut(text, 28), "label", "end"))
        drawn.append(_rect(label, y + 4, size, line - 9, "bar", f"{text}: {value:,.6g}"))
        if written:
            drawn.append(_text(label + size + 6, y + 15, short(value), "value"))
    return _svg(width, max(line, len(rows) * line), name, "bars", *drawn)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


@dataclass(frozen=True)
class Line:
    """A line of a chart; values that are None leave a gap."""

    name: str
    values: Sequence[float | None]
    is_area: bool = False


def chart(labels: Sequence[str], lines: Sequence[Line], name: str, width: float = 900, height: float = 240) -> Markup:
    """Lines over an axis of labels, with a legend; the scale begins at zero."""
    left, right, top, bottom = 56.0, 12.0, 28.0, 24.0
    most = max((v for line in lines for v in line.values if v is not None), default=0) or 1
    inner_width, inner_height = width - left - right, height - top - bottom
    step = inner_width / max(1, len(labels) - 1)

    def at(i: int, value: float) -> tuple[float, float]:
        return left + i * step, top + inner_height - value / most * inner_height

    drawn = [*_axis(most, left, top, inner_width, inner_height), *_ticks(labels, left, step, height - 6)]
    for number, line in enumerate(lines):
        for run in _runs(line.values):
            points = [at(i, value) for i, value in run]
            if line.is_area:
                base = top + inner_height
                drawn.append(_path([(points[0][0], base), *points, (points[-1][0], base)], f"area s{number}"))
            drawn.append(_path(points if len(points) > 1 else [points[0], points[0]], f"line s{number}"))
    x = left
    for number, line in enumerate(lines):
        drawn.append(_rect(x, 6, 10, 10, f"key s{number}"))
        drawn.append(_text(x + 15, 15, line.name, "label"))
        x += 30 + 7.2 * len(line.name)
    return _svg(width, height, name, "chart", *drawn)


def _axis(most: float, left: float, top: float, width: float, height: float) -> Iterator[str]:
    for i in range(5):
        y = top + height - i / 4 * height
        yield f'<line x1="{left:.1f}" x2="{left + width:.1f}" y1="{y:.1f}" y2="{y:.1f}" class="rule"/>'
        yield _text(left - 8, y + 4, short(most * i / 4), "value", "end")


def _ticks(labels: Sequence[str], left: float, step: float, y: float) -> Iterator[str]:
    if not labels:
        return
    shown = sorted({round(i * (len(labels) - 1) / 5) for i in range(6)})
    for place in shown:
        anchor = "start" if place == 0 else "end" if place == len(labels) - 1 else "middle"
        yield _text(left + place * step, y, labels[place], "value", anchor)


def _runs(values: Sequence[float | None]) -> Iterator[list[tuple[int, float]]]:
    """The stretches between gaps."""
    for is_there, run in groupby(enumerate(values), lambda pair: pair[1] is not None):
        if is_there:
            yield [(i, value) for i, value in run if value is not None]


@dataclass(frozen=True)
class Point:
    """A version on a timeline."""

    label: str
    rows: int
    rejected: int
    kind: str
    href: str = ""


def timeline(points: Sequence[Point], name: str, width: float = 900, height: float = 190) -> Markup:
    """Rows of the versions as a line over their rejected rows; the newest hundred can be clicked."""
    left, right, top, bottom, below = 56.0, 12.0, 14.0, 22.0, 34.0
    inner, tall = width - left - right, height - top - bottom - below
    most = max((point.rows for point in points), default=0) or 1
    worst = max((point.rejected for point in points), default=0) or 1
    step = inner / max(1, len(points) - 1)
    places = [
        (left + (i * step if len(points) > 1 else inner / 2), top + tall * (1 - p.rows / most))
        for i, p in enumerate(points)
    ]
    drawn = [*_axis(most, left, top, inner, tall), *_ticks([p.label for p in points], left, step, height - 6)]
    drawn.append(_path(thinned(places, MOST_POINTS), "line s0"))
    base = height - bottom
    for (x, _), point in zip(places, points, strict=True):
        if point.rejected:
            size = max(2.0, point.rejected / worst * (below - 8))
            drawn.append(_rect(x - 1, base - size, 2, size, "rejected", f"{point.label}: {point.rejected:,} rejected"))
    first = len(points) - MOST_LINKED
    for i, ((x, y), point) in enumerate(zip(places, points, strict=True)):
        if i >= first or point.kind != "ok":
            drawn.append(_dot(x, y, point, linked=i >= first))
    return _svg(width, height, name, "chart timeline", *drawn)


def _dot(x: float, y: float, point: Point, linked: bool) -> str:
    told = f"{point.label}: {point.rows:,} rows, {point.rejected:,} rejected, {point.kind}"
    circle = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" class="dot {point.kind}"><title>{escape(told)}</title></circle>'
    if not (linked and point.href):
        return circle
    return f'<a href="{escape(point.href)}" aria-label="{escape(told)}">{circle}</a>'


def grid(
    rows: Mapping[str, Sequence[str]], columns: Sequence[str], name: str, words: Mapping[str, str], width: float = 900
) -> Markup:
    """A cell per row and column, coloured by its state. Equal neighbours are one rectangle, so two thousand columns are few."""
    label, line, top = 260.0, 17.0, 22.0
    step = (width - label - 4) / max(1, len(columns))
    drawn = list(_ticks(columns, label, step * len(columns) / max(1, len(columns) - 1), 12)) if columns else []
    for number, (text, states) in enumerate(rows.items()):
        y = top + number * line
        drawn.append(_text(label - 8, y + 12, _cut(text, 36), "label", "end"))
        place = 0
        for state, run in groupby(states):
            size = len(list(run))
            if state in words:
                span = columns[place] if size == 1 else f"{columns[place]} to {columns[place + size - 1]}"
                gap = 1 if step > NARROW else 0
                drawn.append(
                    _rect(
                        label + place * step,
                        y + 1,
                        size * step - gap,
                        line - 3,
                        f"cell {state}",
                        f"{text}: {words[state]}, {span}",
                    )
                )
            place += size
    return _svg(width, top + max(1, len(rows)) * line + 4, name, "grid", *drawn)


def heat_map(
    cells: Mapping[tuple[int, int], tuple[float, str]], across: str, down: str, name: str, size: int = 5
) -> Markup:
    """Squares of 1 to `size` by 1 to `size`, the darker the more; each cell is its weight and what it says."""
    side, left, top = 74.0, 76.0, 10.0
    most = max((weight for weight, _ in cells.values()), default=0) or 1
    drawn = []
    for row in range(size, 0, -1):
        y = top + (size - row) * side
        drawn.append(_text(left - 10, y + side / 2 + 4, row, "label", "end"))
        for column in range(1, size + 1):
            weight, told = cells.get((column, row), (0.0, "none"))
            x = left + (column - 1) * side
            share = (weight / most) ** 0.5
            drawn.append(
                f'<rect x="{x + 1:.1f}" y="{y + 1:.1f}" width="{side - 2:.1f}" height="{side - 2:.1f}" rx="4" '
                f'class="heat" fill-opacity="{0.06 + 0.84 * share:.3f}"><title>{escape(told)}</title></rect>'
            )
            kind = "inverse" if share > 0.8 else "label"  # noqa: PLR2004
            drawn.append(_text(x + side / 2, y + side / 2 + 4, short(weight), kind, "middle"))
    for column in range(1, size + 1):
        drawn.append(_text(left + (column - 0.5) * side, top + size * side + 18, column, "label", "middle"))
    drawn.append(_text(left + size * side / 2, top + size * side + 38, across, "value", "middle"))
    drawn.append(_text(4, top - 0 + 12, down, "value"))
    return _svg(left + size * side + 6, top + size * side + 46, name, "heatmap", *drawn)


@dataclass(frozen=True)
class Node:
    """A box of a graph, such as a table, with lines below its name."""

    name: str
    lines: tuple[str, ...] = ()
    kind: str = ""
    href: str = ""


def graph(
    left: Sequence[Node], right: Sequence[Node], edges: Sequence[tuple[str, str]], name: str, width: float = 900
) -> Markup:
    """Boxes on the left lead to boxes on the right; `edges` name boxes, or `box.line` for a line of one."""
    wide, gap, line = 290.0, 16.0, 18.0

    def height(node: Node) -> float:
        return 28 + line * len(node.lines)

    def total(nodes: Sequence[Node]) -> float:
        return sum(height(node) + gap for node in nodes)

    tall = max(total(left), total(right), 60)
    ports: dict[str, tuple[float, float]] = {}
    boxes: list[str] = []
    for nodes, x, port in ((left, 2.0, wide + 2), (right, width - wide - 2, width - wide - 2)):
        y = (tall - total(nodes)) / 2 + gap / 2
        for node in nodes:
            boxes += _box(node, x, y, wide, height(node), line)
            ports[node.name] = port, y + 14
            for i, text in enumerate(node.lines):
                ports[f"{node.name}.{text}"] = port, y + 28 + line * i + 7
            y += height(node) + gap
    drawn = [_edge(ports[a], ports[b], a, b) for a, b in edges if a in ports and b in ports]
    return _svg(width, tall, name, "graph", *drawn, *boxes)


def _box(node: Node, x: float, y: float, width: float, height: float, line: float) -> Iterator[str]:
    title = _text(x + 12, y + 19, _cut(node.name, 36), "title")
    yield f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" class="box {node.kind}"/>'
    yield f'<a href="{escape(node.href)}">{title}</a>' if node.href else title
    for i, text in enumerate(node.lines):
        place = y + 28 + line * i
        ident = escape(f"{node.name}.{text}")
        yield f'<g class="port" data-port="{ident}" tabindex="0" role="button" aria-label="{ident}">'
        yield _rect(x + 4, place, width - 8, line, "hit")
        yield _text(x + 16, place + 12, _cut(text, 38), "label") + "</g>"


def _edge(start: tuple[float, float], end: tuple[float, float], a: str, b: str) -> str:
    (x1, y1), (x2, y2) = start, end
    middle = (x1 + x2) / 2
    return (
        f'<path d="M{x1:.1f} {y1:.1f} C{middle:.1f} {y1:.1f} {middle:.1f} {y2:.1f} {x2:.1f} {y2:.1f}" class="edge" '
        f'data-from="{escape(a)}" data-to="{escape(b)}"/>'
    )
