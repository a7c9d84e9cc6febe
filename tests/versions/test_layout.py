"""The folders and files of a store are spelled in one module."""

import ast
import re
from collections.abc import Iterator

import pytest

from imports import modules
from shopmill.versions import layout

SPELLED = re.compile(
    r"manifest\.json|current\.json|withdrawn\.json|statistics\.json|(^|/)raw/|/snapshots(/|$)|(^|/)(staging|locks|index)/"
    r"|(^|/)version=$"
)
OWN = "shopmill.versions.layout"


def texts(tree: ast.Module) -> Iterator[str]:
    """The texts in a module that are no documentation."""
    said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in said:
            yield node.value


@pytest.mark.parametrize("module", sorted(set(modules()) - {OWN}))
def test_no_other_module_spells_a_path_of_the_store(module: str) -> None:
    text = modules()[module].read_text()
    assert [said for said in texts(ast.parse(text)) if SPELLED.search(said)] == []
    assert re.findall(r'\.(?:keys|folders|entries)\("(?:raw|staging|index|locks)"\)', text) == []


def test_it_would_be_found() -> None:
    spelled = [text for text in texts(ast.parse(modules()[OWN].read_text())) if SPELLED.search(text)]
    assert len(spelled) > 4


def test_what_is_put_together_is_taken_apart() -> None:
    folder = layout.version_folder("d/as_of=2020-09-23", "3f2a9c1db07e")
    assert layout.versions_among([folder.rsplit("/", 1)[-1], "current.json"]) == ["3f2a9c1db07e"]
    assert layout.folder_of_pointer(layout.pointer_in("d")) == "d"
    assert layout.manifests([layout.manifest_in(folder), layout.pointer_in("d")]) == [f"{folder}/manifest.json"]
    assert layout.is_snapshot(f"{layout.snapshots_in(layout.raw_under('events', 'f'))}/20200923T000000Z/0000.json")
