"""OpenLineage's JSON Schemas, read from a checkout of its specification: they are not a part of any package."""

import json
import re
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.exceptions import NoSuchResource

VARIABLE = "OPENLINEAGE_SPEC"
_ADDRESS = re.compile(r"https://openlineage\.io/spec/(facets/)?[0-9]+-[0-9]+-[0-9]+/(\w+\.json)")


class Schemas:
    """Validates documents against the schemas of a folder: a `spec/`. Nothing is fetched.

    A checkout has one version of each file, and addresses name versions: a file is found by its name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._registry: Registry[Any] = Registry(retrieve=self._read)

    def _read(self, address: str) -> Resource[Any]:
        found = _ADDRESS.fullmatch(address)
        if found is None:
            raise NoSuchResource(ref=address)
        return Resource.from_contents(json.loads((self._folder / (found[1] or "") / found[2]).read_text()))

    def errors(self, document: Any, address: str) -> list[str]:
        """What is wrong with a document by the definition at an address, each with its place in the document."""
        validator = Draft202012Validator(
            {"$ref": address}, registry=self._registry, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]
