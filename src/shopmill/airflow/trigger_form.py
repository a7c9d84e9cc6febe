"""The form in Airflow's UI that starts a run: as_of, refresh, and the parameters of the dataset."""

from collections.abc import Mapping
from typing import Any

from airflow.sdk import Param

from shopmill.declaration import Dataset, Parameter, Value

OWN = {"as_of", "refresh"}
"""What the form asks beside the dataset's parameters."""
JSON_TYPES = {"integer": "integer", "decimal": "number", "text": "string", "boolean": "boolean"}
AS_OF_PATTERN = r"^(\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2}))?)?$"
"""A date, a time with its zone, or nothing: a field of the form that is left empty."""


def params_of(declared: Dataset, defaults: Mapping[str, Any] | None = None) -> dict[str, Param]:
    """The fields of a dataset's form, with the defaults of the shop in place of the dataset's."""
    values = declared.parse_parameters(defaults or {})
    as_of = Param(
        None,
        type=["null", "string"],
        pattern=AS_OF_PATTERN,
        description="the moment to run for: 2020-09-23, or 2020-09-23T10:15:00Z; default: the partition's day",
    )
    refresh = Param(False, type="boolean", description="read the source again although this as_of was read before")
    return {"as_of": as_of, "refresh": refresh, **{p.name: _param(p, values[p.name]) for p in declared.all_parameters}}


def _param(parameter: Parameter, value: Value) -> Param:
    default = float(value) if parameter.type == "decimal" else value
    return Param(default, description=parameter.meaning + _limits(parameter), **_schema(parameter))


def _schema(parameter: Parameter) -> dict[str, Any]:
    """What the field accepts, as JSON Schema."""
    kind = JSON_TYPES[parameter.type]
    if parameter.choices and not parameter.is_list:
        return {"type": kind, "enum": list(parameter.choices)}
    if parameter.type == "text":
        return {
            "type": ["null", kind]
        }  # the form gives null for an empty field, and asks for one that must not be null
    limits = {"minimum": parameter.minimum, "maximum": parameter.maximum}
    given = [{name: limit} for name, limit in limits.items() if limit is not None]
    # The form moves a number into the limits that it sees, without a word. Inside `allOf` only the server sees them.
    return {"type": kind, "allOf": given} if given else {"type": kind}


def _limits(parameter: Parameter) -> str:
    minimum, maximum = parameter.minimum, parameter.maximum
    if minimum is not None and maximum is not None:
        return f" ({minimum:g} to {maximum:g})"
    return (
        f" (at least {minimum:g})" if minimum is not None else f" (at most {maximum:g})" if maximum is not None else ""
    )


def given_parameters(params: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset's parameters among what a run was started with; a text field that was left empty is null there."""
    return {name: "" if value is None else value for name, value in params.items() if name not in OWN}
