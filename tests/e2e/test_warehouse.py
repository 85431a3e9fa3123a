"""The warehouse as deployed: the template's two stacks, their roles, the loader's own process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infra.app import make_app
from infra.config import load_stage
from infra.stacks.storage import StorageStack
from infra.stacks.warehouse import WarehouseStack
from localcloud import server
from tests.unit.lambdas.warehouse_kit import SmallLake
from voxlake.cli import load, query, redshift
from voxlake.cli.load import LoadError
from voxlake.cli.target import NotDeployedError, Target

DT = "2026-03-02"
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The storage and warehouse stacks, deployed to a laptop cloud in this process."""
    home = tmp_path_factory.mktemp("warehouse")
    patch = pytest.MonkeyPatch()
    patch.setenv("VOXLAKE_HOME", str(home))
    patch.setenv("CDK_VALIDATION", "false")
    app = make_app(stage="full", out=home / "cdk.out", bundle=False)
    config = load_stage("full")
    storage = StorageStack(app, config=config)
    WarehouseStack(app, config=config, storage=storage, staging=home / "staging")
    assembly = app.synth().directory
    with server.start(home / "cloud") as cloud:
        keys = cloud.root_environment()
        settings = {
            "endpoint": cloud.endpoint,
            "region": cloud.region,
            "access_key_id": keys["AWS_ACCESS_KEY_ID"],
            "secret_access_key": keys["AWS_SECRET_ACCESS_KEY"],
        }
        (home / "cloud" / "localcloud.json").write_text(json.dumps(settings))
        cloud.services["cloudformation"].deploy(Path(assembly))
        found = Target()
        stacks = found.client("cloudformation").describe_stacks()["Stacks"]
        outputs = [output for stack in stacks for output in stack.get("Outputs", [])]
        found.__dict__["outputs"] = {o["OutputKey"]: o["OutputValue"] for o in outputs}
        yield found
    patch.undo()


@pytest.fixture(scope="module")
def lake(target: Target, tmp_path_factory: pytest.TempPathFactory) -> SmallLake:
    return SmallLake(
        target.client,
        tmp_path_factory.mktemp("files"),
        ledger=target.output("LedgerTable"),
        buckets={z: target.output(f"{z.title()}Bucket") for z in ("cleansed", "analytics")},
        has_catalog=False,
    )


def interaction(name: str) -> dict[str, Any]:
    return {
        "event_id": name,
        "schema_version": 1,
        "source": "x",
        "occurred_at": AT,
        "author_id": f"k1_{name}",
        "kind": "like",
        "arrival": AT,
        "shard": "shard-0",
        "sequence": "1",
    }


def test_the_deployed_loader_loads_with_its_own_rights_and_analysts_read_with_theirs(target, lake):
    lake.publish("interactions", DT, [interaction("i1"), interaction("i2")])
    first = load.follow(target)
    assert first["migrations"] == ["star", "marts", "analysts"]
    assert first["tables"]["interactions"] == {"days": 1, "rows": 2}
    again = load.follow(target)
    assert again["migrations"] == []
    assert again["tables"]["interactions"] == {"days": 0, "rows": 0}
    found = redshift.ask(
        target, "SELECT event_id, dt, COUNT(*) OVER () AS n FROM star.fact_interactions ORDER BY 1"
    )
    assert found.dicts() == [
        {"event_id": "i1", "dt": DT, "n": 2},
        {"event_id": "i2", "dt": DT, "n": 2},
    ]
    assert found.types == ["varchar", "date", "int8"]


REFUSED = [
    ("DELETE FROM star.fact_interactions", "permission denied for relation fact_interactions"),
    ("INSERT INTO star.dim_source VALUES ('a', 'b')", "permission denied for relation dim_source"),
    ("UPDATE star.dim_source SET meaning = ''", "permission denied for relation dim_source"),
    ("DROP TABLE star.fact_texts", "must be owner of relation fact_texts"),
    ("CREATE TABLE public.mine (a INT)", "permission denied for schema public"),
    ("CREATE TABLE star.mine (a INT)", "permission denied for schema star"),
    ("GRANT SELECT ON star.fact_texts TO PUBLIC", "permission denied for relation star.fact_texts"),
    ("CREATE ROLE mine", "permission denied to create role"),
]


@pytest.mark.parametrize(("sql", "words"), REFUSED, ids=[sql[:30] for sql, _ in REFUSED])
def test_an_analyst_writes_nothing(target, lake, sql, words):
    load.follow(target)
    with pytest.raises(query.QueryError, match=words):
        redshift.ask(target, sql)


def test_the_lake_cannot_be_read_through_the_role_that_copy_uses(target, lake):
    load.follow(target)
    role = target.client("redshift-serverless").get_namespace(
        namespaceName=target.output("RedshiftWorkgroup")
    )["namespace"]["iamRoles"][0]
    with pytest.raises(query.QueryError, match="ASSUMEROLE"):
        redshift.ask(
            target,
            f"UNLOAD ('SELECT 1') TO 's3://{lake.buckets['analytics']}/out/' IAM_ROLE '{role}' "
            "FORMAT AS PARQUET",
        )


def test_an_analyst_is_no_loader_and_sees_no_secret(target):
    role = target.output("WarehouseAnalystRoleArn")
    namespace = target.client("redshift-serverless").get_namespace(
        namespaceName=target.output("RedshiftWorkgroup")
    )["namespace"]
    with pytest.raises(ClientError) as refused:
        target.client("redshift-data", role=role).execute_statement(
            Sql="SELECT 1",
            WorkgroupName=target.output("RedshiftWorkgroup"),
            Database=target.output("RedshiftDatabase"),
            SecretArn=namespace["adminPasswordSecretArn"],
        )
    assert "secretsmanager:GetSecretValue" in str(refused.value)


def test_the_loader_holds_the_workgroup_to_its_hours_a_day(target, lake):
    load.follow(target)
    limits = target.client("redshift-serverless").list_usage_limits()["usageLimits"]
    kept = [(one["period"], one["amount"], one["breachAction"]) for one in limits]
    assert kept == [("daily", 16, "deactivate")]


def test_a_truncated_file_fails_the_load_in_one_clear_line_and_changes_nothing(target, lake):
    lake.publish("interactions", DT, [interaction("i1"), interaction("i2")])
    load.follow(target)
    item = lake.publish("interactions", DT, [interaction("i3")])
    bucket, _, prefix = item["location"].removeprefix("s3://").partition("/")
    s3, key = target.client("s3"), prefix + "part-0.parquet"
    whole = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    s3.put_object(Bucket=bucket, Key=key, Body=whole[:-20])
    with pytest.raises(LoadError, match=r"expected 1 files of .* as the ledger says, found 1 of"):
        load.follow(target)
    # The ledger says so too: then it is Redshift that finds out.
    lake.put(item | {"bytes": len(whole) - 20})
    with pytest.raises(LoadError, match="Spectrum Scan Error"):
        load.follow(target)
    assert redshift.ask(target, "SELECT COUNT(*) FROM star.fact_interactions").rows == [[2]]
    s3.put_object(Bucket=bucket, Key=key, Body=whole)
    lake.put(item)
    assert load.follow(target)["tables"]["interactions"] == {"days": 1, "rows": 1}


def test_a_stage_without_redshift_says_so():
    target = Target()
    target.__dict__["outputs"] = {}
    for ask in (lambda: redshift.ask(target, "SELECT 1"), lambda: load.follow(target)):
        with pytest.raises(NotDeployedError, match="redshift_enabled"):
            ask()
