"""Settings inside Airflow: secrets come from Airflow's connections, so from whatever secrets backend it has."""

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from shopmill.connection_string import from_fields
from shopmill.settings import Settings, load_settings

SOURCE = "shopmill_source"
REGISTRY = "shopmill_registry"


def airflow_settings() -> Settings:
    """The environment's settings, with the connection strings of the connections `shopmill_source` and `shopmill_registry`."""
    found = {"source_dsn": _dsn(SOURCE), "registry_dsn": _dsn(REGISTRY)}
    return load_settings(**{name: dsn for name, dsn in found.items() if dsn})


def _dsn(connection_id: str) -> str | None:
    try:
        found = Connection.get(connection_id)
    except AirflowNotFoundException:
        return None
    fields = {
        "host": found.host,
        "port": found.port,
        "user": found.login,
        "password": found.password,
        "dbname": found.schema,
    }
    return from_fields(fields, found.extra_dejson)
