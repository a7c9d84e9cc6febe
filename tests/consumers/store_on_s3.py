"""An S3 server until its input ends, with one dataset of a store in it: python store_on_s3.py STORE DATASET. Runs in .venv, which has moto.

Prints the variables with which the copy is found, as JSON.
"""

import json
import os
import sys
from pathlib import Path

from object_store import new_bucket, serving, way_to
from shopmill.versions.store import Store


def main(local: Path, dataset: str) -> None:
    with serving() as endpoint:
        os.environ.update(way_to(endpoint))
        url = new_bucket(endpoint, "consumers").replace("/data", "/our data")
        store = Store(url)
        for folder in (dataset, f"index/{dataset}"):
            for file in (file for file in (local / folder).rglob("*") if file.is_file()):
                store.write(str(file.relative_to(local)), file.read_bytes())
        print(json.dumps({**way_to(endpoint), "SHOPMILL_STORE": url}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
