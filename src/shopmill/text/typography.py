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
_MARK_AS_APOSTROPHE = re.compile(r"(?<=[a-z])[\u02b9\u055a\u05f3\ua78c](?=[a-z])", re.IGNORECASE)  # another script's
_ESCAPED_APOSTROPHE = re.compile(r"(?<=[^\W\d_])\\++'(?=[^\W\d_])")  # as SQL and JSON of old write it

# Text of Windows that was read as Latin-1, whose codes there are controls. 0x85 is a line's end too, and stays one.
_LINE_END = 0x85
_OF_WINDOWS = {
    code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0) if code != _LINE_END
}
_CONTROLS = re.compile(r"[\x80-\x84\x86-\x9f]")
# Punctuation in UTF-8 that was read as text of Windows: its first two bytes, and what the third one looks like there.
_READ_WRONGLY = re.compile("\u00e2\u20ac([\u2122\u02dc\u0153\u201c\u201d\u00a6]?)")
_MEANT = {
    "\u2122": "'",
    "\u02dc": "'",
    "\u0153": '"',
    "\u201c": "\u2013",
    "\u201d": "\u2014",
    "\u00a6": "\u2026",
    "": '"',
}

_SPACED = str.maketrans(dict.fromkeys("\u2013\u2014\u2015\u2026\u00ab\u00bb\u3001\u3002", " "))


def plain(text: str) -> str:
    """Return the text with straight quotes and apostrophes and with Latin letters, digits and @ of the usual width."""
    if not text.isascii():
        text = text.translate(_FORMS)
        text = _MARK_AS_APOSTROPHE.sub("'", text)
    if "`" in text or "\u00b4" in text:
        text = _ACCENT_AS_APOSTROPHE.sub("'", text)
    return _ESCAPED_APOSTROPHE.sub("'", text) if "\\'" in text else text


def of_windows(text: str) -> str:
    """Return the text with the marks of Windows that were read as controls."""
    return text.translate(_OF_WINDOWS) if _CONTROLS.search(text) else text


def read_rightly(text: str) -> str:
    """Return the text with the punctuation that was read in the encoding of Windows: `isn\u00e2\u20ac\u2122t` is `isn't`."""
    return _READ_WRONGLY.sub(lambda found: _MEANT[found[1]], text)


def ascii_punctuation(text: str) -> str:
    """Return the text for a lexicon that knows ASCII punctuation alone: an ellipsis or a dash parts words."""
    return text if text.isascii() else unicodedata.normalize("NFKC", plain(text).translate(_SPACED))
