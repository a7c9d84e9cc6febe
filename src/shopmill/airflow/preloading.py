"""An executor whose tasks find imported what they need: a task is a fork, and would import it for a second of the processor.

For `AIRFLOW__CORE__EXECUTOR`. What is imported opens no connection.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

MODULES = ("shopmill.run.steps", "shopmill.registry")
"""What the steps of a run import."""


class PreloadingLocalExecutor(LocalExecutor):
    """Airflow's LocalExecutor. Its workers are forks of the scheduler, and tasks are forks of these."""

    def start(self) -> None:
        """Imports, then starts the workers. Where they are not forks (macOS), nothing would be won."""
        if self.is_mp_using_fork:
            for module in MODULES:
                import_module(module)
        super().start()
