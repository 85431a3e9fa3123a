"""The model and the workgroup."""

import json
import tarfile

import pytest
import sqlglot

from infra.config import load_stage
from voxlake.cli.train import Model


def test_the_model_runs_in_network_isolation_from_a_pinned_image(full):
    model = full.only("ml", "AWS::SageMaker::Model")
    assert model["EnableNetworkIsolation"] is True
    container = model["PrimaryContainer"]
    image = json.dumps(container["Image"])
    assert "/pytorch-inference:2.6.0-cpu-py312-ubuntu22.04-sagemaker" in image
    (mapping,) = full.template("ml")["Mappings"].values()
    accounts = {region: entry["account"] for region, entry in mapping.items()}
    assert accounts == dict(load_stage("full").ml.image_accounts)


def test_a_new_model_does_not_take_the_old_one_away(full):
    (model,) = full.resources("ml", "AWS::SageMaker::Model").values()
    assert model["UpdateReplacePolicy"] == "Retain"


def test_the_archive_has_the_model_at_its_root_and_the_server_under_code(full):
    (archive,) = full.folder.glob("asset.*.tar.gz")
    with tarfile.open(archive) as packed:
        members = packed.getmembers()
    names = {member.name for member in members}
    assert {
        "encoder.json",
        "model.onnx",
        "tokenizer.json",
        "code/inference.py",
        "code/voxlake/scoring/encoder.py",
        "code/voxlake/text/hidden.py",
    } <= names
    # The image would run pip for it, which network isolation forbids.
    assert "code/requirements.txt" not in names
    assert {member.mtime for member in members} == {0}
    assert {(member.uid, member.uname) for member in members} == {(0, "")}


def test_the_transforms_log_group_can_be_left_to_an_account_that_has_it(full):
    names = [
        group["Properties"].get("LogGroupName")
        for group in full.resources("ml", "AWS::Logs::LogGroup").values()
    ]
    assert sorted(names) == ["/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs"]


def test_every_model_that_can_be_trained_has_its_package_group(assembly):
    groups = assembly.resources("ml", "AWS::SageMaker::ModelPackageGroup").values()
    names = {group["Properties"]["ModelPackageGroupName"] for group in groups}
    prefix = f"voxlake-{assembly.stage}-"
    assert names == {f"{prefix}{model.value}" for model in Model}
    outputs = assembly.template("ml")["Outputs"]
    assert outputs["ModelGroupPrefix"]["Value"] == prefix
    assert "/pytorch-training:2.6.0-cpu-py312" in json.dumps(outputs["TrainingImage"]["Value"])


def test_the_workgroup_enforces_encryption_and_a_scan_limit(assembly):
    workgroup = assembly.only("warehouse", "AWS::Athena::WorkGroup")
    settings = workgroup["WorkGroupConfiguration"]
    assert settings["EnforceWorkGroupConfiguration"] is True
    assert settings["EngineVersion"] == {"SelectedEngineVersion": "Athena engine version 3"}
    gib = {"dev": 10, "prod": 100, "full": 100}[assembly.stage]
    assert settings["BytesScannedCutoffPerQuery"] == gib * 1024**3
    result = settings["ResultConfiguration"]
    assert result["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert "LakeKey" in json.dumps(result["EncryptionConfiguration"]["KmsKey"])
    assert "ZonesQueryResults" in json.dumps(result["OutputLocation"])
    assert workgroup["RecursiveDeleteOption"] is (assembly.stage == "dev")


@pytest.mark.parametrize(
    "name",
    [
        "SentimentByDay",
        "EmotionsByTracker",
        "NamedInTexts",
        "MostEngagedTexts",
        "WordsBySentiment",
        "QuarantineReasons",
    ],
)
def test_saved_queries_name_columns_that_exist(full, name):
    from sqlglot.optimizer.qualify import qualify

    from infra.constructs.catalog import VIEWS
    from voxlake.tables import TABLES

    (query,) = (
        q["Properties"]
        for q in full.resources("warehouse", "AWS::Athena::NamedQuery").values()
        if q["Properties"]["Name"] == name
    )
    schema: dict[str, dict[str, dict[str, str]]] = {}
    for table in TABLES.values():
        columns = {c.name: "text" for c in (*table.columns, *table.partition_keys)}
        schema.setdefault(table.database(), {})[table.name] = columns
        for view in VIEWS:
            if view.table == table.name:
                schema[table.database()][view.name] = columns
    # Raises where a column or table is unknown.
    qualify(sqlglot.parse_one(query["QueryString"], read="athena"), schema=schema)
