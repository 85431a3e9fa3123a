"""Catalog, jobs, crawler, state machine."""

import base64
import json
import re
from dataclasses import replace

import pytest
import sqlglot

from infra.app import build_stacks, make_app
from infra.config import StreamPathConfig, load_stage
from infra.constructs.views import ANALYST_VIEWS
from infra.packaging import REPOSITORY
from voxlake.tables import TABLES, glue_columns, glue_partition_keys

VIEWS = {
    "posts_current": ("posts", "source, post_id"),
    "comments_current": ("comments", "source, comment_id"),
    "profiles_current": ("profiles", "source, author_id"),
    "texts_current": ("texts_scored", "source, event_type, native_id"),
}


def test_databases_have_the_names_that_analysts_write(assembly):
    databases = assembly.resources("processing", "AWS::Glue::Database").values()
    assert {d["Properties"]["DatabaseInput"]["Name"] for d in databases} == {
        "voxlake_landing",
        "voxlake_cleansed",
        "voxlake_analytics",
    }


def test_tables_and_comments_come_from_the_domain(full):
    tables = {
        t["Properties"]["TableInput"]["Name"]: t["Properties"]
        for t in full.resources("processing", "AWS::Glue::Table").values()
        if t["Properties"]["TableInput"]["TableType"] == "EXTERNAL_TABLE"
    }
    assert set(tables) == set(TABLES)
    for name, properties in tables.items():
        table, table_input = TABLES[name], properties["TableInput"]
        assert properties["DatabaseName"] == f"voxlake_{table.zone}"
        assert table_input["Description"] == table.row
        assert table_input["StorageDescriptor"]["Columns"] == glue_columns(table)
        assert table_input["PartitionKeys"] == glue_partition_keys(table)
        location = json.dumps(table_input["StorageDescriptor"]["Location"])
        assert f"Zones{table.zone.title()}" in location
        assert f'"/{name}/"' in location
        for column in glue_columns(table):
            assert 0 < len(column["Comment"]) <= 255


def test_views_are_stored_as_athena_stores_them(full):
    views = {
        t["Properties"]["TableInput"]["Name"]: t["Properties"]
        for t in full.resources("processing", "AWS::Glue::Table").values()
        if t["Properties"]["TableInput"]["TableType"] == "VIRTUAL_VIEW"
    }
    assert set(views) == {*VIEWS, *(view.name for view in ANALYST_VIEWS)}
    for view in ANALYST_VIEWS:
        stored = views[view.name]["TableInput"]["StorageDescriptor"]["Columns"]
        assert tuple((column["Name"], column["Type"]) for column in stored) == view.columns
        named = sqlglot.parse_one(view.sql(load_stage("full")), read="athena").named_selects
        assert named == [name for name, _ in view.columns]
    for name, (source, identity) in VIEWS.items():
        properties = views[name]
        table_input = properties["TableInput"]
        assert table_input["Parameters"] == {"presto_view": "true", "comment": "Presto View"}
        assert table_input["ViewExpandedText"] == "/* Presto View */"
        encoded = re.fullmatch(r"/\* Presto View: (\S+) \*/", table_input["ViewOriginalText"])
        view = json.loads(base64.b64decode(encoded[1]))
        assert view["catalog"] == "awsdatacatalog"
        assert view["schema"] == properties["DatabaseName"]
        expected = [*TABLES[source].column_names, "dt"]
        assert [column["name"] for column in view["columns"]] == expected
        assert [c["Name"] for c in table_input["StorageDescriptor"]["Columns"]] == expected
        parsed = sqlglot.parse_one(view["originalSql"], read="athena")
        assert parsed.named_selects == expected
        assert f"PARTITION BY {identity} ORDER BY occurred_at DESC" in view["originalSql"]
        assert f"FROM voxlake_{TABLES[source].zone}.{source})" in view["originalSql"]


def test_the_crawler_sees_new_folders_only_and_never_quarantine_or_failed_batches(full):
    crawler = full.only("processing", "AWS::Glue::Crawler")
    assert crawler["RecrawlPolicy"] == {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}
    # The only policy Glue takes together with it.
    assert crawler["SchemaChangePolicy"] == {"DeleteBehavior": "LOG", "UpdateBehavior": "LOG"}
    (target,) = crawler["Targets"]["S3Targets"]
    assert target["Exclusions"] == ["quarantine/**", "failed-batches/**", "aws/**"]
    assert crawler["Schedule"] == {"ScheduleExpression": "cron(30 2 * * ? *)"}
    assert crawler["DatabaseName"] == "voxlake_landing"
    assert json.loads(crawler["Configuration"])["Grouping"] == {"TableLevelConfiguration": 2}


@pytest.mark.parametrize(
    "script",
    [
        "landing_to_cleansed",
        "cleansed_to_features",
        "scores_to_analytics",
        "tickets_to_analytics",
    ],
)
def test_jobs_run_the_repositorys_scripts_on_glue_5_with_auto_scaling(full, script):
    name = script.title().replace("_", "")
    (job,) = (
        r["Properties"]
        for key, r in full.resources("processing", "AWS::Glue::Job").items()
        if key.startswith(name)
    )
    assert (job["GlueVersion"], job["WorkerType"], job["MaxRetries"]) == ("5.1", "G.1X", 0)
    assert job["ExecutionProperty"]["MaxConcurrentRuns"] >= 2
    assert job["Command"]["Name"] == "glueetl"
    assert job["Command"]["PythonVersion"] == "3"
    published = re.search(r"/([0-9a-f]{64}\.py)", json.dumps(job["Command"]["ScriptLocation"]))
    script_text = (full.folder / f"asset.{published[1]}").read_text()
    assert script_text == (REPOSITORY / "glue_jobs" / f"{script}.py").read_text()
    arguments = job["DefaultArguments"]
    assert arguments["--enable-auto-scaling"] == "true"
    assert arguments["--python-modules-installer-option"] == "--no-index"
    assert json.dumps(arguments["--additional-python-modules"]).endswith('.gluewheels.zip"}')
    assert set(arguments) >= {
        "--ledger_table",
        "--landing_bucket",
        "--cleansed_bucket",
        "--analytics_bucket",
        "--artifacts_bucket",
        "--pseudonym_secret_arn",
        "--database_prefix",
        "--metrics_namespace",
        "--extra-py-files",
        "--TempDir",
    }
    assert "--run_id" not in arguments


def test_the_state_machine_is_the_batch_path(full):
    machine = _definition(full)
    assert machine["StartAt"] == "Plan"
    flow = {
        name: state.get("Next") or state.get("Default") or state["Type"]
        for name, state in machine["States"].items()
    }
    assert flow == {
        "Plan": "AnythingPending",
        "AnythingPending": "LandingToCleansed",
        "NothingPending": "Succeed",
        "LandingToCleansed": "CleansedToFeatures",
        "CleansedToFeatures": "PlanScoring",
        "PlanScoring": "AnythingToScore",
        "AnythingToScore": "Score",
        "Score": "ScoresToAnalytics",
        "ScoresToAnalytics": "TicketsToAnalytics",
        "TicketsToAnalytics": "Reconcile",
        "Reconcile": "LoadWarehouse",
        "LoadWarehouse": "WarehouseLoaded",
        "WarehouseLoaded": "LoadWarehouse",
        "Finished": "Succeed",
    }
    assert machine["States"]["WarehouseLoaded"]["Choices"] == [
        {"Variable": "$.warehouse.done", "BooleanEquals": True, "Next": "Finished"}
    ]


def test_tickets_that_changed_are_taken_in_also_where_no_text_is_pending(full):
    choices = _definition(full)["States"]["AnythingPending"]["Choices"]
    none = [
        {"Variable": f"$.pending_{what}", "NumericEquals": 0}
        for what in ("objects", "texts", "tickets")
    ]
    assert choices == [
        {"And": none, "Next": "NothingPending"},
        {"And": none[:2], "Next": "TicketsToAnalytics"},
    ]


def test_a_stage_without_the_stream_path_has_no_job_for_its_tables(tmp_path):
    config = replace(load_stage("dev"), stream_path=StreamPathConfig(enabled=False))
    app = make_app(stage="dev", out=tmp_path / "cdk.out", bundle=False)
    build_stacks(app, config, tmp_path)
    stack = app.synth().get_stack_by_name("voxlake-dev-processing").template["Resources"].values()
    machine = next(r for r in stack if r["Type"] == "AWS::StepFunctions::StateMachine")
    parts = machine["Properties"]["DefinitionString"]["Fn::Join"][1]
    states = json.loads("".join(p if isinstance(p, str) else "-" for p in parts))["States"]
    assert states["ScoresToAnalytics"]["Next"] == "Reconcile"
    assert "TicketsToAnalytics" not in states
    (choice,) = states["AnythingPending"]["Choices"]
    assert choice["Next"] == "NothingPending"
    assert sum(r["Type"] == "AWS::Glue::Job" for r in stack) == 3
    assert "TICKETS_TABLE" not in json.dumps(list(stack))


def test_the_run_id_survives_every_job(full):
    states = _definition(full)["States"]
    jobs = ("LandingToCleansed", "CleansedToFeatures", "ScoresToAnalytics", "TicketsToAnalytics")
    for name in (*jobs, "Score"):
        # Present and null: left out, the job's answer would take the state's place.
        assert "ResultPath" in states[name]
        assert states[name]["ResultPath"] is None
    run_id = {"--run_id.$": "$.run_id"}
    assert {name: state["Parameters"]["Arguments"] for name, state in states.items()
            if "glue" in state.get("Resource", "")} == {
        "LandingToCleansed": run_id,
        "CleansedToFeatures": {**run_id, "--rescore.$": "$.rescore"},
        "ScoresToAnalytics": run_id,
        "TicketsToAnalytics": run_id,
    }  # fmt: skip


def test_each_attempt_of_the_transform_has_a_name_of_its_own(full):
    score = _definition(full)["States"]["Score"]
    assert score["Parameters"]["TransformJobName.$"] == (
        "States.Format('{}-{}', $.scoring.transform_job_name, $$.State.RetryCount)"
    )
    assert score["Retry"][0]["MaxAttempts"] == 2


def test_the_transform_reads_and_writes_json_lines_with_the_model_that_ml_deploys(full):
    parameters = _definition(full)["States"]["Score"]["Parameters"]
    model = full.only("ml", "AWS::SageMaker::Model")
    assert parameters["ModelName"] == model["ModelName"]
    assert parameters["BatchStrategy"] == "MultiRecord"
    assert parameters["TransformInput"]["SplitType"] == "Line"
    assert parameters["TransformInput"]["ContentType"] == "application/jsonlines"
    assert parameters["TransformOutput"]["AssembleWith"] == "Line"
    assert parameters["TransformOutput"]["Accept"] == "application/jsonlines"
    # A worker for each payload at once, and time for the largest.
    environment = model["PrimaryContainer"]["Environment"]
    workers = int(environment["SAGEMAKER_MODEL_SERVER_WORKERS"])
    assert (parameters["MaxConcurrentTransforms"], parameters["MaxPayloadInMB"]) == (workers, 1)
    assert int(environment["SAGEMAKER_MODEL_SERVER_TIMEOUT"]) >= 600


def test_the_model_is_deployed_before_the_state_machine_that_names_it(full):
    manifest = json.loads((full.folder / "manifest.json").read_text())
    dependencies = manifest["artifacts"]["voxlake-full-processing"]["dependencies"]
    assert "voxlake-full-ml" in dependencies


def test_the_batch_path_starts_every_hour_or_takes_what_airflow_left_waiting(assembly):
    rule = assembly.only("processing", "AWS::Events::Rule")
    (target,) = rule["Targets"]
    by_airflow = load_stage(assembly.stage).orchestrator == "mwaa"
    assert (rule["State"], rule["ScheduleExpression"], json.loads(target["Input"])) == (
        ("ENABLED", "rate(15 minutes)", {"waiting_minutes": 75})
        if by_airflow
        else ("ENABLED", "rate(1 hour)", {})
    )


def _definition(assembly):
    machine = assembly.only("processing", "AWS::StepFunctions::StateMachine")
    parts = machine["DefinitionString"]["Fn::Join"][1]
    return json.loads("".join(p if isinstance(p, str) else "<resolved>" for p in parts))
