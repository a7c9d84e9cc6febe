"""The words a dataset is declared in: columns, tables, checks, parameters, tasks.

One declaration is read by the engine (the schema of what is written), the checks, the docs and the CLI,
so they cannot disagree.
"""

from shopmill.declaration.dataset import Dataset
from shopmill.declaration.parameters import Parameter, Value
from shopmill.declaration.running import (
    Announcement,
    Days,
    Incremental,
    Input,
    Join,
    Measure,
    Promise,
    Serving,
    Task,
    spoken,
)
from shopmill.declaration.tables import (
    REJECTS,
    TAKEN_AS_UNKNOWN,
    Artifact,
    Column,
    QueryCheck,
    RowCheck,
    Severity,
    Table,
)

__all__ = [
    "REJECTS",
    "TAKEN_AS_UNKNOWN",
    "Announcement",
    "Artifact",
    "Column",
    "Dataset",
    "Days",
    "Incremental",
    "Input",
    "Join",
    "Measure",
    "Parameter",
    "Promise",
    "QueryCheck",
    "RowCheck",
    "Serving",
    "Severity",
    "Table",
    "Task",
    "Value",
    "spoken",
]
