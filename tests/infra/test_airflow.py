"""Airflow in the template: where it is, its network, its role, what it is handed."""

import dataclasses
import json
import re

import cfnlint.api
import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Template

from infra.config import load_stage
from infra.constructs.airflow_environment import constraints, options
from infra.constructs.airflow_network import AirflowNetwork
from infra.errors import ConfigError
from infra.orchestration_config import AirflowConfig, cron_every
from infra.packaging import REPOSITORY
from tests.infra.test_permissions import grants

NAME = "voxlake-full-airflow"
DAGS = REPOSITORY / "mwaa_dags"


def test_only_a_stage_that_asks_for_airflow_has_anything_of_it(assembly):
    has = "airflow" in assembly.stacks
    assert has == (load_stage(assembly.stage).orchestrator == "mwaa") == (assembly.stage == "full")
    types = {resource["Type"] for _, _, resource in assembly.all_resources()}
    assert ("AWS::MWAA::Environment" in types) == ("AWS::EC2::NatGateway" in types) == has


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: dataclasses.replace(load_stage("dev"), orchestrator="cron"),
            "orchestrator is 'cron': expected one of mwaa, schedule",
        ),
        (
            lambda: dataclasses.replace(
                load_stage("full"),
                processing=dataclasses.replace(load_stage("full").processing, schedule_minutes=45),
            ),
            "schedule_minutes is 45: expected, with the orchestrator mwaa, a divisor of 60 or "
            "whole hours that divide a day",
        ),
        (
            lambda: AirflowConfig(version="2.10.3"),
            "airflow.version is '2.10.3': expected Airflow 3, as 3.0.6",
        ),
        (
            lambda: AirflowConfig(environment_class="mw1.tiny"),
            "airflow.environment_class is 'mw1.tiny': expected one of mw1.micro, mw1.small, "
            "mw1.medium, mw1.large, mw1.1.xlarge, mw1.2.xlarge",
        ),
        (
            lambda: AirflowConfig(environment_class="mw1.micro", max_workers=2),
            "airflow.max_workers is 2: expected 1 to 1",
        ),
        (
            lambda: AirflowConfig(min_workers=3, max_workers=2),
            "airflow.min_workers is 3: expected 1 to 2",
        ),
        (
            lambda: AirflowConfig(private_access="vpn"),
            "airflow.private_access is 'vpn': expected one of nat, endpoints",
        ),
        (
            lambda: AirflowConfig(zones=(1, 1)),
            "airflow.zones is (1, 1): expected two different places",
        ),
    ],
)
def test_a_wrong_setting_says_what_is_expected(make, message):
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("minutes", "cron"),
    [
        (5, "*/5 * * * *"),
        (30, "*/30 * * * *"),
        (60, "0 * * * *"),
        (360, "0 */6 * * *"),
        (1440, "0 0 * * *"),
    ],
)
def test_the_schedule_in_cron(minutes, cron):
    assert cron_every(minutes) == cron


def test_the_network_is_closed_from_outside(full):
    (group,) = full.resources("airflow", "AWS::EC2::SecurityGroup").values()
    assert "SecurityGroupIngress" not in group["Properties"]
    for rule in full.resources("airflow", "AWS::EC2::SecurityGroupIngress").values():
        assert not {"CidrIp", "CidrIpv6", "SourcePrefixListId"} & set(rule["Properties"])
        assert rule["Properties"]["SourceSecurityGroupId"] == rule["Properties"]["GroupId"]
    for subnet in full.resources("airflow", "AWS::EC2::Subnet").values():
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is False


def test_the_environment_lies_in_two_private_subnets_of_two_zones(full):
    environment = full.only("airflow", "AWS::MWAA::Environment")
    subnets = full.resources("airflow", "AWS::EC2::Subnet")
    mine = [ref["Ref"] for ref in environment["NetworkConfiguration"]["SubnetIds"]]
    zones = [subnets[name]["Properties"]["AvailabilityZone"] for name in mine]
    assert zones == [{"Fn::Select": [place, {"Fn::GetAZs": ""}]} for place in (0, 1)]
    tables = {
        a["Properties"]["SubnetId"]["Ref"]: a["Properties"]["RouteTableId"]["Ref"]
        for a in full.resources("airflow", "AWS::EC2::SubnetRouteTableAssociation").values()
    }
    for route in full.resources("airflow", "AWS::EC2::Route").values():
        if route["Properties"]["RouteTableId"]["Ref"] in {tables[name] for name in mine}:
            assert "NatGatewayId" in route["Properties"]
            assert "GatewayId" not in route["Properties"]


@pytest.fixture(scope="module")
def with_endpoints():
    """The network alone, as a stage has it that sets `private_access` to endpoints."""
    stack = Stack(App(), "network")
    config = dataclasses.replace(
        load_stage("full"), airflow=AirflowConfig(private_access="endpoints")
    )
    AirflowNetwork(stack, "Network", config=config, key=kms.Key(stack, "Key"))
    return Template.from_stack(stack).to_json()


def test_with_endpoints_no_way_leads_to_the_internet(with_endpoints, tmp_path):
    types = {resource["Type"] for resource in with_endpoints["Resources"].values()}
    assert not types & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route"}
    path = tmp_path / "network.template.json"
    path.write_text(json.dumps(with_endpoints))
    assert [str(m) for m in cfnlint.api.lint_file(path) if m.rule.id != "W3005"] == []


def test_with_endpoints_every_service_that_the_role_calls_has_one(full, with_endpoints):
    endpoints = set()
    for resource in with_endpoints["Resources"].values():
        if resource["Type"] == "AWS::EC2::VPCEndpoint":
            endpoints.add(resource["Properties"]["ServiceName"]["Fn::Join"][1][-1].strip("."))
    called = {
        action.partition(":")[0]
        for actions in grants(full, "airflow", "Execution").values()
        for action in actions
    }
    # iam:PassRole is no call; the others by the names that their endpoints have.
    names = {"airflow": "airflow.api", "sagemaker": "sagemaker.api", "cloudwatch": "monitoring"}
    assert endpoints == {names.get(one, one) for one in called - {"iam"}} | {"airflow.env"}


def test_the_dags_and_nothing_else_are_deployed(full):
    (deployed,) = full.folder.glob("asset.*/dags")
    files = {str(p.relative_to(deployed)): p for p in deployed.rglob("*") if p.is_file()}
    assert files.pop("constraints.txt").read_text() == constraints(
        (REPOSITORY / "requirements" / "airflow.txt").read_text()
    )
    mine = {
        str(p.relative_to(DAGS)): p.read_bytes()
        for p in DAGS.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }
    assert {name: path.read_bytes() for name, path in files.items()} == mine


def test_requirements_install_nothing_from_the_network(full):
    environment = full.only("airflow", "AWS::MWAA::Environment")
    (path,) = full.folder.glob(f"asset.*/{environment['RequirementsS3Path']}")
    lines = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert lines == ["--no-index", '--constraint "/usr/local/airflow/dags/constraints.txt"']
    assert environment["DagS3Path"] == "dags"


def test_constraints_are_the_lock_without_hashes():
    lock = (
        "a==1.0 \\\n    --hash=sha256:00 \\\n    --hash=sha256:11\n"
        "b-c==2 ; sys_platform == 'win32' \\\n    --hash=sha256:22\n    # via a\n"
    )
    assert constraints(lock).splitlines()[1:] == ["a==1.0", "b-c==2 ; sys_platform == 'win32'"]


def test_the_version_is_that_of_the_laptop():
    pinned = re.search(
        r"^apache-airflow==(.+)$", (REPOSITORY / "requirements/airflow.in").read_text(), re.M
    )
    assert AirflowConfig().version == pinned[1]


def test_airflow_is_handed_every_output_of_the_other_stacks(full):
    (secret,) = full.resources("airflow", "AWS::SecretsManager::Secret").values()
    assert secret["Properties"]["Name"] == f"{NAME}/voxlake"
    parts = secret["Properties"]["SecretString"]["Fn::Join"][1]
    text = "".join(
        p if isinstance(p, str) else ".".join(p["Fn::GetStackOutput"].values()) for p in parts
    )
    assert json.loads(text) == {
        key: f"voxlake-full-{stack}.{key}"
        for stack in full.stacks
        if stack != "airflow"
        for key in full.template(stack)["Outputs"]
        if not key.startswith("ExportsOutput")
    }
    # Nothing is exported for it, so nothing is held fast.
    assert "Fn::ImportValue" not in json.dumps(secret["Properties"]["SecretString"])


def test_airflow_looks_for_nothing_else_in_secrets_manager():
    found = options(load_stage("full"), NAME)
    for section, prefix in (("secrets", ""), ("workers", "secrets_")):
        kwargs = json.loads(found[f"{section}.{prefix}backend_kwargs"])
        assert kwargs == {
            "connections_prefix": None,
            "config_prefix": None,
            "variables_prefix": NAME,
            "variables_lookup_pattern": "^voxlake$",
        }
        assert found[f"{section}.{prefix}backend"].endswith(".SecretsManagerBackend")
    assert found["voxlake.schedule"] == "0 * * * *"


def test_all_logs_are_on_and_go_to_groups_that_end(full):
    logging = full.only("airflow", "AWS::MWAA::Environment")["LoggingConfiguration"]
    assert set(logging) == {
        f"{part}Logs" for part in ("DagProcessing", "Scheduler", "Task", "Webserver", "Worker")
    }
    assert all(one == {"Enabled": True, "LogLevel": "INFO"} for one in logging.values())
    groups = full.resources("airflow", "AWS::Logs::LogGroup")
    names = {group["Properties"].get("LogGroupName") for group in groups.values()} - {None}
    parts = ("DAGProcessing", "Scheduler", "Task", "WebServer", "Worker")
    assert names == {f"airflow-{NAME}-{part}" for part in parts}
    # MWAA would make them itself, without an end, where they are not there yet.
    (environment,) = full.resources("airflow", "AWS::MWAA::Environment").values()
    named = {name for name, group in groups.items() if "LogGroupName" in group["Properties"]}
    assert named <= set(environment["DependsOn"])


def test_airflow_starts_after_its_files_its_names_and_its_rights(full):
    (environment,) = full.resources("airflow", "AWS::MWAA::Environment").values()
    types = {full.resources("airflow")[name]["Type"] for name in environment["DependsOn"]}
    assert {
        "Custom::CDKBucketDeployment",
        "AWS::SecretsManager::Secret",
        "AWS::IAM::Policy",
        "AWS::EC2::Route",
    } <= types


def test_a_silent_scheduler_is_told_of(full):
    alarm = full.only("airflow", "AWS::CloudWatch::Alarm")
    topic = [{"Fn::GetStackOutput": {"StackName": "voxlake-full-alarms",
                                     "OutputName": "AlarmTopicArn"}}]  # fmt: skip
    assert alarm["InsufficientDataActions"] == alarm["AlarmActions"] == alarm["OKActions"] == topic
    assert alarm["TreatMissingData"] == "missing"
