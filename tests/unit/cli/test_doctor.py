"""`voxlake doctor`: what it says of a machine and of an account."""

import json
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from typer.testing import CliRunner

from tests.servers.api import Answer, ApiServer, Request
from voxlake.cli import doctor_laptop
from voxlake.cli.doctor import Finding, Verdict
from voxlake.cli.doctor_stage import BOOTSTRAP, QUOTAS
from voxlake.cli.main import app
from voxlake.cli.target import STACKS


class ServiceQuotas(ApiServer):
    """Service Quotas: applied values by (service, name), and AWS's defaults."""

    def __init__(self) -> None:
        super().__init__()
        self.applied: dict[tuple[str, str], float] = {}
        self.defaults: dict[tuple[str, str], float] = {}

    def respond(self, request: Request) -> Answer:
        operation = request.headers["x-amz-target"].rpartition(".")[2]
        asked = json.loads(request.body)
        values = self.applied if operation == "ListServiceQuotas" else self.defaults
        named = [
            {"ServiceCode": service, "QuotaName": name, "Value": value}
            for (service, name), value in sorted(values.items())
            if service == asked["ServiceCode"]
        ]
        # One a page, so that what is asked for lies behind another.
        at = int(asked.get("NextToken", 0))
        more = {"NextToken": str(at + 1)} if at + 1 < len(named) else {}
        return Answer(200, {"Quotas": named[at : at + 1], **more})


@pytest.fixture(scope="module")
def aws():
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def account(aws, monkeypatch):
    with ServiceQuotas() as quotas:
        quotas.applied = {(service, name): 1000.0 for service, name, *_ in QUOTAS}
        quotas.applied["lambda", "Another"] = 1.0
        for name, value in {
            "AWS_ENDPOINT_URL": aws,
            "AWS_ENDPOINT_URL_SERVICE_QUOTAS": quotas.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "eu-central-1",
        }.items():
            monkeypatch.setenv(name, value)
        boto3.client("ssm").put_parameter(Name=BOOTSTRAP, Value="21", Type="String", Overwrite=True)
        yield quotas


def ask(stage: str) -> tuple[int, dict[str, list[tuple[str, str]]]]:
    done = CliRunner().invoke(app, ["doctor", "--stage", stage, "--json"])
    found: dict[str, list[tuple[str, str]]] = {}
    for one in json.loads(done.stdout):
        found.setdefault(one["what"], []).append((one["verdict"], one["found"]))
    return done.exit_code, found


def deploy(stage: str, *names: str) -> str:
    """Stacks with nothing in them but a topic that the alarms' one names."""
    topic = boto3.client("sns").create_topic(Name=f"{stage}-alarms")["TopicArn"]
    template = {
        "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
        "Outputs": {"AlarmTopicArn": {"Value": topic}},
    }
    for name in names:
        boto3.client("cloudformation").create_stack(
            StackName=f"voxlake-{stage}-{name}", TemplateBody=json.dumps(template)
        )
    return topic


def test_an_account_that_is_ready_has_nothing_bad(account):
    code, found = ask("dev")
    assert code == 0
    assert found == {
        "credentials": [("good", "account 123456789012 in eu-central-1")],
        "CDK bootstrap": [("good", "version 21")],
        "lambda quota": [("good", "Concurrent executions: 1,000")],
        "sagemaker quota": [
            ("good", "ml.m5.large for transform job usage: 1,000"),
            ("good", "ml.m5.2xlarge for spot training job usage: 1,000"),
        ],
        "glue quota": [("good", "Max concurrent job runs per account: 1,000")],
        "kinesis quota": [("good", "On-demand Data Streams per account: 1,000")],
        "stacks": [("watch", "none")],
    }


def test_a_quota_that_is_too_small_is_bad_and_an_unapplied_one_is_awss_default(account):
    transform = ("sagemaker", "ml.m5.large for transform job usage")
    concurrent = ("lambda", "Concurrent executions")
    del account.applied[transform], account.applied[concurrent]
    account.defaults = {transform: 0.0}
    code, found = ask("dev")
    assert code == 1
    assert found["sagemaker quota"][0] == ("bad", "ml.m5.large for transform job usage: 0")
    assert found["lambda quota"] == [("watch", "Concurrent executions: not listed")]


def test_an_account_that_was_never_bootstrapped_is_bad(account):
    boto3.client("ssm").delete_parameter(Name=BOOTSTRAP)
    code, found = ask("dev")
    assert (code, found["CDK bootstrap"]) == (1, [("bad", "none")])


def test_a_stage_is_looked_at_whole(account):
    topic = deploy("full", *STACKS)
    cloudwatch = boto3.client("cloudwatch")
    name = "voxlake-full-alarms-Errors"
    cloudwatch.put_metric_alarm(
        AlarmName=name, MetricName="Errors", Namespace="x", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", Statistic="Sum",
    )  # fmt: skip
    code, found = ask("full")
    assert (code, found["stacks"]) == (0, [("good", f"{len(STACKS)} in order")])
    assert found["alarms go to"] == [("watch", "nobody")]
    assert found["alarms"] == [("good", "none in ALARM")]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="email", Endpoint="desk@example.com")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    code, found = ask("full")
    assert code == 1
    assert found["alarms go to"] == [("good", "1 of 1 confirmed")]
    assert found["alarms"] == [("bad", name)]


def test_a_missing_stack_is_named(account):
    deploy("prod", *[name for name in STACKS if name != "ml"])
    code, found = ask("prod")
    assert (code, found["stacks"]) == (1, [("bad", "ml missing")])
    assert "alarms" not in found


def test_without_credentials_nothing_else_is_asked(account, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    code, found = ask("dev")
    assert (code, list(found)) == (1, ["credentials"])


def test_this_machine_is_looked_at_without_a_laptop_cloud(monkeypatch, tmp_path):
    monkeypatch.setenv("VOXLAKE_HOME", str(tmp_path / "none"))
    _, found = ask("local")
    assert list(found) == ["Python", "Java", "Node", "memory", "disk", "training", "laptop cloud"]
    assert found["Java"][0][0] == "good"
    assert found["laptop cloud"] == [("watch", "not running")]


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (doctor_laptop.python((3, 9)), ("bad", "3.9")),
        (doctor_laptop.python((3, 13)), ("good", "3.13")),
        (doctor_laptop.memory(2.0), ("bad", "2.0 GiB")),
        (doctor_laptop.memory(6.0), ("watch", "6.0 GiB")),
        (doctor_laptop.disk(20.0, Path("/")), ("good", "20.0 GiB")),
        (doctor_laptop.java(None), ("bad", "none")),
        (doctor_laptop.java(Path("/nowhere")), ("bad", "/nowhere: No such file or directory")),
    ],
)
def test_what_is_too_little_is_said_so(finding: Finding, expected):
    assert (finding.verdict, finding.found) == expected
    assert bool(finding.advice) is (finding.verdict is not Verdict.GOOD)
