"""Settings: from the environment or a file, and one sentence when one cannot be used."""

from pathlib import Path

import pytest

from shopmill.errors import InvalidInputError
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
