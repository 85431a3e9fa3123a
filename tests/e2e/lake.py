"""A laptop cloud of a test's own: `voxlake up` in a folder of its own, schedules off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from functools import cached_property
from pathlib import Path

import boto3

from voxlake.cli import query, send
from voxlake.cli.target import Target
from voxlake.ledger.items import plain

ROOT = Path(__file__).resolve().parents[2]
PSEUDONYM_KEY = {"key_id": "k1", "key": "0123456789abcdef" * 4}
"""Fixed, so that pseudonyms in the golden rows are the same in every run."""


class Lake:
    """One running laptop cloud with the whole template, and short ways to use it as users do."""

    def __init__(self, home: Path):
        self.home = home
        self.target = Target()

    def voxlake(self, *arguments: str, code: int = 0, **options) -> subprocess.CompletedProcess:
        """Runs the command line as a user would; fails the test on another exit status."""
        done = subprocess.run(
            [sys.executable, "-m", "voxlake.cli", *arguments],
            cwd=ROOT,
            env={"VOXLAKE_ORCHESTRATOR": "stepfunctions"}
            | self.shell
            | {"VOXLAKE_HOME": str(self.home), "COLUMNS": "100"},
            capture_output=True,
            text=True,
            timeout=500,
            **options,
        )
        assert done.returncode == code, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    def begin(self, *arguments: str) -> subprocess.Popen:
        """Starts the command line and does not wait for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "voxlake.cli", *arguments],
            cwd=ROOT,
            env=self.shell | {"VOXLAKE_HOME": str(self.home)},
            stdout=subprocess.DEVNULL,
        )

    @property
    def shell(self) -> dict[str, str]:
        return {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}

    def start(self) -> None:
        """Up, with a fixed pseudonym key and every schedule off."""
        self.voxlake("up", "--fresh", "--json")
        events = self.client("events")
        for rule in events.list_rules()["Rules"]:
            if rule.get("ScheduleExpression"):
                events.disable_rule(Name=rule["Name"])
        self.client("secretsmanager").put_secret_value(
            SecretId=self.target.output("PseudonymSecretArn"),
            SecretString=json.dumps(PSEUDONYM_KEY),
        )

    def stop(self) -> None:
        self.voxlake("down")

    def client(self, service: str):
        return self.target.client(service)

    def output(self, key: str) -> str:
        return self.target.output(key)

    @cached_property
    def session(self) -> boto3.Session:
        return self.target.session

    def environment(self) -> dict[str, str]:
        """For programs that know nothing of voxlake: any AWS client works with these."""
        return self.shell | self.target.environment()

    def put(self, records: list[bytes], key: str = "same") -> list[dict]:
        """PutRecords to one shard, in order; the answers' records."""
        answer = self.client("kinesis").put_records(
            StreamName=self.output("EventStream"),
            Records=[{"Data": data, "PartitionKey": key} for data in records],
        )
        assert answer["FailedRecordCount"] == 0
        return answer["Records"]

    def landed(self, records: int) -> None:
        send.wait_until_landed(self.target, records, timeout=60)

    def enriched(self, timeout: float = 500) -> None:
        """Waits until the stream path has dealt with every record and every ticket."""
        url = self.target.environment()["AWS_ENDPOINT_URL"] + "/_localcloud/status"
        deadline = time.monotonic() + timeout
        while True:
            with urllib.request.urlopen(url, timeout=10) as answer:
                mappings = json.load(answer)["services"]["event_source"]["mappings"].values()
            if not any(m["iterator_age_ms"] for m in mappings if m["state"] == "Enabled"):
                return
            assert time.monotonic() < deadline, mappings
            time.sleep(0.3)

    def hold(self, function_output: str) -> None:
        """Nothing is given to a function any more by its event source mapping."""
        functions = self.client("lambda")
        [mapping] = functions.list_event_source_mappings(FunctionName=self.output(function_output))[
            "EventSourceMappings"
        ]
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)

    def hold_replies(self) -> None:
        """Nothing takes requests for replies from their queue, so that tickets stay as opened."""
        self.hold("ReplySenderFunction")

    def items(self, table_output: str) -> list[dict]:
        """Every item of a DynamoDB table, as plain values."""
        table = self.target.table(table_output)
        found, start = [], {}
        while True:
            page = table.scan(**start)
            found += [plain(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def tickets(self) -> list[dict]:
        """Every ticket, as DynamoDB has it."""
        return [item for item in self.items("TicketsTable") if item["pk"].startswith("TICKET#")]

    def sql(self, text: str) -> list[dict]:
        return query.ask(self.target, text).dicts()

    def json(self, *arguments: str, code: int = 0):
        return json.loads(self.voxlake(*arguments, "--json", code=code).stdout)

    def glue_job(self, name: str, **arguments: str) -> dict:
        """Runs one job to its end; its run as GetJobRun tells it."""
        glue = self.client("glue")
        run = glue.start_job_run(JobName=name, Arguments=arguments)["JobRunId"]
        while True:
            found = glue.get_job_run(JobName=name, RunId=run)["JobRun"]
            if found["JobRunState"] not in ("STARTING", "RUNNING", "WAITING"):
                return found
            time.sleep(0.2)

    def objects(self, bucket_output: str, prefix: str = "") -> dict[str, bytes]:
        """Key -> bytes of every object."""
        s3 = self.client("s3")
        bucket = self.output(bucket_output)
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        keys = [o["Key"] for page in pages for o in page.get("Contents", [])]
        return {k: s3.get_object(Bucket=bucket, Key=k)["Body"].read() for k in keys}
