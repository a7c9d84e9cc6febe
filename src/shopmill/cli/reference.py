"""The reference pages that follow from the code: commands, settings, and the functions of the Python package."""

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from shopmill.settings import Pods, Settings

FOLDER = Path("docs/reference")
HEADING = "<!-- Written by `make docs` from {source}; change that. -->"


def pages(group: Any) -> dict[str, str]:
    """File name to text of every page. `group` are the commands."""
    return {"commands.md": commands(group), "settings.md": settings(), "python.md": python()}


def stale(group: Any, folder: Path = FOLDER) -> list[str]:
    """Names of the pages in `folder` that are not what the code says now."""
    return [name for name, text in pages(group).items() if _text(folder / name) != text]


def write(group: Any, folder: Path = FOLDER) -> list[str]:
    """Brings the folder up to date; returns the names of the pages that changed."""
    changed, wanted = stale(group, folder), pages(group)
    folder.mkdir(parents=True, exist_ok=True)
    for name in changed:
        (folder / name).write_text(wanted[name])
    return changed


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


def commands(group: Any) -> str:
    """Every command with its arguments and options, as `--help` has them."""
    heading = HEADING.format(source="src/shopmill/cli/")
    lines = [heading, "# Commands", "", "What holds for all of them: [the command line](../command-line.md).", ""]
    for name, command in sorted(group.commands.items()):
        lines += [f"## shopmill {name}", "", (command.help or "").strip(), ""]
        if rows := [_parameter(parameter) for parameter in command.params if parameter.name != "help"]:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def _parameter(parameter: Any) -> str:
    meaning = str(parameter.help or "").replace("|", "\\|")
    if parameter.param_type_name == "argument":
        return f"| {str(parameter.metavar or parameter.name).upper()} | {meaning} |"
    default = (
        "" if parameter.default in (None, False, "") or "default:" in meaning else f" (default: {parameter.default})"
    )
    return f"| `{', '.join(parameter.opts)}` | {meaning}{default} |"


def settings() -> str:
    """Every setting with its default."""
    lines = [
        HEADING.format(source="src/shopmill/settings.py"),
        "# Settings",
        "",
        "Environment variables, or lines of the file `.shopmill/env` in the working directory, or lines of `shopmill.toml` there, in which "
        "the names are short and small (`time_zone`); `SHOPMILL_CONFIG` names another file than that. Where several have a setting, a "
        "variable counts before `.shopmill/env`, and that before `shopmill.toml`. A name that is nearly one of these is refused.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
        *_rows("SHOPMILL_", Settings),
        *_rows("SHOPMILL_PODS__", Pods),
    ]
    return "\n".join(lines) + "\n"


def _rows(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name != "pods":
            yield f"| `{prefix}{name.upper()}` | {_default(field)} | {field.description or ''} |"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default()
    if isinstance(value, SecretStr) or value in ("", None) or field.default_factory is not None:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def python() -> str:
    """What `import shopmill` offers, and what an opened version can do."""
    from shopmill.versions.load import Version

    lines = [
        HEADING.format(source="the docstrings of the package"),
        "# Python",
        "",
        "`pip install shopmill` is enough to load; `similar` and `search` need `shopmill[run]`.",
        "",
    ]
    package = import_module("shopmill")  # which is what everybody imports, and so stands above
    for name in package.__all__:
        lines += [*_function(f"shopmill.{name}", getattr(package, name)), ""]
    lines += ["## An opened version", "", inspect.getdoc(Version) or "", ""]
    for name, member in vars(Version).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            lines += [*_function(f".{name}", member), ""]
    return "\n".join(lines).rstrip() + "\n"


def _function(name: str, member: Any) -> list[str]:
    text = inspect.getdoc(member) or ""
    if isinstance(member, property):
        return [f"### `{name}`", "", text]
    parameters = [str(p).split(":")[0].split("=")[0].strip() for p in inspect.signature(member).parameters.values()]
    return [f"### `{name}({', '.join(p for p in parameters if p != 'self')})`", "", text]
