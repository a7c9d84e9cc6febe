"""One form for characters that differ only in how they are typed: quotes, apostrophes, full-width letters and digits."""

import re
import unicodedata

_APOSTROPHES = "\u2018\u2019\u201a\u201b\u02bc\u2032\uff07"
_QUOTES = "\u201c\u201d\u201e\u201f\u2033\uff02"
_FULL_WIDTH = (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B), 0xFF20)  # 0-9 A-Z a-z @
_FORMS = str.maketrans(
    {
        **dict.fromkeys(_APOSTROPHES, "'"),
        **dict.fromkeys(_QUOTES, '"'),
        **{code: chr(code - 0xFEE0) for code in _FULL_WIDTH},
        "\ufe6b": "@",
    }
)
_ACCENT_AS_APOSTROPHE = re.compile(r"(?<=[^\W\d_])[`\u00b4](?=[^\W\d_])")  # an accent typed for an apostrophe

_SPACED = str.maketrans(dict.fromkeys("\u2013\u2014\u2015\u2026\u00ab\u00bb\u3001\u3002", " "))


def plain(text: str) -> str:
    """Return the text with straight quotes and apostrophes and with Latin letters, digits and @ of the usual width."""
    if not text.isascii():
        text = text.translate(_FORMS)
    return _ACCENT_AS_APOSTROPHE.sub("'", text) if "`" in text or "\u00b4" in text else text


def ascii_punctuation(text: str) -> str:
    """Return the text for a lexicon that knows ASCII punctuation alone: an ellipsis or a dash parts words."""
    return text if text.isascii() else unicodedata.normalize("NFKC", plain(text).translate(_SPACED))
