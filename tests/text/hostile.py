"""Megabytes that take quadratic time in a careless pattern."""

import time
from collections.abc import Callable

SIZE = 1_000_000
MOST_SECONDS = 4  # of processor time: quadratic time is minutes


def assert_linear(function: Callable[[str], object], piece: str) -> None:
    text = (piece * (SIZE // len(piece) + 1))[:SIZE] + "!"
    started = time.process_time()
    function(text)
    assert time.process_time() - started < MOST_SECONDS
