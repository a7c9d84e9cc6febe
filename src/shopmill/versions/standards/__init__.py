"""A version described in the standards of others, in files beside its manifest: Croissant, ODCS, a Hugging Face card.

They follow from the manifest, name files by their place in the version's folder, and are no part of what its id hashes.
"""

from collections.abc import Mapping

from shopmill.versions.manifest import Manifest

NAMES = (CARD, CROISSANT, CONTRACT) = ("README.md", "croissant.json", "contract.odcs.yaml")
"""The documents, by the names they have in the folder of a version."""


def describe(manifest: Manifest) -> Mapping[str, bytes]:
    """The files by name."""
    from shopmill.versions.standards.card import card
    from shopmill.versions.standards.contract import contract
    from shopmill.versions.standards.croissant import croissant
    from shopmill.versions.store import to_json

    filled = {name: f"{name}/*.parquet" for name in manifest.tables if manifest.rows(name)}
    return {
        CARD: card(manifest, filled).encode(),
        CROISSANT: to_json(croissant(manifest)),
        CONTRACT: to_json(contract(manifest)),  # JSON is YAML
    }
