"""The moment a version is true for: every row it is made of is dated before it."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from shopmill.errors import InvalidInputError
from shopmill.zones import midnight

DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}(:\d{2}){0,2}(\.0+)? ?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)  # in whole seconds


_FOLDER = "as_of="
_NAMED = re.compile(rf"{_FOLDER}(?!0000)\d{{4}}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])(T\d{{6}}Z)?", re.ASCII)


def folder_name(label: str) -> str:
    """The folder of a label: no colon, which object stores and Windows shares dislike."""
    return f"{_FOLDER}{label.replace(':', '')}"


def is_folder_name(name: str) -> bool:
    """Whether a folder is named for an as_of. A copy that somebody made of one is not."""
    return _NAMED.fullmatch(name) is not None


@dataclass(frozen=True, order=True)
class AsOf:
    """An instant (UTC) and how it is written: a date for daily datasets, a UTC time for those that run within a day."""

    instant: datetime
    label: str

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> "AsOf":
        """Reads `2020-09-23` (midnight in the shop's zone) or `2020-09-23T10:15:00Z`; anything else is refused."""
        try:
            if DATE.fullmatch(text):
                return cls(midnight(date.fromisoformat(text), zone), text)
            if not TIME.fullmatch(text):
                raise ValueError
            instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
        except (ValueError, OverflowError):
            raise InvalidInputError(
                f"as_of {text!r} is neither a date (2020-09-23) nor a UTC time (2020-09-23T10:15:00Z)."
            ) from None
        if instant.tzinfo is None:
            raise InvalidInputError(f"as_of {text!r} has no time zone: write it in UTC, such as 2020-09-23T10:15:00Z.")
        instant = instant.astimezone(UTC)
        return cls(instant, instant.strftime("%Y-%m-%dT%H:%M:%SZ"))

    @classmethod
    def from_path(cls, folder: str, zone: ZoneInfo) -> "AsOf":
        """The as_of that a folder is named for; the reverse of `path`."""
        label = folder.removeprefix(_FOLDER)
        date_part, _, clock = label.partition("T")
        return cls.parse(f"{date_part}T{clock[:2]}:{clock[2:4]}:{clock[4:]}" if clock else date_part, zone)

    @property
    def path(self) -> str:
        """The label as a folder name: no colon, which object stores and Windows shares dislike."""
        return folder_name(self.label)

    def day(self, zone: ZoneInfo) -> date:
        """The shop's calendar day that the instant falls on; all days before it are complete."""
        return self.instant.astimezone(zone).date()

    def last_day(self, zone: ZoneInfo) -> date:
        """The last calendar day of which rows may be seen."""
        return (self.instant - timedelta(microseconds=1)).astimezone(zone).date()
