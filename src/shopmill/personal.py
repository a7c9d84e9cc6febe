"""Which columns are about a person, and how their values are masked wherever somebody looks at samples."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "•••"
SOURCE_ROW = "source_row"
"""The column of a rejected row that holds what it was in the shop, as JSON."""
_WORDS = "customer|user|visitor|session|client|member|household|person|account|device"
_PERSONAL = re.compile(
    rf"(^|_)({_WORDS}|first_event)_?(id|key)$"
    r"|(^|_)(e?mail|(tele)?phone|mobile|address|street|postal|postcode|zip|birth|iban|passport|credit_?card|card_number)"
    rf"|(^|_)(first|last|full|given|family|middle|maiden|sur|nick|contact|recipient|{_WORDS})_?name$"
    r"|(^|_)(ssn|dob|tel|fax|tax_id|vat_id|whatsapp)$"
    r"|^(age|ip|ip_address|gender|latitude|longitude|login)$",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|\W")
"""Where a word begins in customerEmail, and in e-mail."""
_NAMES = re.compile(r'"([^"\\]+)"\s*:')
_SHAPES = (("[a-z]", "a"), ("[A-Z]", "A"), (r"\d", "9"), (r"[^\x00-\x7f]", "?"))
_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")


def is_personal(column: str) -> bool:
    """Whether a column of this name holds what identifies or describes a person. Numbers of an index do not."""
    return bool(_PERSONAL.search(_BETWEEN.sub("_", column)))


def describes_people(text: str) -> bool:
    """Whether a text is a JSON object, be it cut off, that names something of a person, as a shop's own columns are kept."""
    return text.startswith("{") and any(is_personal(name) for name in _NAMES.findall(text))


def masked(column: str, value: Any) -> Any:
    """The value as others may see it: nothing of a person, and no e-mail address within a text."""
    if value is None:
        return None
    if is_personal(column):
        return MASK
    if isinstance(value, str) and describes_people(value):
        return masked_json(value)
    if isinstance(value, dict):
        return masked_row(value)
    return _ADDRESS.sub(MASK, value) if isinstance(value, str) else value


def shape(column: str, value: Any) -> Any:
    """The value of an id, or for one of a person how it is written: `Aa-999`, which no one can be known by."""
    return masked(column, value) if value is None or not is_personal(column) else shape_of(str(value))


def shape_of(text: str) -> str:
    """How a text is written, and not what."""
    for pattern, instead in _SHAPES:
        text = re.sub(pattern, instead, text)
    return text


def masked_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as others may see it."""
    return {column: masked(column, value) for column, value in row.items()}


def masked_json(text: str) -> str:
    """A row that is written as JSON, masked; a text that is no JSON object is hidden whole."""
    try:
        row = json.loads(text)
    except ValueError:
        return MASK
    return json.dumps(masked_row(row), ensure_ascii=False) if isinstance(row, dict) else MASK


def masked_example(columns: Iterable[str], example: str) -> str:
    """An example of a check, `value, value`, in the order of `columns`; hidden whole where the two do not match."""
    names, values = list(columns), example.split(", ")
    if len(names) != len(values):
        return MASK if any(map(is_personal, names)) else str(masked("", example))
    return ", ".join(str(masked(name, value)) for name, value in zip(names, values, strict=True))
