"""What a run that ended well reports: to the command line, to people, to the tasks that follow it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from shopmill.run.checks import Result
from shopmill.versions.manifest import Manifest, Summary


@dataclass(frozen=True)
class Published(Summary):
    """The version that a run made, or found made already (`unchanged`), and where it is.

    `announced` has the number of changes by asset, for the announcements that are due; `warned` what is
    wrong with it, and `accounts` where the rows of each source table went, a sentence each.
    """

    status: Literal["published", "unchanged"]
    path: str
    announced: Mapping[str, int] = field(default_factory=dict)
    warned: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest, is_new: bool, path: str, announced: Mapping[str, int]) -> "Published":
        """What is reported of a version, with its checks that warn."""
        warned = tuple(Result.from_document(check).warning() for check in manifest.checks if not check["passed"])
        status: Literal["published", "unchanged"] = "published" if is_new else "unchanged"
        return cls(
            **asdict(manifest.summary),
            status=status,
            path=path,
            announced=announced,
            warned=warned,
            accounts=tuple(account.sentence() for account in manifest.accounts),
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Published":
        """The reverse of `document`."""
        lists = {name: tuple(document[name]) for name in ("warned", "accounts")}
        return cls(**{**document, **lists})

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "warned": list(self.warned), "accounts": list(self.accounts)}
