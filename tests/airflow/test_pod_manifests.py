"""The pod that a cluster is asked for, from the settings and the template."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import PodLaunchFailedException
from airflow.sdk.exceptions import AirflowException
from kubernetes.client import ApiClient
from kubernetes.client.models import V1ObjectMeta, V1Pod, V1PodStatus

from shopmill.airflow.pods import EncodingPodOperator, embed_in_pods, encoding_pods
from shopmill.errors import InvalidInputError, PermanentError, PodError
from shopmill.settings import Pods, Settings

TEMPLATE = Path(__file__).parents[2] / "deploy" / "kubernetes" / "encoder-pod.yaml"
ARGUMENTS = ["embed", "--input", "s3://b/t.parquet", "--output", "s3://b", "--shard", "0/1"]


def operator(**pods: Any) -> EncodingPodOperator:
    settings = Settings(_env_file=None, encoder_precision="fp16", pods=Pods(**{"image": "shop/encoder:1", **pods}))
    options = {
        name: value for name, value in encoding_pods(settings).kwargs.items() if not name.startswith("max_active")
    }
    return EncodingPodOperator(**options, arguments=ARGUMENTS)


# A partial operator that is not expanded, as these never are, warns when it is thrown away.
pytestmark = pytest.mark.filterwarnings("ignore:Task 'encode_texts' was never mapped")


def manifest(**pods: Any) -> dict[str, Any]:
    pod = operator(**pods).build_pod_request_obj(dry_run=True)
    found: dict[str, Any] = ApiClient().sanitize_for_serialization(pod)
    found["metadata"].setdefault("namespace", "default")
    kubernetes_validate.validate(found, "1.37", strict=True)
    return found


def test_the_settings_are_in_the_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-manifests")
    toleration = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule", "tolerationSeconds": 60}
    found = manifest(gpus=2, tolerations=[toleration], node_selector={"pool": "gpu"}, service_account="encoder")
    spec = found["spec"]
    [container] = spec["containers"]
    assert container["resources"] == {"limits": {"nvidia.com/gpu": "2"}}
    assert spec["tolerations"] == [toleration]
    assert (spec["nodeSelector"], spec["serviceAccountName"]) == ({"pool": "gpu"}, "encoder")
    assert (container["image"], container["command"], container["args"]) == ("shop/encoder:1", ["shopmill"], ARGUMENTS)
    environment = {entry["name"]: entry["value"] for entry in container["env"]}
    assert environment["SHOPMILL_ENCODER_PRECISION"] == "fp16"
    assert environment["AWS_REGION"] == "eu-north-1"
    assert "not-for-manifests" not in str(found)


def test_gpus_come_on_top_of_what_the_template_asks_for() -> None:
    found = manifest(template=TEMPLATE, gpus=1)
    [container] = found["spec"]["containers"]
    assert container["resources"]["limits"] == {"memory": "1536Mi", "nvidia.com/gpu": "1"}
    assert container["resources"]["requests"]["cpu"] == "2"
    assert {"SHOPMILL_THREADS", "SHOPMILL_ENCODER"} <= {entry["name"] for entry in container["env"]}
    assert container["image"] == "shop/encoder:1"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert found["spec"]["restartPolicy"] == "Never"
    assert found["metadata"]["labels"]["app.kubernetes.io/name"] == "shopmill-encoder"
    plain = manifest(template=TEMPLATE)["spec"]["containers"][0]["resources"]["limits"]
    assert plain == {"memory": "1536Mi"}


def test_pods_without_an_image_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_ENCODER_PLACE", "kubernetes")
    with pytest.raises(InvalidInputError, match="SHOPMILL_PODS__IMAGE"):
        embed_in_pods("bert_embeddings")


@pytest.mark.parametrize(
    ("reason", "permanent", "words"),
    [
        ("Image cannot be pulled, unable to start: ErrImagePull\nmanifest unknown", True, "manifest unknown. Set"),
        ("Pod failed before containers started", False, "the retry does the rest"),
    ],
)
def test_only_a_missing_image_is_not_tried_again(
    monkeypatch: pytest.MonkeyPatch, reason: str, permanent: bool, words: str
) -> None:
    def fail(*_: object) -> None:
        try:
            raise PodLaunchFailedException(reason)
        finally:
            raise AirflowException("Pod p returned a failure.")  # as the operator's own cleaning up does

    monkeypatch.setattr("airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator.execute", fail)
    with pytest.raises((InvalidInputError, PodError), match=words) as raised:
        operator().execute({})
    assert isinstance(raised.value, PermanentError) is permanent


def test_an_evicted_pod_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    status = V1PodStatus(phase="Failed", reason="Evicted", message="The node was low on resource: memory.")

    def fail(evicted: EncodingPodOperator, *_: object) -> None:
        evicted.remote_pod = V1Pod(metadata=V1ObjectMeta(name="p"), status=status)
        raise AirflowException("Pod p returned a failure.\nremote_pod: ...")

    monkeypatch.setattr("airflow.providers.cncf.kubernetes.operators.pod.KubernetesPodOperator.execute", fail)
    with pytest.raises(
        PodError, match=r"^Evicted The node was low on resource: memory\. Pod p returned a failure\. What"
    ):
        operator().execute({})
