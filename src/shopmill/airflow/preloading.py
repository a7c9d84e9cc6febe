"""An executor whose tasks find imported what they need: a task is a fork, and would import it for a second of the processor.

For `AIRFLOW__CORE__EXECUTOR`. These are libraries alone, which open no connection when they are imported. Shopmill's own code is
imported by each task: a version names the code that is on disk, and that code has to be what computed it.
"""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

LIBRARIES = (
    "adbc_driver_postgresql.dbapi",
    "duckdb",
    "obstore",
    "psycopg",
    "pyarrow.compute",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "pydantic_settings",
    "sqlglot.optimizer.scope",
)
"""What the steps of a run import."""


class PreloadingLocalExecutor(LocalExecutor):
    """Airflow's LocalExecutor. Its workers are forks of the scheduler, and tasks are forks of these."""

    def start(self) -> None:
        """Imports, then starts the workers. Where they are not forks (macOS), nothing would be won."""
        if self.is_mp_using_fork:
            for library in LIBRARIES:
                import_module(library)
        super().start()
