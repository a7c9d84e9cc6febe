"""Cleaning of free text: no markup, no addresses to reach a person by, one form of every character.

Each pattern is linear in the text: a match starts only where a run starts, and no two parts of a pattern can take the
same character. Keep it so; tests/text/test_clean.py feeds hostile megabytes.
"""

import html
import re
import unicodedata

import pyarrow as pa

from shopmill.text.strings import Texts, as_list

EMAIL = "[email]"
PHONE = "[phone]"
FEWEST_PHONE_DIGITS = 7
MOST_COMBINING_MARKS = 30  # the stream-safe limit of UAX 15: sorting endless marks takes quadratic time

SCHEMA = pa.schema(
    [
        pa.field("text_clean", pa.string()),
        pa.field("text_lower", pa.string()),
        pa.field("n_chars", pa.int32(), nullable=False),
        pa.field("n_words", pa.int32(), nullable=False),
    ]
)

_SCRIPTS = re.compile(r"<(script|style)\b[^<>]*>[^<]*</\1\s*+>", re.IGNORECASE)
_TAGS = re.compile(r"</?[a-z][^<>]*>|<![^<>]*>", re.IGNORECASE)
_NOT_LATIN = re.compile(r"[^\x00-\u02ff]{31,}")
# Controls other than white space; the invisible marks of direction, width and order that can hide or turn text round.
_CONTROLS = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]"
)
_URLS = re.compile(r"\b(?:https?://|ftp://|www\.)\S*[^\s.,!?;:)\]}'\"]", re.IGNORECASE)
_AT = r"(?:[@\uff20]|\s?[\[(]\s?at\s?[\])]\s?)"
_DOT = r"(?:\.|\s?[\[(]\s?dot\s?[\])]\s?)"
_EMAILS = re.compile(rf"(?<![\w.%+'&-])[\w.%+'&-]++{_AT}[\w-]++(?:{_DOT}[\w-]++)++", re.IGNORECASE)
_NUMBERS = re.compile(r"(?<![\w.,])\+?\(?\d(?:[\s().\u2010-\u2015/-]{0,3}\d)*+")
_DATES = re.compile(
    r"\d{4}([-/.])\d{1,2}\1\d{1,2}|\d{1,2}([-/.])\d{1,2}\2\d{4}|(?:19|20)\d\d\s?[-/\u2013]\s?(?:19|20)\d\d"
)


def clean(text: str) -> str:
    """Return the text without HTML, URLs and control characters, with addresses masked, in NFC, spaced singly.

    E-mail addresses become `[email]`, telephone numbers (seven digits or more that are no date) `[phone]`.
    Case and punctuation stay: the models and VADER read them.
    """
    text = _without_markup(html.unescape(text))
    text = unicodedata.normalize("NFC", _bounded_marks(_CONTROLS.sub("", text)))
    return mask(" ".join(_URLS.sub(" ", text).split()))


def mask(text: str) -> str:
    """Replace e-mail addresses and telephone numbers. When in doubt, a long number is a telephone number."""
    return _NUMBERS.sub(_mask_number, _EMAILS.sub(EMAIL, text))


def clean_texts(texts: Texts) -> pa.RecordBatch:
    """Clean a column: SCHEMA's columns, in order. A null text stays null, with 0 characters and words."""
    cleaned = [None if text is None else clean(text) for text in as_list(texts)]
    columns = [
        pa.array(cleaned, pa.string()),
        pa.array([None if text is None else text.lower() for text in cleaned], pa.string()),
        pa.array([len(text or "") for text in cleaned], pa.int32()),
        pa.array([len((text or "").split()) for text in cleaned], pa.int32()),
    ]
    return pa.record_batch(columns, schema=SCHEMA)


def duplicate_key(text_clean: str) -> str:
    """Return what two cleaned texts share when they say the same: their words, without case and punctuation.

    A text without words keys as itself, so that two different emoji are not duplicates.
    """
    folded = unicodedata.normalize("NFKC", text_clean).casefold()
    return " ".join(re.findall(r"\w+", folded)) or folded


def _without_markup(text: str) -> str:
    return _TAGS.sub(" ", _SCRIPTS.sub(" ", text)) if "<" in text else text


def _bounded_marks(text: str) -> str:
    return text if text.isascii() else _NOT_LATIN.sub(_drop_marks_beyond_limit, text)


def _drop_marks_beyond_limit(match: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in match.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MOST_COMBINING_MARKS:
            kept.append(character)
    return "".join(kept)


def _mask_number(match: re.Match[str]) -> str:
    digits = sum(character.isdigit() for character in _DATES.sub("", match.group()))
    return PHONE if digits >= FEWEST_PHONE_DIGITS else match.group()
