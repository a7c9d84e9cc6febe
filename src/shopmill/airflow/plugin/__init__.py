"""The catalogue in Airflow's own UI: an entry in the navigation, and a tab on each DAG that opens its dataset. And schedules.

Every process of Airflow loads plugins, so this imports nothing that only the API server needs.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin

from shopmill.airflow.timetables import PartitionsOff, TriggersOff

PREFIX = "/shopmill"


class _Apps:
    """The application, made when the API server asks for it."""

    def __get__(self, _: object, __: type | None = None) -> list[dict[str, Any]]:
        from shopmill.airflow.plugin.application import application

        return [{"app": application(), "url_prefix": PREFIX, "name": "shopmill"}]


class ShopmillPlugin(AirflowPlugin):
    """What Airflow is given. Addresses are relative to Airflow's own, so that they hold behind a proxy's path."""

    name = "shopmill"
    fastapi_apps = _Apps()
    timetables = [PartitionsOff, TriggersOff]  # noqa: RUF012 (as the class that it extends has it)
    external_views = [  # noqa: RUF012 (as the class that it extends has it)
        {"name": "Catalogue", "href": "shopmill/index.html", "destination": "nav", "url_route": "shopmill"},
        {
            "name": "Dataset",
            "href": "shopmill/datasets/{DAG_ID}/index.html",
            "destination": "dag",
            "url_route": "shopmill-dataset",
        },
    ]
