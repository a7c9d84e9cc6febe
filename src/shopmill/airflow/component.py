"""`airflow`, as the processes of a local Airflow start it: ready sooner.

It is in no hurry to collect garbage, for importing Airflow and building its API makes millions of objects, and next to no
garbage. The API server builds what it serves before it looks at the database, and goes on when its input ends: meanwhile the
tables of a new database are made.
"""

import gc

gc.set_threshold(100_000)  # before all the imports

import asyncio  # noqa: E402
import sys  # noqa: E402

from airflow.__main__ import main  # noqa: E402


def run_airflow() -> None:
    """Runs `airflow` with the arguments of this process."""
    main()  # type: ignore[no-untyped-call]


def build_api() -> None:
    """Makes the application that `airflow api-server` will find made. Its first answer to a task takes seconds: it is given here."""
    import httpx
    from airflow.api_fastapi.main import app

    async def ask() -> None:
        inside = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=inside, base_url="http://127.0.0.1") as client:
            await client.get("/execution/health")

    asyncio.run(ask())


if __name__ == "__main__":
    if sys.argv[1] == "api-server":
        build_api()
        sys.stdin.read()
    run_airflow()
