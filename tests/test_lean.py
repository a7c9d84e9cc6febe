"""Who only reads installs four packages: loading works with them alone, and the command says what it lacks."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LEAN = {"duckdb", "obstore", "pyarrow", "pydantic-settings"}
HIDDEN = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {hidden!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
"""
OTHERS = {
    *(
        "typer",
        "rich",
        "click",
        "psycopg",
        "sqlglot",
        "jinja2",
        "markdown_it",
        "msgspec",
        "adbc_driver_manager",
        "adbc_driver_postgresql",
    ),
    *("holidays", "pytz", "airflow", "numpy", "pandas", "polars", "scipy", "onnxruntime", "httpx", "psutil"),
}


HELP = {"typer", "rich"}
"""What the help of the command line is printed with; and what importing the package alone needs is nothing of all this."""


def imported(program: str, folder: Path) -> set[str]:
    """The modules that a program has loaded when it ends."""
    said = "import sys, atexit; atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
    ended = subprocess.run(
        [sys.executable, "-c", said + program], cwd=folder, capture_output=True, text=True, check=True
    )
    return set(ended.stderr.splitlines()[-1].split())


def test_importing_the_package_loads_nothing_heavy(tmp_path: Path) -> None:
    assert not imported("import shopmill", tmp_path) & (OTHERS | LEAN | {"pydantic"})


def test_the_help_loads_little_more_than_what_prints_it(tmp_path: Path) -> None:
    program = "import sys; sys.argv = ['shopmill', '--help']; from shopmill.cli import main; main()"
    loaded = imported(program, tmp_path)
    assert loaded & HELP == HELP
    heavy = (OTHERS | LEAN) - HELP - {"click"} | {"pydantic", "rich.markdown", "rich.panel", "typer.rich_utils"}
    assert not loaded & heavy


def test_four_packages_are_required() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {name.partition(">")[0] for name in project["dependencies"]} == LEAN


def published(folder: Path) -> str:
    sys.path.insert(0, str(ROOT / "tests/catalogue"))
    from shelf import Shelf

    from shopmill.settings import Settings

    shelf = Shelf(Settings(_env_file=None, store=str(folder)))
    return shelf.publish("2020-09-23", {"interactions": [{"customer_id": "c1", "n": 1}]}).version


def python(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    text = HIDDEN.format(hidden=OTHERS) + program
    return subprocess.run([sys.executable, "-c", text], cwd=folder, capture_output=True, text=True, check=False)


def test_loading_works_with_them_alone(tmp_path: Path) -> None:
    version = published(tmp_path / "store")
    program = f"""
import shopmill
found = shopmill.load("user_item_interactions", store={str(tmp_path / "store")!r})
assert found.version == {version!r}
assert found.to_arrow().num_rows == 1
assert found.to_duckdb().fetchall() == [("c1", 1)]
"""
    ended = python(program, tmp_path)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("hidden", ["typer", "rich"])
def test_the_command_says_what_to_install(tmp_path: Path, hidden: str) -> None:
    text = HIDDEN.format(hidden={hidden}) + "import sys; sys.argv = ['shopmill']; from shopmill.cli import main; main()"
    ended = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == 'error The command line is not installed: pip install "shopmill[run]".\n'


def test_the_command_says_so_as_json_too(tmp_path: Path) -> None:
    argv = "import sys; sys.argv = ['shopmill', 'versions', '--json']; from shopmill.cli import main; main()"
    text = HIDDEN.format(hidden={"typer"}) + argv
    ended = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert json.loads(ended.stdout) == {
        "error": 'The command line is not installed: pip install "shopmill[run]".',
        "exit_code": 1,
    }
