"""What the README shows is typed beside the demo in a shell that has sourced the file which the demo writes."""

import io
import os
import re
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from rich.console import Console

from shopmill.cli.app import app
from shopmill.demo.demo import _Demo
from shopmill.demo.display import show_end
from shopmill.demo.platform import OneMachine
from shopmill.demo.shop import known_shop

ROOT = Path(__file__).parents[2]


def commands(page: str) -> list[str]:
    """The lines of a page's code blocks that call our commands, or prepare the shell for them."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / page).read_text(), re.MULTILINE | re.DOTALL)
    lines = "".join(text for language, text in blocks if not language).splitlines()
    return [line.partition("  #")[0].strip() for line in lines if line.startswith(("shopmill ", "source "))]


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_each_command_exists_with_its_options(page: str) -> None:
    found = commands(page)
    assert found[0] == "source .shopmill/activate"
    for command in found[1:]:
        name, *arguments = command.split()[1:]
        group: Any = typer.main.get_command(app)
        group.commands[name].make_context(name, arguments)


def test_a_shell_that_sources_the_file_has_the_programs_and_the_settings_of_airflow(tmp_path: Path) -> None:
    demo = _Demo(Console(file=io.StringIO()), OneMachine(tmp_path), ROOT / "dags", known_shop("synthetic"), 0.01, [])
    environment = {"AIRFLOW_HOME": "/a/home of its own", "AIRFLOW__X__Y": "it's", "SECRET": "not this one"}
    demo._write_activation(SimpleNamespace(environment=lambda: environment))  # type: ignore[arg-type]
    assert stat.S_IMODE((tmp_path / "activate").stat().st_mode) == 0o600
    script = 'source ./activate && command -v shopmill airflow && echo "$AIRFLOW_HOME|$AIRFLOW__X__Y|$SECRET"'
    ended = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env={"PATH": os.defpath}, capture_output=True, text=True, check=True
    )
    *programs, settings = ended.stdout.splitlines()
    assert [Path(program).name for program in programs] == ["shopmill", "airflow"]
    assert settings == "/a/home of its own|it's|"


def test_the_end_names_what_to_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    output = io.StringIO()
    show_end(Console(file=output, width=400), tmp_path / ".shopmill")
    assert "`source .shopmill/activate` and `shopmill versions`" in output.getvalue()
