"""deploy/kubernetes as far as it can be examined without a cluster."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from shopmill.settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUBERNETES = ("1.31", "1.37")
MANIFESTS = [
    pytest.param(manifest, id=f"{path.stem}: {manifest['kind']} {manifest['metadata']['name']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for manifest in yaml.safe_load_all(path.read_text())
    if "kind" in manifest
]
VALUES: dict[str, Any] = yaml.safe_load((FOLDER / "values.yaml").read_text())
OPTIONS = """
import sys
from airflow.configuration import conf
from airflow.providers_manager import ProvidersManager
known = conf.configuration_description
missing = [name for name in sys.argv[1:] if name.split(".")[1] not in known.get(name.split(".")[0], {}).get("options", {})]
print("MISSING", *missing)
"""


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("manifest", MANIFESTS)
def test_a_manifest_is_valid(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_network_policies_are_of_one_namespace_and_deny_by_default() -> None:
    policies = [manifest for [manifest] in (p.values for p in MANIFESTS) if manifest["kind"] == "NetworkPolicy"]
    assert {policy["metadata"]["namespace"] for policy in policies} == {"shopmill"}
    default = next(p["spec"] for p in policies if p["metadata"]["name"] == "nothing-by-default")
    assert default == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    encoder = next(p["spec"] for p in policies if p["metadata"]["name"] == "encoder")
    template = yaml.safe_load((FOLDER / "encoder-pod.yaml").read_text())
    assert encoder["podSelector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert [port["port"] for rule in encoder["egress"] for port in rule["ports"]] == [443]


def test_the_values_set_settings_that_are_there_and_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = {entry["name"]: entry["value"] for entry in VALUES["env"] if entry["name"].startswith("SHOPMILL_")}
    for name, value in ours.items():
        assert name.removeprefix("SHOPMILL_").split("__")[0].lower() in Settings.model_fields, name
        monkeypatch.setenv(name, value)
    found = Settings(_env_file=None)
    assert (found.encoder_place, found.pods.gpus, found.pods.deferrable) == ("kubernetes", 1, True)
    assert found.pods.node_selector
    assert found.pods.tolerations
    assert found.pods.service_account == "shopmill-encoder"
    assert str(found.pods.template) == "/opt/shopmill/encoder-pod.yaml", "where the image has it"


def test_the_values_set_options_that_airflow_has(tmp_path: Path) -> None:
    options = [f"{section}.{name}" for section, set_ in VALUES["config"].items() for name in set_]
    command = [sys.executable, "-c", OPTIONS, *options]
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=240)
    assert done.stdout.splitlines()[-1].split()[1:] == []


def test_what_runs_has_a_request_and_a_limit_of_memory() -> None:
    tasks = VALUES["workers"]["kubernetes"]["resources"]
    parts = [VALUES[part]["resources"] for part in ("scheduler", "apiServer", "dagProcessor", "triggerer")]
    for resources in (tasks, *parts):
        assert {"cpu", "memory"} <= resources["requests"].keys()
        assert "memory" in resources["limits"]
    assert VALUES["airflowVersion"] == installed("apache-airflow")


def installed(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def test_no_secret_is_in_a_file() -> None:
    for path in FOLDER.glob("*.yaml"):
        for word in ("password", "secret_key:", "fernet_key:", "postgresql://"):
            assert word not in path.read_text().lower().replace("no password in a file", ""), path.name
