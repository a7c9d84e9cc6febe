"""Spark in the store: its settings, and what is said when the store cannot be used."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shopmill.engine.protocol import Stored
from shopmill.engine.spark_store import SparkStoreEngine, address_of, cause_of, options
from shopmill.errors import StoreError
from shopmill.settings import Settings

pytestmark = pytest.mark.spark

SAID = {
    'UnsupportedFileSystemException: No FileSystem for scheme "s3a"': "lacks the connector",
    "java.lang.ClassNotFoundException: Class org.apache.hadoop.fs.s3a.S3AFileSystem not found": "lacks the connector",
    "java.lang.NoClassDefFoundError: software/amazon/awssdk/transfer/s3/progress/TransferListener": "lacks the connector",
    "org.apache.hadoop.fs.s3a.auth.NoAwsCredentialsException: SimpleAWSCredentialsProvider: No AWS credentials in the "
    "Hadoop configuration": "has no credentials",
    "java.nio.file.AccessDeniedException: s3a://shop/x: org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No AWS "
    "Credentials provided": "has no credentials",
    "S3Exception: The AWS Access Key Id you provided does not exist (Status Code: 403) InvalidAccessKeyId": "does not accept",
    "AccessDeniedException: s3a://shop/x: putObject: S3Exception: Access Denied (Service: S3, Status Code: 403)": "(403)",
    "UnknownStoreException: `s3a://shop/': NoSuchBucket": "no such bucket",
    "SdkClientException: Unable to execute HTTP request: Connect to 10.0.0.9:9000 failed": "from http://s3.shop:9000",
}


@pytest.mark.parametrize("said", SAID)
def test_what_an_operator_can_fix_is_one_sentence(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://s3.shop:9000")
    assert SAID[said] in str(cause_of(said))


def test_a_mistake_in_sql_stays_what_it_is() -> None:
    assert cause_of("[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012") is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://bucket/a=1/b.parquet", "s3a://bucket/a=1/b.parquet"),
        ("gs://bucket/x", "gs://bucket/x"),
    ],
)
def test_addresses_as_hadoop_writes_them(url: str, address: str) -> None:
    assert address_of(url) == address


def test_its_settings_say_where_the_store_is_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")
    told = dict(options(Settings(_env_file=None, store="s3://bucket/x", spark_master="spark://host:7077")))
    assert told["fs.s3a.endpoint"] == "http://127.0.0.1:9000"
    assert told["fs.s3a.connection.ssl.enabled"] == "false"
    assert told["fs.s3a.endpoint.region"] == "eu-north-1"
    assert not {"an-id", "a-secret"} & set(told.values())
    of_connect = dict(options(Settings(_env_file=None, store="s3://bucket/x", spark_master="sc://host:15002")))
    assert "fs.s3a.endpoint" not in of_connect, "a Spark Connect server has settings of its own"


def test_a_cluster_without_the_connector(spark_settings: Mapping[str, Any], tmp_path: Path) -> None:
    store = "gs://bucket/shop"  # Google's connector is not even in the tests
    settings = Settings(_env_file=None, store=store).model_copy(update=spark_settings)
    file = Stored(f"{store}/t.parquet", 1)
    with SparkStoreEngine(settings, tmp_path / "scratch") as engine, pytest.raises(StoreError) as refused:
        engine.view_stored("t", [file], pa.schema({"i": pa.int64()}), {"i": "bigint"})
    assert str(refused.value) == (
        "Spark cannot use the store gs://bucket/shop: the cluster lacks the connector for it, or a part of that. Name its "
        "packages in spark.jars.packages (docs/spark.md)."
    )
