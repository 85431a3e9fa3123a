"""Arguments as Glue passes them."""

from __future__ import annotations

import pytest

from glue_jobs.common.arguments import JobArguments
from glue_jobs.common.errors import MissingArgumentError
from glue_jobs.common.lake import Lake
from voxlake.tables import TABLES

WHOLE = {
    "--run_id": "20260301T120000-abcdef",
    "--ledger_table": "ledger",
    "--landing_bucket": "l",
    "--cleansed_bucket": "c",
    "--analytics_bucket": "a",
    "--artifacts_bucket": "x",
    "--pseudonym_secret_arn": "arn:aws:secretsmanager:us-east-1:123456789012:secret:s",
}


def argv(pairs: dict[str, str]) -> list[str]:
    return [part for pair in pairs.items() for part in pair]


def test_arguments_meant_for_glue_are_passed_over():
    given = {"--JOB_NAME": "j", "--conf": "a=1 --conf b=2", **WHOLE, "--enable-metrics": "true"}
    assert JobArguments.parse([*argv(given), "--flag"]) == JobArguments(
        run_id="20260301T120000-abcdef",
        ledger_table="ledger",
        landing_bucket="l",
        cleansed_bucket="c",
        analytics_bucket="a",
        artifacts_bucket="x",
        pseudonym_secret_arn=WHOLE["--pseudonym_secret_arn"],
        database_prefix="voxlake",
        lease_wait_seconds=900.0,
    )


def test_every_missing_argument_is_named():
    given = {
        name: value for name, value in WHOLE.items() if name not in ("--run_id", "--landing_bucket")
    }
    with pytest.raises(MissingArgumentError) as raised:
        JobArguments.parse(argv(given))
    assert raised.value.missing == ["landing_bucket", "run_id"]


def test_tables_lie_in_the_bucket_of_their_zone():
    lake = Lake.from_arguments(JobArguments.parse(argv({**WHOLE, "--database_prefix": "vx"})))
    assert (
        lake.location(TABLES["posts"], "2026-03-01", "r-1") == "s3://c/posts/dt=2026-03-01/v=r-1/"
    )
    assert lake.root(TABLES["texts_scored"]) == "s3://a/texts_scored/"
    assert lake.table_id(TABLES["texts_scored"]) == "vx_analytics.texts_scored"
    assert lake.scoring("r") == "s3://x/scoring/run=r/"
