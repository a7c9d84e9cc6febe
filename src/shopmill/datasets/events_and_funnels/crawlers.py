"""Which user agents are crawlers, as the library crawlerdetect knows them."""

from collections.abc import Iterator

import pyarrow as pa
from crawlerdetect import CrawlerDetect

from shopmill.run.functions import Batches, Context


def recognise(_context: Context, batches: Batches) -> Iterator[pa.RecordBatch]:
    """Rows of `user_agent`, each once, with whether it is a crawler's."""
    detector = CrawlerDetect()
    for batch in batches:
        agents = batch.column("user_agent")
        known = pa.array([detector.isCrawler(agent) for agent in agents.to_pylist()], pa.bool_())
        yield pa.RecordBatch.from_arrays([agents, known], ["user_agent", "is_crawler"])
