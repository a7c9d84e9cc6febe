"""`shopmill.load(...)`: the way to a published version for notebooks and training jobs."""

from datetime import date
from pathlib import Path

from shopmill import datasets
from shopmill.settings import load_settings
from shopmill.versions.load import Version


def load(
    name: str,
    as_of: str | date | None = None,
    store: str | Path | None = None,
    verify: bool = False,
    version: str | None = None,
) -> Version:
    """Opens the current version of a dataset, or the one of an as_of, or with its id one that was replaced since.

    `store` is a folder or s3:// address, by default that of the settings (SHOPMILL_STORE).
    Sizes of files are always compared with the manifest, and with `verify` every byte.
    InvalidInputError when there is no such dataset or no version of it.
    """
    declared = datasets.load(name)
    settings = load_settings(**({"store": str(store)} if store else {}))
    return Version(declared.name, as_of, settings, verify, version)
