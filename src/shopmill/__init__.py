"""Versioned, checked, reproducible machine-learning datasets out of a shop's PostgreSQL."""

from typing import Any

_MODULES = {
    "export": "shopmill.exports.export",
    "future": "shopmill.exports.series",
    "load": "shopmill.reading",
    "search": "shopmill.embeddings.neighbours",
    "similar": "shopmill.embeddings.neighbours",
    "training_set": "shopmill.training.training_set",
}
__all__ = ["export", "future", "load", "search", "similar", "training_set"]


def __getattr__(name: str) -> Any:
    """What is public, found when it is asked for: importing shopmill alone stays quick."""
    if name not in _MODULES:
        raise AttributeError(f"module 'shopmill' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_MODULES[name]), name)
