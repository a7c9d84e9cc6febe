"""Spark on this machine, started so that a thousand tiny queries are quick: little is compiled."""

from collections.abc import Mapping
from pathlib import Path

SETTINGS = (
    "spark.sql.codegen.wholeStage false\nspark.sql.codegen.factoryMode NO_CODEGEN\nspark.sql.adaptive.enabled false\n"
    "spark.sql.autoBroadcastJoinThreshold -1\nspark.sql.ui.explainMode simple\n"
    "spark.driver.extraJavaOptions -Xms1g -Xmn512m -XX:ReservedCodeCacheSize=256m -XX:TieredStopAtLevel=1\n"
)


def environment(folder: Path) -> Mapping[str, str]:
    """The variables that Java and Spark read once, when they start, out of a folder of the caller's."""
    (folder / "spark-defaults.conf").write_text(SETTINGS)
    return {
        "SPARK_CONF_DIR": str(folder),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "JDK_JAVA_OPTIONS": "-XX:+UseSerialGC",
    }
