"""Versioned, checked, reproducible machine-learning datasets out of a shop's PostgreSQL."""

from typing import Any

__all__ = ["load"]


def __getattr__(name: str) -> Any:
    """`shopmill.load`, found when it is asked for: importing shopmill alone stays quick."""
    if name != "load":
        raise AttributeError(f"module 'shopmill' has no attribute {name!r}")
    from shopmill.reading import load

    return load
