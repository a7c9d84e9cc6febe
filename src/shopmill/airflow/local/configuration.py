"""The settings of a local Airflow, all given by environment variables, and the secrets that it keeps in its home."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

HOST = "127.0.0.1"
LOGIN = "admin"


@dataclass(frozen=True)
class Secrets:
    """Random secrets, made at the first start and kept in a file that only its owner can read."""

    password: str
    fernet_key: str
    api_secret_key: str
    jwt_secret: str


def load_secrets(home: Path) -> Secrets:
    """Reads the secrets of the Airflow in `home`, or makes them."""
    path = home / "secrets.json"
    if not path.exists():
        write_private(path, json.dumps(asdict(_new_secrets())))
    return Secrets(**json.loads(path.read_text()))


def write_passwords(home: Path, password: str) -> None:
    """Says in Airflow's file of passwords what `LOGIN`'s is; those that Airflow made for other users stay."""
    file = _passwords_file(home)
    others = json.loads(file.read_text()) if file.exists() else {}
    write_private(file, json.dumps({**others, LOGIN: password}))


def write_private(path: Path, text: str) -> None:
    """Writes a file, whole or not at all, that nobody but its owner can read at any moment."""
    partial = path.with_name(path.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    partial.replace(path)


def airflow_environment(
    *,
    home: Path,
    dags_folder: Path,
    metadata_dsn: str,
    port: int,
    keys: Secrets,
    base: Mapping[str, str],
    settings: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The environment of every Airflow process: `base` without its own Airflow settings, which must not interfere.

    `settings`, named as in `CORE__EXECUTOR`, come before those that a local Airflow has by itself.
    """
    inherited = {name: value for name, value in base.items() if not _is_airflow_setting(name)}
    loopback = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy"), HOST, "localhost"]))
    merged = {
        **_core(home, dags_folder, keys),
        **_api(port, keys),
        **_background(home),
        "DATABASE__SQL_ALCHEMY_CONN": _sqlalchemy_url(metadata_dsn),
        **(settings or {}),
    }
    return {
        **inherited,
        "AIRFLOW_HOME": str(home),
        "NO_PROXY": loopback,
        "no_proxy": loopback,
        "PYTHONUNBUFFERED": "1",  # the last line before a death is in the log
        **{f"AIRFLOW__{name}": value for name, value in merged.items()},
    }


def _core(home: Path, dags_folder: Path, keys: Secrets) -> dict[str, str]:
    return {
        "CORE__DAGS_FOLDER": str(dags_folder),
        "CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "CORE__EXECUTOR": "shopmill.airflow.preloading.PreloadingLocalExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__FERNET_KEY": keys.fernet_key,
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{LOGIN}:admin",
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords_file(home)),
        "CORE__EXECUTE_TASKS_NEW_PYTHON_INTERPRETER": "False",
        "CORE__MAX_TEMPLATED_FIELD_LENGTH": "100000",  # a task shows the whole of its SQL
    }


def _api(port: int, keys: Secrets) -> dict[str, str]:
    address = f"http://{HOST}:{port}"
    return {
        "API__HOST": HOST,
        "API__PORT": str(port),
        "API__WORKERS": "1",
        "API__BASE_URL": address,
        "API__SECRET_KEY": keys.api_secret_key,
        "API_AUTH__JWT_SECRET": keys.jwt_secret,
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
    }


def _background(home: Path) -> dict[str, str]:
    return {
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "2",  # a DAG file appears in the UI at once
        "DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",  # a file that was changed is read at once all the same
        # Airflow looks once in so many seconds whether a task has ended that closed its sockets a moment before it did:
        # at the 5 s that it has by itself, most tasks of ours hold their slot for 5 s after their end.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home / "logs" / "dag_processor"),
        "LOGGING__UVICORN_LOGGING_LEVEL": "WARNING",
        "LOGGING__NAMESPACE_LEVELS": "http.access=WARNING",  # not a line per request
        "LOGGING__COLORED_CONSOLE_LOG": "False",
    }


def _new_secrets() -> Secrets:
    fernet_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return Secrets(secrets.token_urlsafe(12), fernet_key, secrets.token_hex(32), secrets.token_hex(32))


def _passwords_file(home: Path) -> Path:
    return home / "passwords.json"


def _is_airflow_setting(name: str) -> bool:
    return name.startswith("AIRFLOW__") or name in {"AIRFLOW_HOME", "AIRFLOW_CONFIG"}


def _sqlalchemy_url(dsn: str) -> str:
    return "postgresql+psycopg2://" + dsn.split("://", 1)[1]
