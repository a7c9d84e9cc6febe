"""The process of a contender: `python -m benchmarks.contend JOB`. It says when the work begins and ends, and what came of it."""

import json
import os
import sys
from pathlib import Path

from benchmarks.stage import Clock, Place
from benchmarks.stages import load


def main() -> None:
    job = json.loads(sys.argv[1])
    document = job["place"]
    place = Place(**{**document, "shop": Path(document["shop"]), "folder": Path(document["folder"])})
    contender = load(job["stage"]).contender(job["contender"])
    with os.fdopen(job["events"], "w") as events:

        def say(event: object) -> None:
            print(json.dumps(event), file=events, flush=True)

        clock = Clock(say)
        results = contender.run(place, clock)
        say({"wall_s": clock.wall_s, "cpu_s": clock.cpu_s, "results": dict(results)})


if __name__ == "__main__":
    main()
