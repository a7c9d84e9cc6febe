"""Whether anybody wants to know a step's lineage, and what is reported if so. Nothing here may fail a task."""

import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shopmill.run.run import Run
    from shopmill.run.steps import Outcome

log = logging.getLogger(__name__)


def lineage_of(step: str, part: str, run: "Run", outcome: "Outcome", sql: str) -> Any:
    """The OperatorLineage of a step that has ended (`outcome` is None when it failed).

    None where Airflow's OpenLineage provider is missing or has nowhere to send events to.
    """
    try:
        from airflow.providers.openlineage import conf

        if conf.is_disabled():
            return None
        from shopmill.airflow.lineage_events import step_lineage

        return step_lineage(step, part, run, outcome, sql)
    except ImportError:
        return None
    except Exception:
        log.warning("The lineage of %s is not reported.", step, exc_info=True)
        return None
