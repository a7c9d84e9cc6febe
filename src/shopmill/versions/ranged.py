"""A file of an object store of which only some bytes are read: the footer of a Parquet file, a few of its row groups."""

import io

import obstore
from obstore.store import ObjectStore


class RangedFile(io.RawIOBase):
    """A file to seek in; each read is a request of its own."""

    def __init__(self, objects: ObjectStore, key: str):
        self._objects, self._key = objects, key
        self._size = obstore.head(objects, key)["size"]
        self._place = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Sets where the next read begins."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = base + offset
        return self._place

    def read(self, size: int = -1) -> bytes:
        """The next bytes: all that are left, or `size`."""
        left = max(0, self._size - self._place)
        length = left if size is None or size < 0 else min(size, left)
        if not length:
            return b""
        found = bytes(obstore.get_range(self._objects, self._key, start=self._place, length=length))
        self._place += length
        return found
