"""Cleaning of free text: no markup, no addresses to reach a person by, one form of every character.

Each pattern is linear in the text: a match starts only where a run starts, and no two parts of a pattern can take the
same character. Keep it so; tests/text/test_clean.py feeds hostile megabytes.
"""

import re
import unicodedata

import pyarrow as pa

from shopmill.text.emails import EMAIL, mask_emails
from shopmill.text.markup import unescape, without_tags
from shopmill.text.phones import PHONE, mask_phones
from shopmill.text.strings import Texts, as_list
from shopmill.text.typography import of_windows, plain, read_rightly

__all__ = ["EMAIL", "PHONE", "SCHEMA", "clean", "clean_texts", "duplicate_key", "mask"]

MOST_COMBINING_MARKS = 30  # the stream-safe limit of UAX 15: sorting endless marks takes quadratic time

SCHEMA = pa.schema(
    [
        pa.field("text_clean", pa.string()),
        pa.field("text_lower", pa.string()),
        pa.field("n_chars", pa.int32(), nullable=False),
        pa.field("n_words", pa.int32(), nullable=False),
    ]
)

_NOT_LATIN = re.compile(r"[^\x00-\u02ff]{31,}")
# Controls other than white space; the invisible marks of direction, width and order that can hide or turn text round.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff]"
    # Joiners and selectors shape Persian, Hindi and emoji; beside ASCII they only hide what a word is.
    r"|(?<=[!-~])[\u200c\u200d\ufe00-\ufe0f]++|(?<![\u200c\u200d\ufe00-\ufe0f])[\u200c\u200d\ufe00-\ufe0f]++(?=[!-~])"
)
_ASCII_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
_URL_END = r"\s\u3000-\u9fff\uac00-\ud7af\uff00-\uffef<>\""
_URLS = re.compile(rf"(?:https?://|ftp://|(?<![a-z])www\.)(?:[^{_URL_END}]*[^{_URL_END}.,!?;:)\]}}'])?", re.IGNORECASE)
_EMOTICONS = re.compile(r"(?<!\S)[<>]?[:;=8xX][-o*']?[)\](\[dDpP/\\|@3<>]+(?!\S)|<3+(?!\S)")


def clean(text: str) -> str:
    """Return the text without HTML, URLs and control characters, with addresses masked, in NFC, spaced singly.

    E-mail addresses become `[email]`, telephone numbers `[phone]`. Quotes are straight, and full-width letters and digits
    are of the usual width. Case and punctuation stay: the models and VADER read them.
    """
    text = _visible(plain(unescape(_visible(text))))
    return mask(" ".join(_without_urls(without_tags(text)).split()))


def mask(text: str) -> str:
    """Replace e-mail addresses and telephone numbers. When in doubt, a long number is a telephone number."""
    return mask_phones(mask_emails(text))


def clean_texts(texts: Texts) -> pa.RecordBatch:
    """Clean a column: SCHEMA's columns, in order. A text of which nothing is left is null, with 0 characters and words."""
    cleaned = [clean(text) or None if text else None for text in as_list(texts)]
    columns = [
        pa.array(cleaned, pa.string()),
        pa.array([None if text is None else text.lower() for text in cleaned], pa.string()),
        pa.array([len(text or "") for text in cleaned], pa.int32()),
        pa.array([len((text or "").split()) for text in cleaned], pa.int32()),
    ]
    return pa.record_batch(columns, schema=SCHEMA)


def duplicate_key(text_clean: str) -> str:
    """Return what two cleaned texts share when they say the same: their words, emoji and emoticons, in any case.

    Punctuation does not count, save in a text that has nothing else.
    """
    folded = unicodedata.normalize("NFKC", text_clean).casefold()
    marked = _EMOTICONS.sub(lambda face: f" {face.group().encode().hex()} ", folded)
    return " ".join("".join(c if _says_something(c) else " " for c in marked).split()) or folded


def _says_something(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in {"Mn", "Mc", "So"}


def _visible(text: str) -> str:
    if text.isascii():
        return _ASCII_CONTROLS.sub("", text)
    return read_rightly(unicodedata.normalize("NFC", _bounded_marks(_INVISIBLE.sub("", of_windows(text)))))


def _without_urls(text: str) -> str:
    return _URLS.sub(" ", text) if "://" in text or "www." in text.lower() else text


def _bounded_marks(text: str) -> str:
    return text if text.isascii() else _NOT_LATIN.sub(_drop_marks_beyond_limit, text)


def _drop_marks_beyond_limit(match: re.Match[str]) -> str:
    kept, marks = [], 0
    for character in match.group():
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks <= MOST_COMBINING_MARKS:
            kept.append(character)
    return "".join(kept)
