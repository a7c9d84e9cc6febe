"""Versioned, checked, reproducible machine-learning datasets out of a shop's PostgreSQL."""

from typing import Any

__all__ = ["load", "search", "similar"]


def __getattr__(name: str) -> Any:
    """What is public, found when it is asked for: importing shopmill alone stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'shopmill' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("shopmill.reading" if name == "load" else "shopmill.embeddings.neighbours"), name)
