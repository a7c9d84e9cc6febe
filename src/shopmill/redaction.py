"""Texts without the secrets that stand in them, for whoever may read them."""

import re

SECRETS = (
    (re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@"), r"\1:***@"),  # a password in an address
    (
        re.compile(r"""(?i)\b(password|secret|token|api_?key)(['"]?\s*[=:]\s*)(?:'[^']*'|"[^"]*"|[^\s,;&]+)"""),
        r"\1\2***",
    ),
    (re.compile(r"(https://hooks\.slack\.com/services)/\S+"), r"\1/***"),
)


def without_secrets(text: str) -> str:
    """The text without passwords in addresses, `password=…` and the like."""
    for pattern, replacement in SECRETS:
        text = pattern.sub(replacement, text)
    return text
