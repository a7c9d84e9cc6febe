"""Waits until a Spark master has so many workers: `wait_for_workers.py http://127.0.0.1:8080/json/ 2`."""

import json
import sys
import time
import urllib.request

PATIENCE_SECONDS = 120


def workers_alive(address: str) -> int:
    """Workers that have registered; 0 while the master does not answer yet."""
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310
            return int(json.load(answer)["aliveworkers"])
    except (OSError, ValueError):  # before it is ready its answer may be empty
        return 0


def main(address: str, wanted: int) -> int:
    """0 when they are there, 1 when they did not come in time."""
    for _ in range(PATIENCE_SECONDS * 2):
        if workers_alive(address) >= wanted:
            return 0
        time.sleep(0.5)
    print(
        f"{wanted} workers did not register at {address} within {PATIENCE_SECONDS} seconds: see the logs.",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
