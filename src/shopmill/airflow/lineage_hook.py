"""Whether anybody wants to know a step's lineage, and what is told if so. Nothing here may fail a task."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shopmill.run.run import Run

log = logging.getLogger(__name__)


def lineage_of(step: str, part: str, run: "Run", summary: Mapping[str, Any], sql: str) -> Any:
    """The OperatorLineage of a step that has ended (`summary` is empty when it failed).

    None where Airflow's OpenLineage provider is missing or has nowhere to send events to.
    """
    try:
        from airflow.providers.openlineage import conf

        if conf.is_disabled():
            return None
        from shopmill.airflow.lineage_events import step_lineage

        return step_lineage(step, part, run, summary, sql)
    except ImportError:
        return None
    except Exception:
        log.warning("The lineage of %s is not told.", step, exc_info=True)
        return None
