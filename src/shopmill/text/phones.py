"""Telephone numbers in free text and their mask: seven digits or more that are nothing else.

What is harmless is recognised by its form: dates, years, prices, measures, sizes, marks out of ten, decimals and round
numbers. In doubt a long number is a telephone number. No country is asked for: people write the numbers of where they
come from, not of where the shop is. Digits and dashes of every script count.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

PHONE = "[phone]"
FEWEST_DIGITS = 7
_CONTEXT = 16  # characters before and after a number that may say what it is

_DASHES = "-\u058a\u05be\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\u30fc\u301c\ufe58\ufe63\uff0d\uff5e\uff70"
_DOTS = ".\u00b7\u2022\u2024\u30fb\uff0e\uff65"
_SEPARATORS = str.maketrans(
    {
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_DOTS, "."),
        **dict.fromkeys("/\u2044\uff0f", "/"),
        "\uff08": "(",
        "\uff09": ")",
        "\uff0b": "+",
    }
)
_KEYCAP = "\u20e3"
_NUMBERS = re.compile(
    rf"(?:[+\uff0b]\s?)?+[(\uff08]?+\d{_KEYCAP}?+"
    rf"(?:[\s()\uff08\uff09/\u2044\uff0f_~*{re.escape(_DASHES + _DOTS)}]{{0,3}}\d{_KEYCAP}?+)*+"
)
_AS_A_LIST = re.compile(r"(?<![\d,;|:=\\])(?:\(0\d{1,4}\)|0\d{1,4})([,;|:=\\])\d{2,4}(?:\1\d{2,4})++(?![\d.])")
_FEWEST_DIGITS_OF_A_LIST = 9

# What a number is by the words beside it.
_CALL = re.compile(
    r"(?<!\[)(?:tel|tlf|t\u00e9l|phone|fon|mobile?|mob|cell|call|sms|whats\s?app|wechat|viber|fax|handy|"
    r"\u7535\u8bdd|\u96fb\u8a71|\u624b\u673a|\u624b\u6a5f|\u5fae\u4fe1|\uc804\ud654)\W{0,3}$",
    re.IGNORECASE,
)
_SIGNS = r"$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ab"
_MONEY_BEFORE = re.compile(rf"(?:[{_SIGNS}]|\b(?:usd|eur|gbp|rs\.?|inr))\s?$", re.IGNORECASE)
_NUMBER_OF = r"\s?(?:no|nr|num|number|nummer|code|id|#)\b"
_NAMED_BEFORE = re.compile(
    rf"\b(?:(?:isbn(?:-1[03])?|issn|ean|gtin|upc|sku|barcode)(?:{_NUMBER_OF})?|rgb|"
    r"(?:item|article|artikel|art\.?|model|style|product)\s?(?:(?:no|nr|num|number|nummer|code|id)\b|#))\W{0,3}$",
    re.IGNORECASE,
)
_VERSION_BEFORE = re.compile(r"\b(?:v|ver|version|firmware|ios|android|macos|ip)\W{0,2}$", re.IGNORECASE)
_UNIT_AFTER = re.compile(
    r"\s?(?:[\"%\u00b0$\u20ac\u00a3\u00a5\u20b9\u20bd\u20a9\u20ab\u5186\u5143\uc6d0]|(?:lbs?|pounds?|kgs?|kilos?|cms?|mm|inch(?:es)?|ft|feet|stones?|"
    r"mah|gb|px|ml|km|usd|eur|euros?|gbp|dollars?|kr|sek|yen|rmb|yuan|rupees|vnd|won|\u0440\u0443\u0431)\b)",
    re.IGNORECASE,
)
_HEIGHT_BEFORE = re.compile(r"\d\s?(?:'|ft\.?|feet)\s?$", re.IGNORECASE)

# Forms within a number, cut out before its digits are counted.
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_YEAR = r"(?:19|20)\d\d"
_ANY_YEAR = r"(?:1\d|20)\d\d"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DATE = rf"(?:{_DAY}[./]{_DAY}[./](?:{_YEAR}|\d\d))"
_DD, _MM = r"(?:0[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
_YEAR_FIRST = rf"{_YEAR}{_MM}{_DD}"
_DIGITAL_DATE = rf"(?:{_YEAR_FIRST}|{_DD}{_MM}{_YEAR})"
_DIGITAL_TIME = r"(?:[01]\d|2[0-3])[0-5]\d(?:[0-5]\d)?"
_INSIDE = re.compile(
    rf"(?<![\d./-])(?:{_DAY}([./-]\s?){_DAY}\1{_YEAR}|{_YEAR}([./-]){_DAY}\2{_DAY}|{_DAY}([./]){_DAY}\3\d\d)(?![./-]?\d)"
    rf"|^{_ANY_YEAR}\s?[-/]\s?{_ANY_YEAR}(?!\s?[./-]?\d{{3}})"
    r"|(?<![\d/.-])(?:\d|10)\s?/\s?(?:5|10)(?![\d/])"
    r"|(?:(?<=[\s/-])|^)(?:0|[1-9]\d{0,3})\.\d\d?(?=[\s/-]|$)"
    rf"|^{_YEAR_FIRST}(?=\s[0+(])"  # before a number that begins as it is dialled
)
_LAST_BEFORE_UNIT = re.compile(r"(?:(?<=\s)|^)\d{1,4}(?:\s?[-/]\s?\d{1,4})?$")
_FIRST_AFTER_HEIGHT = re.compile(r"^\d\d?(?!\d)")

# Forms that a whole number has.
_WHOLE = re.compile(
    rf"(?:{_DAY}\s)?{_YEAR}(?:[\s/-]{{1,3}}{_YEAR})+|{_ANY_YEAR}(?:\s?[/-]\s?{_ANY_YEAR})+|{_DAY}\s{_DAY}\s{_YEAR}|{_YEAR}\s{_DAY}\s{_DAY}"
    r"|\d{1,2}\.\d{4,}|[1-9]\d{0,2}\.\d{4,}\s[1-9]\d{0,2}\.\d{4,}"  # a decimal, a place on the map
    rf"|{_DATE}\s?-\s?{_DATE}|{_DAY}\.{_MONTH}\.?\s?-\s?{_DATE}|{_DAY}-{_MONTH}-\d\d(?:\s{_DAY}-{_MONTH}-\d\d)+"
    rf"|{_DIGITAL_DATE}(?:[\s_-]?{_DIGITAL_TIME})?(?:\s?[\s/_-]\s?{_DIGITAL_DATE}(?:[\s_-]?{_DIGITAL_TIME})?)*"
    rf"|{_YEAR}[/-]\d\d(?:\s{_YEAR}[/-]\d\d)+"  # seasons
    r"|\d{1,4}(?:\s?\*\s?\d{1,4})+"  # a product: 120*80*200
    r"|[1-9]\d?/\d\d?(?:\s[1-9]\d?/\d\d?)+"  # fractions, sizes of two parts
    r"|[1-9]\d{0,2}0{5,}|[1-9]\d{0,2}(?P<sep>[\s.])000(?:(?P=sep)000)*"  # a round number
    r"|\d{1,3}(?:\s?/\s?\d{1,3})+"
)
_AMOUNT = re.compile(r"\d{1,3}(?:[\s.]\d{3})*|\d+")
_FROM_TO = re.compile(r"\d{1,3}(?:[\s.]\d{3})*\s?-\s?\d{1,3}(?:[\s.]\d{3})*")
_DIALLED = re.compile(r"\+|\(?00?[\d)]|\(")
_INTERNATIONAL = re.compile(r"\+|00\d")
_INCHES, _CENTIMETRES = range(20, 70), range(55, 140)
_HEIGHTS, _OF_A_BODY = range(140, 211), range(40, 141)
_SCREENS = {
    (640, 480), (800, 480), (800, 600), (960, 540), (1024, 600), (1024, 768), (1152, 864), (1280, 720), (1280, 768),
    (1280, 800), (1280, 960), (1280, 1024), (1360, 768), (1366, 768), (1440, 900), (1440, 1080), (1600, 900),
    (1600, 1200), (1680, 1050), (1792, 828), (1920, 1080), (1920, 1200), (1920, 1280), (2048, 1080), (2048, 1152),
    (2048, 1536), (2160, 1080), (2160, 1440), (2340, 1080), (2400, 1080), (2436, 1125), (2532, 1170), (2560, 1080),
    (2560, 1440), (2560, 1600), (2688, 1242), (2736, 1824), (2778, 1284), (2880, 1620), (2880, 1800), (3000, 2000),
    (3072, 1920), (3200, 1440), (3200, 1800), (3440, 1440), (3456, 2234), (3840, 1080), (3840, 1600), (3840, 2160),
    (4096, 2160), (5120, 1440), (5120, 2160), (5120, 2880), (6016, 3384), (7680, 4320),
}  # fmt: skip
"""Points of a screen, across and down; upright it has them the other way round."""
_LAST_HOUR = 24
_FEWEST_SIZES, _LONGEST_SIZE, _WIDEST_STEP = 4, 3, 10


def mask_phones(text: str) -> str:
    """Replace each telephone number by `[phone]`."""
    return _NUMBERS.sub(_masked, _AS_A_LIST.sub(_masked_list, text))


def _masked_list(match: re.Match[str]) -> str:
    """A number whose parts stand as those of a list do, `070,123,45,67`: it begins as it is dialled, with a 0."""
    number = match.group()
    groups = re.findall(r"\d+", number)
    return number if sum(map(len, groups)) < _FEWEST_DIGITS_OF_A_LIST or _are_sizes(groups) else PHONE


def _masked(match: re.Match[str]) -> str:
    number = match.group()
    if _digits(number) < FEWEST_DIGITS:
        return number
    before = match.string[max(0, match.start() - _CONTEXT) : match.start()]
    after = match.string[match.end() : match.end() + _CONTEXT]
    form = _form(number)
    if form[0] == "(" and ")" not in form:  # of a sentence in brackets, not of the number
        return number[0] + _judged(number[1:], form[1:], f"{before}(", after)
    return _judged(number, form, before, after)


def _judged(number: str, form: str, before: str, after: str) -> str:
    if _is_harmless(form, before, after):
        return number
    cuts = _cuts(form, before, after)
    pieces = [number[start:end] for start, end in _between(cuts, len(number))]
    if sum(map(_digits, pieces)) < FEWEST_DIGITS:
        return number
    if all(_digits(piece) < FEWEST_DIGITS for piece in pieces):
        return PHONE
    return _joined(number, cuts)


def _form(number: str) -> str:
    """The number in ASCII, character for character."""
    return "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in number.translate(_SEPARATORS))


def _digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


def _is_harmless(form: str, before: str, after: str) -> bool:
    if _is_named(form, before) or _is_amount(form, before, after):
        return True
    if _CALL.search(before):
        return False
    if re.fullmatch(rf"{_DAY}\s{_DAY}\s{_YEAR}", form):
        return True
    if _DIALLED.match(form):
        return False
    if _UNIT_AFTER.match(after) and (_AMOUNT.fullmatch(form) or _FROM_TO.fullmatch(form)):
        return True
    groups = re.findall(r"\d+", form)
    return (
        bool(_WHOLE.fullmatch(form))
        or _is_screen(form, groups)
        or _are_sizes(groups)
        or _are_hours(form)
        or _are_measures(form, groups, before)
    )


def _is_named(form: str, before: str) -> bool:
    """What the word before says that it is: a number of a book or an article, a version, an address of a computer."""
    if _VERSION_BEFORE.search(before):
        return bool(re.fullmatch(r"\d{1,3}(?:\.\d{1,3}){2,3}", form))
    return bool(_NAMED_BEFORE.search(before)) and form[0] != "+"


def _is_amount(form: str, before: str, after: str) -> bool:
    """A price, or digits that a comma parts from others: `1,299,000.00`, `3,14159265`, `12.345.678,90`."""
    if not _AMOUNT.fullmatch(form):
        return bool(re.search(r"\d,$", before)) and not _DIALLED.match(form) and form.count(".") == 1
    if re.search(r"\d,$", before):
        return not _DIALLED.match(form)
    is_money = _MONEY_BEFORE.search(before) or re.match(r"\s?[\u20ac\u00a3$\u00a5\u20b9]", after)
    return bool(is_money or (re.match(r",\d{1,2}(?!\d)", after) and not form.isdecimal()))


def _are_sizes(groups: list[str]) -> bool:
    """`34 36 38 40`: short numbers that rise by small steps."""
    if len(groups) < _FEWEST_SIZES or any(len(group) > _LONGEST_SIZE for group in groups):
        return False
    numbers = [int(group) for group in groups]
    steps = [right - left for left, right in pairwise(numbers)]
    return all(0 <= step <= _WIDEST_STEP for step in steps) and any(steps)


def _is_screen(form: str, groups: list[str]) -> bool:
    """`1920 1080`, `1080/1920`: the points of a screen that is sold."""
    if not re.fullmatch(r"\d{3,4}\s?[\s/_-]\s?\d{3,4}", form):
        return False
    down, across = sorted(map(int, groups))
    return (across, down) in _SCREENS


def _are_hours(form: str) -> bool:
    """`9-17 10-16`: each from an hour to a later one."""
    if not re.fullmatch(r"[1-9]\d?-\d\d?(?:\s[1-9]\d?-\d\d?)+", form):
        return False
    return all(int(low) < int(high) <= _LAST_HOUR for low, high in (pair.split("-") for pair in form.split()))


def _are_measures(form: str, groups: list[str], before: str) -> bool:
    """`34-29-38/39`, `100-86-106`, what begins with a height: `163-50-80`, or follows one: `5'3 120 34 26 36`."""
    if _HEIGHT_BEFORE.search(before) and all(len(group) <= _LONGEST_SIZE and group[0] != "0" for group in groups):
        return True
    if re.fullmatch(r"\d{3}(?:-\d{2,3}){2,4}", form) and int(groups[0]) in _HEIGHTS:
        return all(int(group) in _OF_A_BODY and group[0] != "0" for group in groups[1:])
    if not (re.fullmatch(r"\d+(?:-\d+)+\s?/\s?\d+", form) or re.fullmatch(r"\d+-\d\d-\d+|\d\d-\d+-\d+", form)):
        return False
    return any(all(int(group) in usual for group in groups) for usual in (_INCHES, _CENTIMETRES))


def _cuts(form: str, before: str, after: str) -> list[tuple[int, int]]:
    """Where harmless forms stand within the number, in order."""
    found = [] if _INTERNATIONAL.match(form) else [match.span() for match in _INSIDE.finditer(form)]
    if _HEIGHT_BEFORE.search(before) and (first := _FIRST_AFTER_HEIGHT.match(form)):
        found.append(first.span())
    if _UNIT_AFTER.match(after) and (last := _LAST_BEFORE_UNIT.search(form)):
        found.append(last.span())
    return sorted(found)


def _between(cuts: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    at = 0
    for start, end in cuts:
        if start >= at:
            yield at, start
        at = max(at, end)
    yield at, length


def _joined(number: str, cuts: list[tuple[int, int]]) -> str:
    """The number with its harmless pieces, `[phone]` in the place of each of the others that is long enough."""
    parts, at = [], 0
    for start, end in _between(cuts, len(number)):
        parts += [number[at:start], _mask_piece(number[start:end])]
        at = end
    return "".join(parts)


def _mask_piece(piece: str) -> str:
    return piece if _digits(piece) < FEWEST_DIGITS else piece.replace(piece.strip(), PHONE)
