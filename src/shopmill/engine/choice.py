"""Which engine runs the SQL: the one of the settings, imported when it is asked for."""

from contextlib import AbstractContextManager
from pathlib import Path

from shopmill.engine.protocol import Engine, StoreEngine
from shopmill.settings import Settings


def open_engine(settings: Settings, scratch: Path) -> AbstractContextManager[Engine]:
    """The engine that the settings name, using `scratch` for what does not fit in memory."""
    if settings.engine == "spark":
        from shopmill.engine.spark_engine import SparkEngine

        return SparkEngine(settings, scratch)
    from shopmill.engine.duckdb_engine import DuckDBEngine

    return DuckDBEngine(settings, scratch)


def works_in_store(settings: Settings) -> bool:
    """Whether the engine reads and writes the store itself: a cluster has no folder in common with this machine."""
    is_on_a_cluster = settings.engine == "spark" and not settings.spark_master.startswith("local")
    return is_on_a_cluster and "://" in settings.store


def open_store_engine(settings: Settings, scratch: Path) -> AbstractContextManager[StoreEngine]:
    """The engine that the settings name, where it works in the store."""
    from shopmill.engine.spark_store import SparkStoreEngine

    return SparkStoreEngine(settings, scratch)


def engine_label(settings: Settings) -> str:
    """Name and version of the engine that the settings name."""
    if settings.engine == "spark":
        from shopmill.engine import spark_engine

        return spark_engine.label()
    from shopmill.engine.duckdb_engine import DuckDBEngine

    return DuckDBEngine.label
