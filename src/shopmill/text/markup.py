"""HTML in free text: entities are decoded, tags and what is not for reading go, and a `<` that is no tag stays.

Each pattern starts at a `<` or `&` and stops at the next one, so the time is linear in the text.
"""

import html
import re

MOST_ROUNDS = 4  # of entities inside entities; `&amp;amp;…` is one round, however deep

_ESCAPED_AMPERSANDS = re.compile(r"&(?:(?:amp|#0{0,6}38|#x0{0,6}26);)+(?=[a-z#])", re.IGNORECASE)
# Without a semicolon only what cannot be a word: `tops&not&bottoms` has no negation sign.
_ENTITIES = re.compile(
    r"&(?:#0{0,8}\d{1,7}(?!\d);?|#x0{0,8}[0-9a-f]{1,6}(?![0-9a-f]);?|[a-z][a-z0-9]{1,31};|(?:amp|lt|gt|quot|nbsp)(?![\w;=]))",
    re.IGNORECASE,
)

_NAMES = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo bgsound big blink blockquote body br "
    "button canvas caption center cite code col colgroup data datalist dd del details dfn dialog dir div dl dt em embed "
    "fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe "
    "img input ins kbd label legend li link main map mark marquee menu meta meter nav nobr noframes noscript object ol "
    "optgroup option output p param path picture pre progress q rp rt ruby s samp script search section select slot "
    "small source span strike strong style sub summary sup svg table tbody td template textarea tfoot th thead time "
    "title tr track tt u ul var video wbr xml"
)
_ELEMENTS = frozenset(_NAMES.split())
# A tag with words in it and no `=` is prose: `I am <S but this time >M`.
_FLAGS = "async|autoplay|checked|compact|controls|defer|disabled|hidden|loop|multiple|muted|noshade|nowrap|readonly|required|selected"
_TAGS = re.compile(rf"</?([a-z][a-z0-9:-]*+)(?:(?:\s++(?:{_FLAGS})\b)*+\s*+/?|\s[^<>=]*+=[^<>]*+)>", re.IGNORECASE)
_DECLARATIONS = re.compile(r"<(?:!doctype\b|!\[|\?xml\b)[^<>]*+>", re.IGNORECASE)
_CDATA = re.compile(r"<!\[CDATA\[", re.IGNORECASE)
_UNREAD = (
    (re.compile(r"<!--"), re.compile(r"-->")),
    (re.compile(r"<script\b[^<>]*>", re.IGNORECASE), re.compile(r"</script\s*+>", re.IGNORECASE)),
    (re.compile(r"<style\b[^<>]*>", re.IGNORECASE), re.compile(r"</style\s*+>", re.IGNORECASE)),
)


def unescape(text: str) -> str:
    """Decode entities until none is left: `i&amp;#39;d` is `i'd`."""
    for _ in range(MOST_ROUNDS):
        if "&" not in text:
            break
        decoded = _ENTITIES.sub(lambda entity: html.unescape(entity.group()), _ESCAPED_AMPERSANDS.sub("&", text))
        if decoded == text:
            break
        text = decoded
    return text


def without_tags(text: str) -> str:
    """Put a space in the place of each tag, comment, script and style sheet."""
    if "<" not in text:
        return text
    for opening, closing in _UNREAD:
        text = _without(text, opening, closing)
    if _CDATA.search(text):
        text = _CDATA.sub(" ", text).replace("]]>", " ")
    return _TAGS.sub(_without_tag, _DECLARATIONS.sub(" ", text))


def _without_tag(tag: re.Match[str]) -> str:
    name = tag[1].lower()
    return " " if name in _ELEMENTS or ":" in name or "-" in name else tag.group()


def _without(text: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    """Cut from each opening to its closing; an opening that is never closed stays."""
    kept, at = [], 0
    while (start := opening.search(text, at)) and (end := closing.search(text, start.end())):
        kept += [text[at : start.start()], " "]
        at = end.end()
    return "".join([*kept, text[at:]])
