"""Settings inside Airflow: secrets come from Airflow's connections, so from whatever secrets backend it has."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from shopmill.settings import Settings, load_settings

SOURCE = "shopmill_source"
REGISTRY = "shopmill_registry"


def airflow_settings() -> Settings:
    """The environment's settings, with the connection strings of the connections `shopmill_source` and `shopmill_registry`."""
    found = {"source_dsn": _dsn(SOURCE), "registry_dsn": _dsn(REGISTRY)}
    return load_settings(**{name: dsn for name, dsn in found.items() if dsn})


def _dsn(connection_id: str) -> str | None:
    try:
        uri: str = Connection.get(connection_id).get_uri()
    except AirflowNotFoundException:
        return None
    return uri.replace("postgres://", "postgresql://", 1)
