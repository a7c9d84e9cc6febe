"""The reference pages follow from the code, and name everything."""

from pathlib import Path

import typer

from shopmill.cli import reference
from shopmill.cli.app import app
from shopmill.settings import Settings

GROUP = typer.main.get_command(app)
DOCS = Path(__file__).parents[2] / "docs"


def test_the_pages_in_the_repository_are_fresh() -> None:
    assert reference.stale(GROUP, DOCS / "reference") == [], "run `make docs` and commit"


def test_they_name_every_command_setting_and_function() -> None:
    pages = reference.pages(GROUP)
    for command in ("run", "status", "versions", "show", "report", "gc", "demo", "export"):
        assert f"## shopmill {command}\n" in pages["commands.md"]
    for name in set(Settings.model_fields) - {"pods"}:
        assert f"`SHOPMILL_{name.upper()}`" in pages["settings.md"]
    for name in ("shopmill.load", "shopmill.similar", ".to_pandas", ".path"):
        assert f"`{name}" in pages["python.md"]


def test_no_secret_and_no_path_of_this_machine_is_on_them() -> None:
    text = "".join(reference.pages(GROUP).values())
    assert str(Path.home()) not in text
    assert "**********" not in text


def test_a_stale_page_is_found_and_written(tmp_path: Path) -> None:
    assert sorted(reference.write(GROUP, tmp_path)) == ["commands.md", "python.md", "settings.md"]
    (tmp_path / "python.md").write_text("old")
    assert reference.stale(GROUP, tmp_path) == ["python.md"]
    assert reference.write(GROUP, tmp_path) == ["python.md"]
