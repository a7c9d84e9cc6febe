"""The key that names guests: a mapping makes the HMAC-SHA256 of an address with it, and nobody else can.

PostgreSQL has SHA-256 and no HMAC, so that the two blocks which HMAC makes of a key are made here. A SELECT reads them as the
session settings `shopmill.pseudonym_inner_key` and `shopmill.pseudonym_outer_key`, in hexadecimal, empty without a key.
"""

import hashlib
import hmac
from collections.abc import Mapping

from pydantic import SecretStr

BLOCK = 64
INNER, OUTER = 0x36, 0x5C
"""What RFC 2104 mixes into the key."""


def session_settings(key: SecretStr) -> Mapping[str, str]:
    """What the session of a mapping knows of the key."""
    return {"shopmill.pseudonym_inner_key": _block(key, INNER), "shopmill.pseudonym_outer_key": _block(key, OUTER)}


def mark(key: SecretStr) -> str:
    """Tells keys apart and gives none away; empty without a key."""
    secret = key.get_secret_value()
    return hmac.new(secret.encode(), b"shopmill", hashlib.sha256).hexdigest() if secret else ""


def _block(key: SecretStr, mixed_in: int) -> str:
    secret = key.get_secret_value().encode()
    if not secret:
        return ""
    short = hashlib.sha256(secret).digest() if len(secret) > BLOCK else secret
    return bytes(byte ^ mixed_in for byte in short.ljust(BLOCK, b"\0")).hex()
