"""Stream, functions, mapping."""

import pytest


def test_the_stream_scales_by_itself_is_encrypted_and_keeps_what_the_stage_says(assembly):
    stream = assembly.only("ingest", "AWS::Kinesis::Stream")
    assert stream["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert stream["StreamEncryption"]["EncryptionType"] == "KMS"
    assert "ImportValue" in str(stream["StreamEncryption"]["KeyId"])
    assert stream["RetentionPeriodHours"] == {"dev": 24, "prod": 168, "full": 48}[assembly.stage]


def test_the_mapping_isolates_poison_and_loses_nothing(assembly):
    mapping = assembly.only("ingest", "AWS::Lambda::EventSourceMapping")
    (stream,) = assembly.resources("ingest", "AWS::Kinesis::Stream")
    settings = {
        name: value
        for name, value in mapping.items()
        if name not in ("DestinationConfig", "FunctionName")
    }
    assert settings == {
        "BatchSize": 1000,
        "BisectBatchOnFunctionError": True,
        "EventSourceArn": {"Fn::GetAtt": [stream, "Arn"]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
        "MaximumBatchingWindowInSeconds": {"dev": 10, "prod": 10, "full": 1}[assembly.stage],
        "MaximumRecordAgeInSeconds": {"dev": 21600, "prod": 432000, "full": 21600}[assembly.stage],
        "MaximumRetryAttempts": 10,
        "MetricsConfig": {"Metrics": ["EventCount"]},
        "ParallelizationFactor": 1,
        "StartingPosition": "TRIM_HORIZON",
    }
    assert "ZonesLanding" in str(mapping["DestinationConfig"]["OnFailure"]["Destination"])
    stream_seconds = 3600 * assembly.only("ingest", "AWS::Kinesis::Stream")["RetentionPeriodHours"]
    assert mapping["MaximumRecordAgeInSeconds"] < stream_seconds


@pytest.mark.parametrize("stack", ["ingest", "sources", "processing"])
def test_functions_run_python_3_12_on_arm64_and_log_to_their_own_group(assembly, stack):
    functions = assembly.resources(stack, "AWS::Lambda::Function")
    assert len(functions) == 2
    for function in functions.values():
        properties = function["Properties"]
        assert properties["Runtime"] == "python3.12"
        assert properties["Architectures"] == ["arm64"]
        assert properties["Handler"] == (f"lambdas.{_service(properties)}.handler.handler")
        assert properties["LoggingConfig"]["LogGroup"]["Ref"] in assembly.resources(
            stack, "AWS::Logs::LogGroup"
        )
        (layer,) = properties["Layers"]
        assert layer["Ref"] in assembly.resources(stack, "AWS::Lambda::LayerVersion")


@pytest.mark.parametrize(
    ("stack", "service", "variables"),
    [
        ("ingest", "mock_server", {"EVENT_STREAM", "EVENTS_PER_TICK", "SEED"}),
        (
            "ingest",
            "stream_consumer",
            {"LANDING_BUCKET", "LEDGER_TABLE", "MAX_EVENT_FUTURE_HOURS"},
        ),
        (
            "processing",
            "batch_planner",
            {
                "LEDGER_TABLE",
                "ARTIFACTS_BUCKET",
                "CLEANSED_DATABASE",
                "ANALYTICS_DATABASE",
                "TICKETS_TABLE",
            },
        ),
        (
            "processing",
            "reconciler",
            {
                "LEDGER_TABLE",
                "LANDING_BUCKET",
                "EVENT_STREAM",
                "CLEANSED_DATABASE",
                "ANALYTICS_DATABASE",
                "ATHENA_WORKGROUP",
                "SCHEDULE_MINUTES",
                "LANDING_RETENTION_DAYS",
            },
        ),
    ],
)
def test_functions_get_the_environment_their_settings_name(full, stack, service, variables):
    (environment,) = (
        function["Properties"]["Environment"]["Variables"]
        for function in full.resources(stack, "AWS::Lambda::Function").values()
        if _service(function["Properties"]) == service
    )
    shared = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "LOG_LEVEL"}
    assert set(environment) == variables | shared
    assert environment["POWERTOOLS_METRICS_NAMESPACE"] == "voxlake"


def test_a_function_ships_its_own_folder_and_the_domain_without_the_command_line(full):
    assets = [path for path in full.folder.glob("asset.*") if (path / "lambdas").is_dir()]
    shipped = {
        path.name: asset
        for asset in assets
        for path in (asset / "lambdas").iterdir()
        if path.is_dir() and path.name != "common"
    }
    assert set(shipped) == {
        "mock_server",
        "stream_consumer",
        "source_youtube",
        "source_x",
        "batch_planner",
        "reconciler",
        "text_enricher",
        "reply_sender",
        "web_api",
        "warehouse_loader",
        "model_gate",
    }
    for name, asset in shipped.items():
        folders = {path.name for path in (asset / "lambdas").iterdir() if path.is_dir()}
        assert folders == {name, "common"}
        assert (asset / "voxlake" / "errors.py").is_file()
        assert not (asset / "voxlake" / "cli").exists()
        assert not list(asset.rglob("__pycache__"))


def test_the_mock_server_runs_every_minute_where_the_stage_says_so(assembly):
    rule = assembly.only("ingest", "AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert rule["State"] == ("DISABLED" if assembly.stage == "prod" else "ENABLED")


def _service(properties):
    return properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]
