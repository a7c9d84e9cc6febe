"""Encoding in pods: one per shard of the texts that the cache lacks, and none where it lacks nothing.

The task that follows finds every vector in the cache, so it is the same task that runs where no pods are. This module
is imported only where the settings ask for pods: Airflow's Kubernetes operator takes seconds to import.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from airflow.providers.cncf.kubernetes.kubernetes_helper_functions import PodLaunchFailedException
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from airflow.providers.cncf.kubernetes.utils.pod_manager import detect_pod_terminate_early_issues
from airflow.sdk import TaskGroup, TriggerRule
from airflow.sdk.exceptions import AirflowException

from shopmill.airflow import metrics
from shopmill.airflow.operators import StepOperator
from shopmill.errors import InvalidInputError, PodError
from shopmill.settings import Settings, load_settings

if TYPE_CHECKING:
    from airflow.sdk import Context
    from kubernetes.client.models import V1Pod  # type: ignore[import-untyped]

STARTUP_SECONDS = (
    900  # a node with a GPU may have to be bought and the image fetched; a missing image is reported at once
)
GPU = "nvidia.com/gpu"
STORE_PLACE = ("AWS_ENDPOINT_URL", "AWS_REGION")
"""What a pod has of this environment. Credentials are no part of it: a service account or the template has them."""


def embed_in_pods(name: str) -> TaskGroup:
    """The transform task `name`, and before it the pods that encode what it will look up in the cache."""
    settings = load_settings()
    if not settings.pods.image:
        raise InvalidInputError(
            "SHOPMILL_ENCODER_PLACE is kubernetes: set SHOPMILL_PODS__IMAGE to the encoder's image."
        )
    with TaskGroup(f"{name}_in_pods", prefix_group_id=False) as group:
        missing = MissingTextsOperator(step="missing_texts", part=name, task_id="missing_texts")
        pods = encoding_pods(settings).expand(arguments=missing.output)
        # Without missing texts the pods are skipped; the transform runs unless all before it was skipped.
        rule = TriggerRule.NONE_FAILED_MIN_ONE_SUCCESS
        transform = StepOperator(step="transform", part=name, task_id=name, trigger_rule=rule)
        [missing, pods] >> transform
    return group


def encoding_pods(settings: Settings) -> Any:
    """The operator of the pods, to be expanded over the arguments of each."""
    pods = settings.pods
    return EncodingPodOperator.partial(
        task_id="encode_texts",
        name="shopmill-encoder",
        labels={"app.kubernetes.io/name": "shopmill-encoder"},
        image=pods.image,
        cmds=["shopmill"],
        env_vars=_environment(settings),
        gpus=pods.gpus,
        node_selector=pods.node_selector,
        tolerations=pods.tolerations,
        service_account_name=pods.service_account,
        pod_template_file=str(pods.template) if pods.template else None,
        deferrable=pods.deferrable,
        max_active_tis_per_dagrun=pods.at_once,
        schedule_timeout_seconds=STARTUP_SECONDS,
        startup_timeout_seconds=STARTUP_SECONDS,
        log_events_on_failure=True,
        log_pod_spec_on_failure=False,
    )


def _environment(settings: Settings) -> dict[str, str]:
    encoder = {"SHOPMILL_ENCODER": settings.encoder, "SHOPMILL_ENCODER_PRECISION": settings.encoder_precision}
    return encoder | {name: os.environ[name] for name in STORE_PLACE if name in os.environ}


class MissingTextsOperator(StepOperator):
    """Leaves the texts that the cache lacks in the store; returns the arguments of `shopmill` for each shard of them."""

    def execute(self, context: "Context") -> list[list[str]]:
        """An empty list where every text has its vector."""
        from shopmill.embeddings.missing_texts import leave_missing_texts

        run = self._run(context)
        with metrics.timed(run, self.task_id):
            source, texts = leave_missing_texts(run, self.part)
        metrics.report(run, [("texts", texts, {"step": self.task_id, "source": "encoded"})])
        shards = -(-texts // run.settings.pods.texts)
        self.log.info("%d texts have no vector yet: %d pods", texts, shards)
        embed = ["--verbose", "embed", "--input", source, "--output", run.store.uri("")]
        return [[*embed, "--shard", f"{shard}/{shards}"] for shard in range(shards)]


class EncodingPodOperator(KubernetesPodOperator):
    """A pod with GPUs on top of what its template asks for, and failures in one sentence."""

    def __init__(self, *, gpus: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.gpus = gpus

    def build_pod_request_obj(self, context: "Context | None" = None, **kwargs: Any) -> "V1Pod":
        """The pod of the settings and the template."""
        from kubernetes.client.models import V1ResourceRequirements

        pod = super().build_pod_request_obj(context, **kwargs)
        if self.gpus:
            container = pod.spec.containers[0]
            container.resources = container.resources or V1ResourceRequirements()
            container.resources.limits = {**(container.resources.limits or {}), GPU: str(self.gpus)}
        return pod

    def execute(self, context: "Context") -> None:
        """Runs the pod to its end, or hands it to the triggerer; InvalidInputError for an image that is not there."""
        with self._explained():
            super().execute(context)

    def trigger_reentry(self, context: "Context", event: dict[str, Any]) -> None:
        """Goes on when the triggerer says that the pod has ended."""
        with self._explained():
            super().trigger_reentry(context, event)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except AirflowException as error:
            raise self._explanation(error) from error

    def _explanation(self, error: AirflowException) -> Exception:
        pod = self.remote_pod if not self.deferrable else self.pod
        cause = error.__context__ if isinstance(error.__context__, PodLaunchFailedException) else None
        unpullable = str(cause) if cause else pod and pod.status and detect_pod_terminate_early_issues(pod)
        if unpullable and "cannot be pulled" in unpullable:
            return InvalidInputError(
                f"The encoder's image {self.image}: {' '.join(unpullable.split())}. "
                "Set SHOPMILL_PODS__IMAGE to an image that the cluster can pull."
            )
        status = pod.status if pod else None
        reasons = [status and status.reason, status and status.message, cause or str(error).split("\n")[0]]
        return PodError(
            f"{' '.join(str(reason) for reason in reasons if reason)} What it had encoded is kept, the retry does the rest."
        )
