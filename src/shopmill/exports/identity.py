"""What names a version outside of its store."""

from typing import Any

from shopmill.versions.load import Version


def describe(version: Version) -> dict[str, Any]:
    """Dataset, as_of, id and place: enough to open it again."""
    return {
        "dataset": version.manifest.dataset,
        "as_of": version.as_of,
        "version": version.version,
        "uri": version.path,
    }
