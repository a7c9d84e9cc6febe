"""The pages as a web application of the API server: reading only, for who is logged in and may read the DAGs."""

from datetime import UTC, datetime
from functools import cache

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, get_user
from airflow.models.connection import Connection
from airflow.models.dag import DagModel
from airflow.sdk.exceptions import AirflowNotFoundException
from fastapi import Depends, FastAPI, Response
from fastapi.responses import HTMLResponse, PlainTextResponse

from shopmill.airflow.connections import REGISTRY
from shopmill.catalogue.reader import Memory, NotThereError, Reader
from shopmill.catalogue.site import ASSETS, Site, asset
from shopmill.errors import ShopmillError
from shopmill.settings import Settings, load_settings

SITE = Site(airflow="../", can_ask=True)
MEMORY = Memory()
FORBIDDEN, NOT_FOUND, UNAVAILABLE = 403, 404, 503
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
NO_RIGHT = "You may read none of the DAGs here: ask who administers Airflow for the right to read them."


@cache
def application() -> FastAPI:
    """The application. Nothing in it answers without a login, not even its style sheet."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
    app.get("/assets/{name}")(show_asset)
    app.get("/{path:path}")(show_page)
    return app


def show_asset(name: str) -> Response:
    """A style sheet or script."""
    if name not in ASSETS:
        return PlainTextResponse("There is no such file.", NOT_FOUND, HEADERS)
    return Response(str(asset(name)), media_type=ASSETS[name], headers={**HEADERS, "Cache-Control": "max-age=3600"})


def show_page(path: str, user: GetUserDep, article: str = "") -> Response:
    """A page of the catalogue with the datasets whose DAGs this user may read."""
    try:
        reader = Reader(catalogue_settings(), datetime.now(UTC), MEMORY, Sight(user))
        if not reader.names:
            return _page(SITE.trouble(path, NO_RIGHT), FORBIDDEN)
        return _page(SITE.open(reader, path, article))
    except NotThereError as error:
        return _page(SITE.trouble(path, str(error)), NOT_FOUND)
    except ShopmillError as error:
        return _page(SITE.trouble(path, str(error)), UNAVAILABLE)


def _page(html: str, status: int = 200) -> Response:
    return HTMLResponse(html, status, HEADERS)


class Sight:
    """Whether a user may read the DAG of a dataset; asked once per page."""

    def __init__(self, user: BaseUser):
        self._user = user
        self._known: dict[str, bool] = {}

    def __call__(self, name: str) -> bool:
        """Whether the user may."""
        if name not in self._known:
            details = DagDetails(id=name, team_name=DagModel.get_team_name(name))
            self._known[name] = get_auth_manager().is_authorized_dag(method="GET", details=details, user=self._user)
        return self._known[name]


def catalogue_settings() -> Settings:
    """The settings of the API server's environment; the registry is that of the connection, where there is one."""
    try:
        uri = Connection.get_connection_from_secrets(REGISTRY).get_uri()
    except AirflowNotFoundException:
        return load_settings()
    return load_settings(registry_dsn=uri.replace("postgres://", "postgresql://", 1))
