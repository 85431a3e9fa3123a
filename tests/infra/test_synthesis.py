"""What holds for every stack of every stage."""

import json
import re
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import cfnlint.api
import pytest

import infra.constructs.glue_job
import infra.constructs.python_function
from infra.app import main
from infra.config import load_stage
from infra.errors import UnknownStageError
from infra.packaging import REPOSITORY

OUTPUTS = {
    "storage": {
        "LandingBucket",
        "CleansedBucket",
        "AnalyticsBucket",
        "ArtifactsBucket",
        "QueryResultsBucket",
        "LedgerTable",
        "KeyArn",
        "PseudonymSecretArn",
    },
    "ingest": {
        "EventStream",
        "MockServerFunction",
        "MockServerSchedule",
        "StreamConsumerFunction",
        "StreamConsumerMapping",
    },
    "sources": {
        "SourcesTable",
        "YoutubeSecretArn",
        "XSecretArn",
        "SourceYoutubeFunction",
        "SourceXFunction",
        "SourceYoutubeSchedule",
        "SourceXSchedule",
        "ScheduledSources",
    },
    "stream": {
        "ScoresTable",
        "TicketsTable",
        "TextEnricherFunction",
        "TextEnricherMapping",
        "RepliesMode",
    },
    "processing": {
        "BatchStateMachineArn",
        "BatchPlannerFunction",
        "ReconcilerFunction",
        "LandingToCleansedJob",
        "CleansedToFeaturesJob",
        "ScoresToAnalyticsJob",
        "TicketsToAnalyticsJob",
        "LandingCrawler",
        "LandingDatabase",
        "CleansedDatabase",
        "AnalyticsDatabase",
    },
    "ml": {
        "SentimentModelName",
        "TransformRoleArn",
        "TransformInstanceType",
        "TransformInstanceCount",
        "TransformConcurrency",
        "TransformMaxPayloadMb",
        "MetricsNamespace",
        "InferenceImage",
        "ModelGateFunction",
        "ModelGroupPrefix",
        "TrainingImage",
        "TrainingInstanceType",
        "TrainingMaxMinutes",
        "TrainingRoleArn",
        "TrainingSpotWaitMinutes",
        "TrainingVolumeGb",
    },
    "warehouse": {"AthenaWorkgroup"},
    "quicksight": {"MoodsDashboardId", "QuickSightRoleArn"},
    "api": {"WebApiUrl", "WebApiFunction"},
    "dashboard": {
        "DashboardUrl",
        "DashboardDistribution",
        "DashboardBucket",
        "DashboardLogsBucket",
    },
    "alarms": {"AlarmTopicArn"},
    "airflow": {"AirflowBucket", "AirflowEnvironment", "AirflowUrl"},
}

REDSHIFT_OUTPUTS = {
    "RedshiftWorkgroup",
    "RedshiftDatabase",
    "WarehouseLoaderFunction",
    "WarehouseAnalystRoleArn",
}
REPLY_OUTPUTS = {"OutboxUrl", "DeadRepliesUrl", "RepliesTable", "ReplySenderFunction"}

# An export in use may not change, so only what CloudFormation never replaces under changes we
# make may be exported: for each type, the properties whose change replaces it.
EXPORTABLE = {
    "AWS::ApiGatewayV2::Api": {"ProtocolType"},
    "AWS::Athena::WorkGroup": {"Name"},
    "AWS::DynamoDB::Table": {"TableName", "KeySchema", "ImportSourceSpecification"},
    "AWS::Glue::Job": {"Name"},
    "AWS::KMS::Key": set(),
    "AWS::Kinesis::Stream": {"Name"},
    "AWS::Lambda::EventSourceMapping": {
        "EventSourceArn",
        "StartingPosition",
        "StartingPositionTimestamp",
    },
    "AWS::Lambda::Function": {"FunctionName", "PackageType"},
    "AWS::Logs::LogGroup": {"LogGroupName"},
    "AWS::S3::Bucket": {"BucketName"},
    "AWS::SQS::Queue": {"QueueName", "FifoQueue"},
    "AWS::SecretsManager::Secret": {"Name"},
    "AWS::StepFunctions::StateMachine": {"StateMachineName", "StateMachineType"},
}

# (type, property, pattern of the value): the names we do choose, and why.
CHOSEN_NAMES = {
    # Labels: several may have the same.
    ("AWS::ApiGatewayV2::Api", "Name"): "voxlake-*-api",
    ("AWS::ApiGatewayV2::Authorizer", "Name"): "Tokens",
    ("AWS::QuickSight::Analysis", "Name"): "voxlake *: *",
    ("AWS::QuickSight::Dashboard", "Name"): "voxlake *: *",
    ("AWS::QuickSight::DataSet", "Name"): "voxlake *: *",
    ("AWS::QuickSight::DataSource", "Name"): "voxlake *: *",
    # The analysts' contract.
    ("AWS::Glue::Database", "DatabaseInput.Name"): "voxlake_*",
    ("AWS::Glue::Table", "TableInput.Name"): "*",
    # Services that have no generated names; these carry the stack's.
    ("AWS::Athena::WorkGroup", "Name"): "voxlake-*-analysts",
    ("AWS::Athena::NamedQuery", "Name"): "*",
    ("AWS::Logs::QueryDefinition", "Name"): "voxlake-*-alarms/*",
    ("AWS::SageMaker::ModelPackageGroup", "ModelPackageGroupName"): "voxlake-*-*",
    # New whenever the content is: never in the way of a replacement.
    ("AWS::SageMaker::Model", "ModelName"): "voxlake-*-sentiment-????????????",
    ("AWS::MWAA::Environment", "Name"): "voxlake-*-airflow",
    # Airflow asks for it by this name.
    ("AWS::SecretsManager::Secret", "Name"): "voxlake-*-airflow/voxlake",
    # Names that Glue, SageMaker and MWAA compose or choose themselves.
    ("AWS::Logs::LogGroup", "LogGroupName"): "[/a]*",
}
NAME_PROPERTIES = {
    "AWS::SageMaker::ModelPackageGroup": "ModelPackageGroupName",
    "AWS::Glue::Database": "DatabaseInput.Name",
    "AWS::Glue::Table": "TableInput.Name",
    "AWS::S3::Bucket": "BucketName",
    "AWS::Kinesis::Stream": "Name",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Lambda::LayerVersion": "LayerName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::SNS::Topic": "TopicName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::CloudWatch::Alarm": "AlarmName",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
    "AWS::SageMaker::Model": "ModelName",
}


def test_synthesis_needs_no_node_no_credentials_and_says_nothing_but_the_folder(assembly):
    assert assembly.stderr.splitlines() == [str(assembly.folder)]
    assert {path.name for path in assembly.folder.glob("*.template.json")} == {
        f"voxlake-{assembly.stage}-{stack}.template.json" for stack in assembly.stacks
    }


def test_synthesis_is_the_same_every_time_and_quick(full, synthesise, tmp_path):
    began = getrusage(RUSAGE_CHILDREN)
    again = synthesise("full", tmp_path / "again")
    ended = getrusage(RUSAGE_CHILDREN)
    for stack in full.stacks:
        assert again.template(stack) == full.template(stack)
    # Processor time: the machine may be busy with other tests.
    assert ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime < 20


def test_no_folder_of_this_machine_is_in_the_assembly(full):
    for path in full.folder.glob("*.json"):
        assert str(REPOSITORY) not in path.read_text(), path.name


def test_outputs_have_the_keys_that_the_command_line_reads(assembly):
    for stack in assembly.stacks:
        outputs = assembly.template(stack)["Outputs"]
        wanted = set(OUTPUTS[stack])
        if stack == "warehouse" and load_stage(assembly.stage).warehouse.redshift_enabled:
            wanted |= REDSHIFT_OUTPUTS
        if stack == "stream" and load_stage(assembly.stage).replies.enabled:
            wanted |= REPLY_OUTPUTS
        assert {key for key in outputs if not key.startswith("ExportsOutput")} == wanted


def test_no_custom_resource_and_nothing_to_ask_at_deployment(assembly):
    for stack in assembly.stacks:
        assert set(assembly.template(stack)) <= {
            "Description",
            "Mappings",
            "Outputs",
            "Resources",
        }
    types = {resource["Type"] for _, _, resource in assembly.all_resources()}
    # CDK's own, for the page's files: they are no part of a template.
    types -= {"Custom::CDKBucketDeployment"}
    assert not [type_ for type_ in types if not type_.startswith("AWS::")]
    assert "AWS::CloudFormation::CustomResource" not in types


def test_only_what_never_changes_is_exported(assembly):
    for stack in assembly.stacks:
        template = assembly.template(stack)
        for key, output in template["Outputs"].items():
            if "Export" not in output:
                continue
            value = output["Value"]
            assert set(value) <= {"Ref", "Fn::GetAtt"}, key
            name = value.get("Ref") or value["Fn::GetAtt"][0]
            resource = template["Resources"][name]
            assert resource["Type"] in EXPORTABLE, key


def test_no_physical_name_is_fixed_but_those_we_chose(assembly):
    for _, logical_id, resource in assembly.all_resources():
        type_, properties = resource["Type"], resource.get("Properties", {})
        for path in {"Name", NAME_PROPERTIES.get(type_, "Name")}:
            value = properties
            for part in path.split("."):
                value = value.get(part) if isinstance(value, dict) else None
            if value is None:
                continue
            assert (type_, path) in CHOSEN_NAMES, f"{logical_id} is named {value}"
            assert fnmatchcase(value, CHOSEN_NAMES[type_, path]), f"{logical_id}: {value}"


def test_every_log_group_ends_and_is_encrypted(assembly):
    retention = {"dev": 7, "prod": 90, "full": 30}[assembly.stage]
    groups = [r for _, _, r in assembly.all_resources() if r["Type"] == "AWS::Logs::LogGroup"]
    assert len(groups) == (25 if assembly.stage == "full" else 13)
    for group in groups:
        assert group["Properties"]["RetentionInDays"] == retention
        assert "KeyArn" in group["Properties"]["KmsKeyId"] or group["Properties"]["KmsKeyId"]


def test_templates_have_no_errors_by_cfn_lint(assembly):
    for path in sorted(assembly.folder.glob("*.template.json")):
        found = cfnlint.api.lint_file(path)
        # W3005: CDK itself repeats dependencies that references imply.
        assert [str(match) for match in found if match.rule.id != "W3005"] == []


def test_the_template_is_the_same_with_wheels_and_without(full, tmp_path, monkeypatch):
    def fake_wheels(requirements: Path, target: Path, **_: object) -> None:
        target.mkdir(parents=True)
        (target / "module.py").write_text("")

    monkeypatch.setattr(infra.constructs.python_function, "install_wheels", fake_wheels)
    monkeypatch.setattr(infra.constructs.glue_job, "download_wheels", fake_wheels)
    out = tmp_path / "cdk.out"
    # What a synthesis without wheels left behind must not be taken for the real layer.
    shutil.copytree(full.folder, out)
    assert main(["--stage", "full", "--out", str(out), "--bundle"]) == 0
    for stack in full.stacks:
        bundled = json.loads((out / f"voxlake-full-{stack}.template.json").read_text())
        assert bundled == full.template(stack)
    layers = [path.parent for path in out.glob("asset.*/requirements.txt")]
    assert [sorted(p.name for p in layer.iterdir()) for layer in layers] == [
        ["python", "requirements.txt"]
    ] * 3


def test_the_stage_comes_from_the_context_as_the_cdk_command_line_gives_it(synthesise, tmp_path):
    assembly = synthesise(None, tmp_path / "cdk.out", CDK_CONTEXT_JSON='{"stage": "prod"}')
    made = list(assembly.folder.glob("voxlake-prod-*.template.json"))
    assert len(made) == len(load_stage("prod").stacks)


def test_an_unknown_stage_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownStageError):
        main(["--stage", "staging", "--out", str(tmp_path / "cdk.out")])
    assert not list(tmp_path.glob("cdk.out/*.template.json"))


def test_data_survives_its_stack_where_the_stage_says_so(assembly):
    expected = "Delete" if assembly.stage == "dev" else "Retain"
    kept = {
        "AWS::S3::Bucket",
        "AWS::DynamoDB::Table",
        "AWS::KMS::Key",
        "AWS::SecretsManager::Secret",
        "AWS::Kinesis::Stream",
    }
    policies = {
        (resource["Type"], resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
        for _, _, resource in assembly.all_resources()
        # What Airflow is handed is made anew by each deployment, under a name that has to be free.
        if resource["Type"] in kept and "SecretString" not in resource["Properties"]
    }
    assert policies == {(type_, expected, expected) for type_ in kept}


def test_the_cdk_command_line_is_pinned_and_locked_without_hosts():
    package = json.loads((REPOSITORY / "package.json").read_text())
    lock_text = (REPOSITORY / "package-lock.json").read_text()
    lock = json.loads(lock_text)
    version = package["devDependencies"]["aws-cdk"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    locked = lock["packages"]["node_modules/aws-cdk"]
    assert locked["version"] == version
    assert locked["integrity"].startswith("sha512-")
    assert "://" not in lock_text
    assert "resolved" not in lock_text


@pytest.mark.parametrize(
    "adr", sorted((REPOSITORY / "docs" / "adr").glob("*.md")), ids=lambda p: p.stem
)
def test_decision_records_are_short_and_have_the_agreed_shape(adr):
    text = adr.read_text()
    assert len(text.split()) < 300
    headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert headings == ["Status", "Context", "Decision", "Alternatives", "Consequences"]
