"""The languages that a text may be in, as ISO 639-1 codes, and the scripts that they are written in."""

import unicodedata
from collections.abc import Set

# The fewer the candidates, the surer a short text. A shop that expects others names them.
USUAL = frozenset(
    "en de fr es it pt nl sv da no fi pl cs sk hu ro bg el tr ru uk ar he fa hi ja zh ko id vi th".split()  # noqa: SIM905
)
OTHERS = frozenset(
    (  # noqa: SIM905
        "af am as az be bn br bs ca cy eo et eu fy ga gd gl gu ha hr ht hy ig is jv ka kk km kn ku ky la lg ln lo lt lv mg mk "
        "ml mn mr ms my ne nn oc om or pa ps qu sa si sl so sq sr ta te tl tg tk tt ug ur uz xh yo zu"
    ).split()
)
KNOWN = tuple(sorted(USUAL | OTHERS))

_SCRIPTS = {
    "CYRILLIC": "be bg kk ky mk mn ru sr tg tt uk",
    "GREEK": "el",
    "ARABIC": "ar fa ps ug ur",
    "HEBREW": "he",
    "DEVANAGARI": "hi mr ne sa",
    "CJK": "ja zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "ETHIOPIC": "am",
    "BENGALI": "as bn",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "ORIYA": "or",
    "SINHALA": "si",
    "TAMIL": "ta",
    "TELUGU": "te",
}
_WRITTEN_IN = {script: frozenset(codes.split()) for script, codes in _SCRIPTS.items()}
_BOTH = frozenset({"sr", "tt", "ku"})  # in Latin letters too
_LATIN = (USUAL | OTHERS) - frozenset().union(*_WRITTEN_IN.values()) | _BOTH
_LETTERS_READ = 200


def writable(text: str) -> Set[str]:
    """Return the languages that may use the scripts of the text's first letters."""
    letters = [character for character in text[:_LETTERS_READ] if character.isalpha()]
    scripts = {unicodedata.name(letter, "").partition(" ")[0].partition("-")[0] for letter in letters}
    return frozenset().union(*(_WRITTEN_IN.get(script, _LATIN) for script in scripts))
