"""The commands of the operator's pages exist with these options, and what they say of settings is so."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from shopmill.airflow.local.topology import FAB, celery_topology
from shopmill.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = ["operations.md", "access.md", "backfill.md"]
PARSE = """
import json, shlex, sys
from airflow.cli.cli_parser import get_parser

for line in json.load(sys.stdin):
    get_parser().parse_args(shlex.split(line)[1:])
"""


def commands(page: str, program: str) -> list[str]:
    """What stands in fences and between backticks, without comments."""
    text = re.sub(r" *\\\n *", " ", (ROOT / "docs" / page).read_text())  # a command on several lines
    fenced = [
        line
        for fence in re.findall(r"^ *```\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
        for line in fence.split("\n")
    ]
    found = [line.split(" #")[0].strip() for line in [*fenced, *re.findall(r"`([^`\n]+)`", text)]]
    return [line for line in found if line.startswith(f"{program} ")]


def test_airflow_has_every_command_with_its_options(tmp_path: Path) -> None:
    told = [line for page in PAGES for line in commands(page, "airflow")]
    # A command that is only named has no arguments to parse.
    whole = [
        line for line in told if line not in {"airflow backfill create", "airflow backfill create --max-active-runs"}
    ]
    assert len(whole) > 5
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__AUTH_MANAGER": FAB}
    command = [sys.executable, "-c", PARSE]
    done = subprocess.run(
        command, input=json.dumps(whole), env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


@pytest.mark.parametrize("page", PAGES)
def test_shopmill_has_every_command_with_its_options(page: str) -> None:
    group = typer.main.get_command(app)
    told = commands(page, "shopmill")
    assert told
    for line in told:
        name, *arguments = shlex.split(line)[1:]
        command = group.commands[name]  # type: ignore[attr-defined]
        if arguments:  # else it is only named
            with command.make_context(name, arguments):
                pass


def test_the_table_of_time_limits_is_true() -> None:
    from airflow.configuration import conf

    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["scheduler"]["environment"]
    demo = celery_topology("redis://localhost").settings
    page = (ROOT / "docs" / "operations.md").read_text()
    rows = re.findall(r"^\| `\[(\w+)\] (\w+)` \| ([\d,]+) s \| ([\d,]+) s \| ([\d,]+) s \|$", page, re.MULTILINE)
    assert len(rows) == 3
    for section, option, *told in rows:
        name = f"{section}__{option}".upper()
        default = conf.get_default_value(section, option) or "86400"  # the provider's own, of its code
        said = [int(value.replace(",", "")) for value in told]
        assert [int(float(value)) for value in (default, compose[f"AIRFLOW__{name}"], demo[name])] == said
