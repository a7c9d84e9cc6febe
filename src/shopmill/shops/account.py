"""The user who runs the embedded PostgreSQL, which refuses to be run by root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True)
class Account:
    """Who runs the server, as `subprocess.run` takes it: None stands for the user who runs this."""

    user: int | None = None
    group: int | None = None
    extra_groups: tuple[int, ...] | None = None

    @classmethod
    def unprivileged(cls) -> Self:
        """This user, or nobody when this is root."""
        if os.getuid() != 0:
            return cls()
        nobody = pwd.getpwnam("nobody")
        return cls(nobody.pw_uid, nobody.pw_gid, ())

    @property
    def uid(self) -> int:
        """The numeric user id."""
        return os.getuid() if self.user is None else self.user

    def closed_folder(self, *paths: Path) -> Path | None:
        """A folder above these paths that another user cannot pass through, if the account is another user."""
        above = {parent for path in paths for parent in path.parents} if self.user is not None else set()
        return next((folder for folder in sorted(above) if not folder.stat().st_mode & stat.S_IXOTH), None)

    def give(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)
