"""What descriptions say of a table whatever its rows are: versions that follow each other have it in common, and it is written once."""

import json

from shopmill.versions.manifest import Manifest

KEPT = 256
"""Tables whose texts are kept in memory."""
IN_A_LIST, IN_A_TABLE = "\n  ", "\n   "
"""Where a table, and the list of its columns, stand in a document."""
SHAPE = ("columns", "grain", "key")


def shape_of(manifest: Manifest, table: str) -> str:
    """Columns, key and grain of a table, as a text that names them."""
    described = manifest.content["tables"][table]
    return json.dumps({name: described[name] for name in SHAPE}, ensure_ascii=False)
