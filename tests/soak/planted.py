"""Mistakes that the soak must find: what keeps a store whole is left out."""

from shopmill.versions.disk import Disk


def nothing_is_flushed() -> None:
    """The files of a version are not on the disk when its manifest is: a power cut leaves a manifest without them."""
    Disk.flush = lambda _self, _paths: None  # type: ignore[method-assign]
