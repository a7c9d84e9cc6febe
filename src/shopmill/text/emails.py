"""E-mail addresses in free text, as people write them, and their mask.

Words are taken whole, one after the other, each with the address that it may begin. So a mask never starts in the midst
of a name, an address right after another is seen too, and each character is looked at a bounded number of times.
"""

import re

EMAIL = "[email]"

# Scripts written without spaces, and Korean, whose particles stick to a Latin word: their sentence ends where an address
# begins, and goes on where it ends.
_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
_SPACED_LETTER = rf"[^\W{_UNSPACED}]"
_UNSPACED_RUN = rf"(?:(?=\w)[{_UNSPACED}])++"

_BRACKETED_AT = r"\s?[\[({<]\s?(?:at|@|\u00e4t)\s?[\])}>]\s?"
_AT = rf"(?:[@\uff20]|%40|{_BRACKETED_AT})"
_NO_SIGN = r"(?!%40|\{\s?(?:at|@|\u00e4t|dot|punkt|\.)\s?\})"
_SIGNS = r"\-.!#$%&'*+/=?^`|~{}"
_LOCAL = (
    rf"(?:{_SPACED_LETTER}(?:{_SPACED_LETTER}|{_NO_SIGN}[{_SIGNS}])*+|{_UNSPACED_RUN}|"
    rf"(?<![{_SIGNS}])[{_SIGNS}]++(?={_AT}))"
)
_DOT = r"(?:[.\uff0e]|\u3002(?=[a-z])|\s?[\[({<]\s?(?:dot|punkt|\.)\s?[\])}>]\s?|\s(?:dot|punkt)\s)"
_LABEL = rf"(?:(?:{_SPACED_LETTER}|-)++|{_UNSPACED_RUN})"
_DOMAIN = rf"(?:{_LABEL}(?:{_DOT}{_LABEL})++|\[(?:ipv6:)?[\d.:a-f]{{2,45}}\])"
_WORDS = re.compile(
    rf"(?:mailto:\s?)?+(?:\"[^\"]{{1,64}}\"(?={_AT})|{_LOCAL})(?P<domain>(?:{_AT}{_DOMAIN})++)?+", re.IGNORECASE
)
_NAMED = re.compile(rf"{_DOT}[^\W\d_]|\[", re.IGNORECASE)  # `3@9.99` is a price
_ANY_AT = re.compile(r"[@\uff20]|%40|[\[({<]\s?(?:at|\u00e4t)\s?[\])}>]", re.IGNORECASE)
_SPELLED_AT = re.compile(r"@|\sat\s|[\])}>]", re.IGNORECASE)

# Spelled without any bracket, only what cannot be a place: `meet at example dot com` may be one, a mail provider is not.
_PROVIDERS = (
    "aol|fastmail|gmail|gmx|googlemail|hotmail|icloud|laposte|msn|naver|outlook|posteo|protonmail|qq|rediffmail|t-online|uol|"
    "wanadoo|yahoo|yandex|ymail|zoho|126|163"
)
_SPACED_DOT = r"(?:\s?\.\s?|\s(?:dot|punkt)\s)"
_SPELLED = re.compile(
    rf"(?<![\w.%+'-])(?:{_SPACED_LETTER}|[.%+'-])++(?:\s?@\s?|\sat\s|{_BRACKETED_AT})(?:{_PROVIDERS})"
    rf"(?:{_SPACED_DOT}[a-z]{{2,4}}(?![^\W\d_])){{1,2}}",
    re.IGNORECASE,
)
_PROVIDER = re.compile(rf"[\s@\])}}>](?:{_PROVIDERS})[\s.]", re.IGNORECASE)


def mask_emails(text: str) -> str:
    """Replace each address by `[email]`."""
    if _ANY_AT.search(text):
        text = _WORDS.sub(_masked, text)
    return _SPELLED.sub(EMAIL, text) if _SPELLED_AT.search(text) and _PROVIDER.search(text) else text


def _masked(word: re.Match[str]) -> str:
    domain = word["domain"]
    return EMAIL if domain and _NAMED.search(domain) else word.group()
