"""The form that starts a run in Airflow's UI: what it takes untouched, and what it refuses."""

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import ParamValidationError

from shopmill import datasets
from shopmill.airflow.dag import dataset_dag
from shopmill.airflow.trigger_form import given_parameters, params_of


def submitted(dataset: str, **given: Any) -> dict[str, Any]:
    """What a run gets of a form: Airflow's UI sends null for a field that is empty."""
    form = ParamsDict(params_of(datasets.load(dataset)))
    form.update(given)
    found: dict[str, Any] = form.validate()
    return found


@pytest.mark.parametrize("dataset", datasets.names())
def test_untouched_it_gives_the_defaults(dataset: str) -> None:
    declared = datasets.load(dataset)
    assert declared.parse_parameters(given_parameters(submitted(dataset))) == declared.parse_parameters({})


@pytest.mark.parametrize("dataset", datasets.names())
def test_airflow_demands_no_field_that_is_empty_at_first(dataset: str) -> None:
    for name, param in params_of(datasets.load(dataset)).items():
        assert param.value not in {None, ""} or "null" in param.schema["type"], name


@pytest.mark.parametrize("dataset", datasets.names())
def test_a_text_that_is_emptied_is_the_empty_text(dataset: str) -> None:
    declared = datasets.load(dataset)
    for parameter in declared.all_parameters:
        if parameter.type == "text" and not parameter.choices:
            given = given_parameters(submitted(dataset, **{parameter.name: None}))
            assert declared.parse_parameters(given)[parameter.name] == ""


@pytest.mark.parametrize(
    "as_of", [None, "", "2020-09-23", "2020-09-23T10:15:00Z", "2020-09-23T10:15Z", "2020-09-23T10:15:00+02:00"]
)
def test_an_as_of_is_a_date_or_a_time_or_nothing(as_of: str | None) -> None:
    assert submitted("timeseries", as_of=as_of)["as_of"] == as_of


@pytest.mark.parametrize(
    ("dataset", "given"),
    [
        ("timeseries", {"as_of": "yesterday"}),
        ("timeseries", {"as_of": "2020-09-23T10:15:00"}),
        ("timeseries", {"as_of": "23.09.2020"}),
        ("user_item_interactions", {"purchase_half_life_days": 0}),
        ("user_item_interactions", {"max_reject_share": 1.5}),
        ("user_item_interactions", {"purchase_half_life_days": None}),
        ("events_and_funnels", {"funnel_mode": "closed"}),
        ("events_and_funnels", {"funnel_mode": None}),
    ],
)
def test_what_cannot_be_used_is_refused(dataset: str, given: dict[str, Any]) -> None:
    with pytest.raises(ParamValidationError):
        submitted(dataset, **given)


@pytest.mark.parametrize("dataset", datasets.names())
def test_the_form_sees_no_limit_to_move_a_number_into(dataset: str) -> None:
    for parameter in datasets.load(dataset).all_parameters:
        schema = params_of(datasets.load(dataset))[parameter.name].schema
        assert not {"minimum", "maximum"} & set(schema)
        limits = {name: limit for part in schema.get("allOf", []) for name, limit in part.items()}
        expected = {"minimum": parameter.minimum, "maximum": parameter.maximum}
        assert limits == {name: limit for name, limit in expected.items() if limit is not None}


def test_a_scheduled_run_takes_the_defaults_of_the_shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody fills in a form at five in the morning: the DAG itself has the parameters of shopmill.toml."""
    (tmp_path / "shopmill.toml").write_text('[parameters.timeseries]\nstale_days = 30\ncountry = "GB"\n')
    monkeypatch.setenv("SHOPMILL_CONFIG", str(tmp_path / "shopmill.toml"))
    declared = datasets.load("timeseries")
    of_schedule = given_parameters(dataset_dag("timeseries", schedule=None).params.dump())
    assert declared.parse_parameters(of_schedule) == declared.parse_parameters({"stale_days": 30, "country": "GB"})
    others = given_parameters(dataset_dag("customer_features", schedule=None).params.dump())
    assert datasets.load("customer_features").parse_parameters(others)["stale_days"] == 14
