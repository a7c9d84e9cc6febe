"""Settings: from the environment or a file, and one sentence when one cannot be used."""

from pathlib import Path

import pytest

from shopmill import datasets
from shopmill.errors import InvalidInputError
from shopmill.run.run import Run
from shopmill.settings import load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("STORE", "SOURCE_DSN", "REGISTRY_DSN", "TIME_ZONE"):
        monkeypatch.delenv(f"SHOPMILL_{name}", raising=False)
    return tmp_path


def test_the_environment_comes_before_the_file_and_a_given_value_before_both(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / ".shopmill").mkdir()
    (elsewhere / ".shopmill/env").write_text("SHOPMILL_STORE=from-file\nSHOPMILL_TIME_ZONE=Europe/Stockholm\nOTHER=1\n")
    assert (load_settings().store, load_settings().zone.key) == ("from-file", "Europe/Stockholm")
    monkeypatch.setenv("SHOPMILL_STORE", "from-environment")
    assert load_settings().store == "from-environment"
    assert load_settings(store="given").store == "given"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SHOPMILL_TIMEZONE", "SHOPMILL_TIME_ZONE"),
        ("SHOPMILL_SOURCE_DNS", "SHOPMILL_SOURCE_DSN"),
        ("SHOPMILL_CURRENCYS", "SHOPMILL_CURRENCY"),
        ("SHOPMILL_PODS__IMAGES", "SHOPMILL_PODS__IMAGE"),
    ],
)
@pytest.mark.parametrize("in_file", [True, False])
def test_a_misspelt_name_is_refused(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch, name: str, meant: str, in_file: bool
) -> None:
    """It would be ignored, and days be cut in another zone than the shop's."""
    if in_file:
        (elsewhere / ".shopmill").mkdir()
        (elsewhere / ".shopmill/env").write_text(f"{name}=1\n")
    else:
        monkeypatch.setenv(name, "1")
    with pytest.raises(InvalidInputError, match=rf"{name} is no setting\. Did you mean {meant}\?"):
        load_settings()


@pytest.mark.parametrize(
    "name", ["SHOPMILL_SERVICE_HOST", "SHOPMILL_PORT_80_TCP", "SHOPMILL_PARAMETERS__TIMESERIES", "AWS_STORE"]
)
def test_what_others_name_is_let_be(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "{}")
    load_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIME_ZONE", "Europe/Atlantis"),
        ("TIME_ZONE", "Europe"),
        ("TIME_ZONE", "../../etc/passwd"),
        ("TIME_ZONE", ""),
        ("THREADS", "0"),
        ("THREADS", "many"),
        ("LOOKBACK_DAYS", "-1"),
        ("ENGINE", "abacus"),
        ("MEMORY_LIMIT", "lots"),
        ("MEMORY_LIMIT", ""),
        ("SPILL_LIMIT", "90 %"),
        ("SPLIT_INTO", "17"),
        ("SPLIT_INTO", "many"),
        ("MEMORY_LIMIT", "0GB"),
        ("SPILL_LIMIT", "0.0 GiB"),
        ("LOOKBACK_DAYS", "99999999999"),
        ("NOTIFY_AGAIN_HOURS", "inf"),
        ("NOTIFY_AGAIN_HOURS", "nan"),
        ("SOURCE_PATIENCE_SECONDS", "inf"),
        ("ENCODER", ""),
        ("CANCELLED_STATUSES", '["cancelled", " "]'),
        ("SOLD_STATUSES", '["Cancelled"]'),
        ("EVENT_TYPES", "a=view,A=click"),
    ],
)
def test_what_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"SHOPMILL_{name}", value)
    with pytest.raises(InvalidInputError, match=f"SHOPMILL_{name}") as error:
        load_settings()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("value", ["4GB", "512MB", "1.5 GiB", "800mb"])
def test_limits_of_memory(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("SHOPMILL_MEMORY_LIMIT", value)
    assert load_settings().memory_limit == value


def test_a_work_folder_that_is_empty_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a compose file passes a variable on that has no value: the working directory is not meant."""
    monkeypatch.setenv("SHOPMILL_WORK_FOLDER", "")
    assert load_settings().work_folder is None


def test_a_number_of_files_comes_as_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SPLIT_INTO", "256")
    assert load_settings().split_into == 256


@pytest.mark.parametrize("name", ["PODS", "PODS__TOLERATIONS", "PODS__GPUS"])
def test_pods_that_cannot_be_used_are_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"SHOPMILL_{name}", "many")
    with pytest.raises(InvalidInputError, match=r"SHOPMILL_PODS__") as error:
        load_settings()
    assert "\n" not in str(error.value)


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_SOURCE_DSN", "postgresql://u:hunter2@h/d")
    settings = load_settings()
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"


SHOP = """
time_zone = "Europe/Stockholm"
cancelled_statuses = ["annullerad"]
[pods]
gpus = 1
[parameters.timeseries]
max_reject_share = 0.02
"""


def test_a_shop_has_a_file_and_the_environment_comes_before_it(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (elsewhere / "shopmill.toml").write_text(SHOP)
    found = load_settings()
    assert (found.zone.key, found.cancelled_statuses, found.pods.gpus) == ("Europe/Stockholm", ("annullerad",), 1)
    monkeypatch.setenv("SHOPMILL_TIME_ZONE", "UTC")
    assert load_settings().zone.key == "UTC"
    (elsewhere / "other.toml").write_text('time_zone = "Europe/Paris"')
    monkeypatch.delenv("SHOPMILL_TIME_ZONE")
    monkeypatch.setenv("SHOPMILL_CONFIG", "other.toml")
    assert load_settings().zone.key == "Europe/Paris"


def test_the_shops_parameters_are_the_defaults_of_its_runs(elsewhere: Path) -> None:
    (elsewhere / "shopmill.toml").write_text(SHOP)
    declared, settings = datasets.load("timeseries"), load_settings()
    assert str(Run.create(declared, "2020-01-01", settings).parameters["max_reject_share"]) == "0.02"
    given = Run.create(declared, "2020-01-01", settings, {"max_reject_share": "0.03"})
    assert str(given.parameters["max_reject_share"]) == "0.03"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('timezone = "UTC"', "unknown setting 'timezone'. Did you mean 'time_zone'?"),
        ('time_zone = "UTC', "not valid TOML"),
        ('time_zone = "Mars"', "SHOPMILL_TIME_ZONE"),
        ("[parameters.time_series]", "no dataset 'time_series'"),
        ("[parameters.timeseries]\nmax_reject_shar = 1", "Did you mean 'max_reject_share'?"),
        ("[parameters.timeseries]\nmax_reject_share = 2", "max_reject_share"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(elsewhere: Path, text: str, words: str) -> None:
    (elsewhere / "shopmill.toml").write_text(text)
    with pytest.raises(InvalidInputError) as error:
        datasets.shop_defaults(load_settings())
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_named_must_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOPMILL_CONFIG", "nowhere.toml")
    with pytest.raises(InvalidInputError, match=r"SHOPMILL_CONFIG=nowhere\.toml cannot be read"):
        load_settings()
