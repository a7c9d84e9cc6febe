"""Where things are and how much they may use: environment variables `SHOPMILL_*`, `.shopmill/env`, or `shopmill.toml`."""

import os
import re
import sys
import tomllib
from datetime import date
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from shopmill.errors import InvalidInputError, did_you_mean
from shopmill.vocabulary import event_words, normal
from shopmill.zones import zone_of

ENV_FILE = Path(".shopmill/env")
SHOP_FILE = Path("shopmill.toml")
PREFIX = "shopmill_"
ALIKE = 0.75
"""From which likeness on a name counts as a misspelt one (difflib's ratio)."""
DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"


def user_cache() -> Path:
    """Where this user's programs keep what can be made again."""
    mac = Path("~/Library/Caches").expanduser()
    return mac if sys.platform == "darwin" else Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


class Pods(BaseModel):
    """The pods that encode texts where `encoder_place` is kubernetes. `SHOPMILL_PODS__IMAGE` and so on."""

    image: str = Field(default="", description="image with shopmill and the sentence model, from deploy/docker")
    gpus: int = Field(default=0, ge=0, description="NVIDIA GPUs that each pod gets")
    node_selector: dict[str, str] = Field(default={}, description="labels of the nodes to run on, as JSON")
    tolerations: list[dict[str, str | int]] = Field(default=[], description="Kubernetes tolerations, as JSON")
    service_account: str | None = Field(default=None, description="service account that may use the store")
    template: Path | None = Field(
        default=None, description="pod template file for all else: resources, secrets, volumes"
    )
    deferrable: bool = Field(default=False, description="whether the triggerer waits for the pods, and no worker")
    texts: int = Field(default=50_000, ge=1, description="texts that one pod encodes at most")
    at_once: int = Field(default=4, ge=1, description="pods of one run at the same time")


def _shop_file(known: set[str]) -> dict[str, Any]:
    """What `shopmill.toml` says, or the file that SHOPMILL_CONFIG names; nothing where there is none."""
    named = os.environ.get("SHOPMILL_CONFIG", "")
    path = Path(named or SHOP_FILE).expanduser()
    if not named and not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InvalidInputError(f"SHOPMILL_CONFIG={named} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} is not valid TOML: {error}.") from None
    if unknown := sorted(found.keys() - known):
        raise InvalidInputError(f"{path} has the unknown setting {unknown[0]!r}.{did_you_mean(unknown[0], known)}")
    return found


MEMORY = r"^(?i)\d+(\.\d+)? ?[kmgt]i?b$"
SPLITS = (1, 16, 256)
"""Files that a table may be split into: as many as the digits of a hash tell apart."""


class Settings(BaseSettings):
    """Everything that differs between a laptop and a cluster; nothing about what a dataset means."""

    model_config = SettingsConfigDict(
        env_prefix="SHOPMILL_", env_nested_delimiter="__", env_file=ENV_FILE, extra="ignore", frozen=True
    )

    parameters: dict[str, dict[str, Any]] = Field(
        {},
        description="a shop's own defaults of the parameters of each dataset; in shopmill.toml: [parameters.<dataset>]",
    )
    store: str = Field(".shopmill/store", description="folder or s3://bucket/prefix that holds raw data and versions")
    source_dsn: SecretStr = Field(SecretStr(""), description="the shop's PostgreSQL, a role with SELECT only")
    registry_dsn: SecretStr = Field(SecretStr(""), description="PostgreSQL that holds the schema shopmill (etl_runs)")
    source_encoding: Literal["", "UTF8"] = Field(
        "", description="UTF8: what the text of an SQL_ASCII database is, where it is more than ASCII"
    )
    source_patience_seconds: float = Field(
        600,
        gt=0,
        allow_inf_nan=False,
        description="seconds that reading the shop waits for a row or a lock before it gives up",
    )
    row_security: Literal["refuse", "allow"] = Field(
        "refuse", description="allow: a row-level security policy decides which rows are this shop's"
    )
    mapping: str = Field(
        "canonical",
        description="folders with a SELECT per source table, and presets, separated by commas; the first that has a table counts",
    )
    time_zone: str = Field("UTC", description="the shop's time zone: decides what a day is")
    currency: str = Field(
        "", pattern=r"^([A-Z]{3})?$", description="the shop's own currency (EUR), into which amounts are converted"
    )
    pseudonym_key: SecretStr = Field(
        SecretStr(""),
        description="a text that only the shop knows: guests and people who were erased are named by a hash with it",
    )
    personal_data: str = Field(
        "keep",
        description="what raw files keep of personal columns: keep, hash or drop; also one by one: hash,age=drop,email=drop",
    )
    first_day: date = Field(
        date(2000, 1, 1), description="facts that are dated before this day are rejected: the shop did not exist yet"
    )
    longest_gap_days: int = Field(
        366,
        ge=1,
        description="days without a sale that the shop may have had; a few sales before a longer gap are rejected as wrongly dated",
    )
    cancelled_statuses: tuple[str, ...] = Field(
        ("cancelled", "canceled", "voided"),
        description="words of order_status that mean that an order was cancelled, in any case, as a JSON list",
    )
    sold_statuses: tuple[str, ...] = Field(
        (),
        description="words of order_status that look like a return and are none, as a JSON list: nobody is asked about them",
    )
    event_vocabulary: str = Field(
        "canonical",
        description="whose words event_type has: canonical, ga4, segment, snowplow, ..., with commas between",
    )
    event_types: str = Field(
        "",
        description="words of event_type one by one: page_view=view,addtocart=add_to_cart; other: known, and no step",
    )
    lookback_days: int = Field(
        3, ge=0, le=36_500, description="days before the last read as_of that are read again for late rows"
    )
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="what runs the SQL")
    spark_master: str = Field(
        "local[2]", description="where Spark runs: local[n], spark://host:port, k8s://host:port or sc://host:port"
    )
    threads: int = Field(2, ge=1, description="threads of the engine, and of the sentence encoder")
    memory_limit: str = Field(
        "4GB",
        pattern=MEMORY,
        description="memory the engine may use before it spills to disk",
    )
    spill_limit: str = Field(
        "100GB",
        pattern=MEMORY,
        description="disk that one step of a run may spill to at most, in its scratch space",
    )
    split_into: int = Field(
        1,
        description="files that the rows of a large table without periods are split into, so that many executors write it",
    )
    schedules: bool = Field(
        True, description="whether DAGs run by the clock; asset events, backfills and people start them anyway"
    )
    notify_again_hours: float = Field(
        12,
        gt=0,
        allow_inf_nan=False,
        description="hours after which people are notified of the same again: that it fails, or is published",
    )
    work_folder: Path | None = Field(
        None, description="scratch space; default: beside a local store, else a temporary folder"
    )

    encoder: str = Field(
        DEFAULT_MODEL,
        min_length=1,
        description="sentence model: the default one, a folder with an ONNX file, or a hub id",
    )
    encoder_precision: Literal["fp32", "fp16", "int8"] = Field(
        "fp32", description="weights of the sentence model; int8 is faster on processors"
    )
    encoder_place: Literal["worker", "kubernetes"] = Field(
        "worker", description="where DAGs encode texts: in the task's own process, or in pods of their own"
    )
    pods: Pods = Field(Pods(), description="the pods that encode where encoder_place is kubernetes")
    encoder_folder: Path = Field(
        default_factory=lambda: user_cache() / "shopmill",
        description="folder for what is made of the sentence model once; default: the user's cache",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment before the files, and `.shopmill/env` before `shopmill.toml`."""
        shop = InitSettingsSource(settings_cls, _shop_file(set(cls.model_fields)))
        return init_settings, env_settings, dotenv_settings, shop, file_secret_settings

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            zone_of(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{name!r} is no IANA time zone such as Europe/Stockholm") from error
        return name

    @field_validator("work_folder", mode="before")
    @classmethod
    def _no_folder(cls, folder: object) -> object:
        """An empty one is none: it would be the working directory."""
        return None if folder == "" else folder

    @field_validator("memory_limit", "spill_limit")
    @classmethod
    def _above_nothing(cls, limit: str) -> str:
        if not re.search(r"[1-9]", limit):
            raise ValueError(f"{limit} is nothing")
        return limit

    @field_validator("cancelled_statuses", "sold_statuses")
    @classmethod
    def _words(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip() for word in words):
            raise ValueError("an empty text is no status")
        return words

    @field_validator("sold_statuses")
    @classmethod
    def _either_sold_or_cancelled(cls, words: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        cancelled = {normal(word) for word in info.data.get("cancelled_statuses", ())}
        if both := [word for word in words if normal(word) in cancelled]:
            raise ValueError(f"{both[0]!r} is in SHOPMILL_CANCELLED_STATUSES too: leave it out of one of them")
        return words

    @field_validator("split_into")
    @classmethod
    def _known_number_of_files(cls, files: int) -> int:
        if files not in SPLITS:
            raise ValueError(f"{files} is not 1, 16 or 256")
        return files

    @model_validator(mode="after")
    def _known_event_words(self) -> Self:
        event_words(self.event_vocabulary, self.event_types)
        return self

    @cached_property
    def zone(self) -> ZoneInfo:
        """The shop's time zone."""
        return zone_of(self.time_zone)


def of_environment() -> dict[str, Any]:
    """The settings that the environment or `.shopmill/env` has decided, by name; `shopmill.toml` cannot change them."""
    return {**DotEnvSettingsSource(Settings)(), **EnvSettingsSource(Settings)()}


def _refuse_misspelt() -> None:
    """InvalidInputError for a variable with nearly the name of a setting: it would be ignored, and the default used.

    Names like none are let be, for others make some: Kubernetes does, of a service called shopmill.
    """
    known = {*Settings.model_fields, *(f"pods__{name}" for name in Pods.model_fields)}
    given = {name.lower() for name in (*DotEnvSettingsSource(Settings).env_vars, *os.environ)}
    ours = {name.removeprefix(PREFIX) for name in given if name.startswith(PREFIX)}
    for name in sorted(ours - known):
        if (meant := get_close_matches(name, known, n=1, cutoff=ALIKE)) and not name.startswith("parameters"):
            right, wrong = ((PREFIX + one).upper() for one in (meant[0], name))
            raise InvalidInputError(f"{wrong} is no setting. Did you mean {right}? Rename it, or remove it.")


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment; one that cannot be used is one sentence, not a stack of validation output."""
    _refuse_misspelt()
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except SettingsError as error:
        raise InvalidInputError(
            f'A setting cannot be used: {error}. Write what has parts as JSON: SHOPMILL_PODS__NODE_SELECTOR=\'{{"pool": "gpu"}}\'.'
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        name = "SHOPMILL_" + "__".join(str(part) for part in first["loc"]).upper()
        raise InvalidInputError(f"{name} cannot be used: {first['msg']}. Set it to a valid value.") from None
