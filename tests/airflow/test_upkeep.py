"""DAGs beside those of the datasets: parsed without a heavy import, with a schedule and their documentation."""

import json
import subprocess
import sys
from pathlib import Path

from test_dags import HEAVY, PARSE

DAG = Path(__file__).parents[2] / "dags" / "upkeep" / "reconcile.py"


def test_reconcile_is_a_dag_of_its_own_every_week(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARSE, str(DAG), json.dumps(HEAVY)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["dag_id"], found["heavy"], list(found["tasks"])) == ("reconcile", [], ["reconcile"])
    assert (found["tasks"]["reconcile"]["retries"], found["tasks"]["reconcile"]["retry_policy"]) == (3, True)
    assert "22:00" in found["doc"]
