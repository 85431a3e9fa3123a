"""The model, Athena's workgroup and Redshift."""

import json
import tarfile

import pytest
import sqlglot

from infra.config import load_stage
from infra.packaging import REPOSITORY
from voxlake.cli.train import Model
from voxlake.warehouse.questions import QUESTIONS


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
    archives = []
    for path in full.folder.glob("asset.*.tar.gz"):
        with tarfile.open(path) as packed:
            archives.append(packed.getmembers())
    # The other archive is the training code.
    (members,) = (a for a in archives if "code/inference.py" in {member.name for member in a})
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
    named = [
        group["Properties"]["LogGroupName"]
        for group in full.resources("ml", "AWS::Logs::LogGroup").values()
        if "LogGroupName" in group["Properties"]
    ]
    assert sorted(named) == ["/aws/sagemaker/TrainingJobs", "/aws/sagemaker/TransformJobs"]


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


@pytest.mark.parametrize("name", [*(q.name for q in QUESTIONS), "QuarantineReasons"])
def test_saved_queries_name_columns_that_exist(full, name):
    from sqlglot.optimizer.qualify import qualify

    from infra.constructs.views import ANALYST_VIEWS, VIEWS
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
    for view in ANALYST_VIEWS:
        schema["voxlake_analytics"][view.name] = dict(view.columns)
    # Raises where a column or table is unknown.
    qualify(sqlglot.parse_one(query["QueryString"], read="athena"), schema=schema)


def test_redshift_is_private_encrypted_small_and_only_where_the_stage_says_so(assembly):
    types = {r["Type"] for r in assembly.resources("warehouse").values()}
    assert ("AWS::RedshiftServerless::Workgroup" in types) is (assembly.stage == "full")
    if assembly.stage != "full":
        return
    workgroup = assembly.only("warehouse", "AWS::RedshiftServerless::Workgroup")
    assert workgroup["PubliclyAccessible"] is False
    assert (workgroup["BaseCapacity"], workgroup["MaxCapacity"]) == (8, 8)
    assert len(workgroup["SubnetIds"]) == 3
    namespace = assembly.only("warehouse", "AWS::RedshiftServerless::Namespace")
    assert namespace["ManageAdminPassword"] is True
    assert "AdminUserPassword" not in namespace
    for name in ("KmsKeyId", "AdminPasswordSecretKmsKeyId"):
        assert "LakeKey" in json.dumps(namespace[name])
    group = assembly.only("warehouse", "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group
    assert [rule["CidrIp"] for rule in group["SecurityGroupEgress"]] == ["127.0.0.1/32"]
    zones = [s["Properties"]["AvailabilityZone"] for s in
             assembly.resources("warehouse", "AWS::EC2::Subnet").values()]  # fmt: skip
    assert zones == [{"Fn::Select": [number, {"Fn::GetAZs": ""}]} for number in range(3)]


def test_analysts_sign_in_to_the_database_role_that_the_migrations_make(full):
    (analyst,) = (
        role["Properties"]
        for role in full.resources("warehouse", "AWS::IAM::Role").values()
        if any(t["Key"] == "RedshiftDbRoles" for t in role["Properties"].get("Tags", []))
    )
    (tag,) = (tag for tag in analyst["Tags"] if tag["Key"] == "RedshiftDbRoles")
    script = (REPOSITORY / "warehouse" / "migrations" / "0003_analysts.sql").read_text()
    assert f"CREATE ROLE {tag['Value']};" in script


def test_the_loader_brings_the_migrations(full):
    (folder,) = (path.parent for path in full.folder.glob("asset.*/warehouse"))
    shipped = sorted(path.name for path in (folder / "warehouse" / "migrations").iterdir())
    assert shipped == sorted(p.name for p in (REPOSITORY / "warehouse" / "migrations").iterdir())


def test_the_batch_path_ends_with_the_load_where_there_is_redshift(assembly):
    machine = assembly.only("processing", "AWS::StepFunctions::StateMachine")
    text = json.dumps(machine["DefinitionString"])
    assert ("LoadWarehouse" in text) is (assembly.stage == "full")
