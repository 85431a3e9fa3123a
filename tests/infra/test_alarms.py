"""Topic, alarms, rules, log filters and queries."""

import json
from dataclasses import replace

import pytest

from infra.app import build_stacks, make_app
from infra.config import AlarmConfig, load_stage
from infra.errors import ConfigError

ALARMS = {
    "PipelineConsumerErrors",
    "PipelineIteratorAge",
    "PipelineFailedBatches",
    "PipelineFailedRuns",
    "PipelineUnaccountedEvents",
    "PipelineNoData",
    "PipelineUnusualVolume",
    "PipelineQuarantineRate",
    "PipelineScoreDrift",
    "LoggedErrorsMockServerAlarm",
    "LoggedErrorsStreamConsumerAlarm",
    "LoggedErrorsSourceYoutubeAlarm",
    "LoggedErrorsSourceXAlarm",
    "SourcesSourceYoutubeKey",
    "SourcesSourceXKey",
    "LoggedErrorsBatchPlannerAlarm",
    "LoggedErrorsReconcilerAlarm",
    "LoggedErrorsModelGateAlarm",
    "LoggedErrorsTextEnricherAlarm",
    "StreamPathEnricherErrors",
    "StreamPathEnricherIteratorAge",
}


API_ALARMS = {"HttpApiServerErrors", "HttpApiLatency", "LoggedErrorsWebApiAlarm"}
REPLIES_ALARMS = {
    "RepliesDeadReplies",
    "RepliesOldestReply",
    "RepliesReplyKey",
    "LoggedErrorsReplySenderAlarm",
}


def test_every_alarm_tells_the_topic_and_says_what_to_do(assembly):
    alarms = assembly.resources("alarms", "AWS::CloudWatch::Alarm")
    (topic,) = assembly.resources("alarms", "AWS::SNS::Topic")
    of_api = API_ALARMS if "api" in assembly.stacks else set()
    of_replies = REPLIES_ALARMS if load_stage(assembly.stage).replies.enabled else set()
    of_trackers = {
        "Tracker" + "".join(part.title() for part in tracker.split("_")) + watched
        for tracker in load_stage(assembly.stage).alarms.trackers
        for watched in ("Mood", "Volume")
    }
    has_redshift = load_stage(assembly.stage).warehouse.redshift_enabled
    of_warehouse = {"LoggedErrorsWarehouseLoaderAlarm"} if has_redshift else set()
    expected = ALARMS | of_api | of_replies | of_trackers | of_warehouse
    assert {name[:-8] for name in alarms} == expected
    for alarm in alarms.values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": topic}]
        # 1024 is CloudWatch's limit.
        assert 20 < len(alarm["Properties"]["AlarmDescription"]) <= 1024


def test_trackers_are_judged_by_a_band_where_there_are_enough_texts(full):
    alarm = _alarm(full, "TrackerAuroraAirMood")
    assert {name: alarm.get(name) for name in ("OKActions", "DatapointsToAlarm")} == {
        # The end of a bad hour is no news: one message a jump.
        "OKActions": None,
        "DatapointsToAlarm": 3,
    }
    assert "Aurora Air (tracker aurora_air)" in alarm["AlarmDescription"]
    assert "WHERE tracker = 'aurora_air'" in alarm["AlarmDescription"]
    expressions = [m["Expression"] for m in alarm["Metrics"] if "Expression" in m]
    assert expressions == ["ANOMALY_DETECTION_BAND(m0, 4)", "IF(texts >= 20, negative)"]
    watched = [m["MetricStat"] for m in alarm["Metrics"] if "MetricStat" in m]
    dimensions = [
        {"Name": "service", "Value": "text_enricher"},
        {"Name": "tracker", "Value": "aurora_air"},
    ]
    metric = {"Namespace": "voxlake", "MetricName": "NegativeTexts", "Dimensions": dimensions}
    assert watched == [
        {"Metric": metric, "Period": 900, "Stat": stat} for stat in ("SampleCount", "Average")
    ]


def test_only_trackers_of_the_file_can_be_watched():
    with pytest.raises(ConfigError, match="trackers has 'nobody'"):
        AlarmConfig(trackers=("nobody",))


def test_the_topic_is_encrypted_and_tls_only(assembly):
    topic = assembly.only("alarms", "AWS::SNS::Topic")
    assert "LakeKey" in json.dumps(topic["KmsMasterKeyId"])
    policy = assembly.only("alarms", "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    denied = [s for s in policy if s["Effect"] == "Deny"]
    assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    publishers = {s["Principal"]["Service"] for s in policy if s["Effect"] == "Allow"}
    assert publishers == {"cloudwatch.amazonaws.com", "events.amazonaws.com"}


@pytest.mark.parametrize(
    ("alarm", "expected"),
    [
        (
            "PipelineIteratorAge",
            {"Threshold": 15 * 60_000, "Statistic": "Maximum", "TreatMissingData": "notBreaching"},
        ),
        (
            "PipelineUnaccountedEvents",
            {
                "Namespace": "voxlake",
                "MetricName": "UnaccountedEvents",
                "Dimensions": [{"Name": "service", "Value": "reconciler"}],
                "Threshold": 1,
                "Period": 3600,
                "Statistic": "Maximum",
            },
        ),
        (
            "PipelineNoData",
            {
                "ComparisonOperator": "LessThanThreshold",
                "Threshold": 1,
                "Period": 3600,
                "TreatMissingData": "missing",
            },
        ),
    ],
)
def test_alarms_watch_what_their_names_say(full, alarm, expected):
    properties = _alarm(full, alarm)
    assert {name: properties.get(name) for name in expected} == expected


def test_silence_rings_but_a_stream_that_never_had_records_does_not(full):
    # New alarms are in INSUFFICIENT_DATA: without data they stay there, and staying tells nobody.
    alarm = _alarm(full, "PipelineNoData")
    assert alarm["InsufficientDataActions"] == alarm["AlarmActions"] != []


def test_the_quarantine_rate_is_a_share_of_what_was_received(full):
    metrics = {m["Id"]: m for m in _alarm(full, "PipelineQuarantineRate")["Metrics"]}
    (expression,) = (m["Expression"] for m in metrics.values() if "Expression" in m)
    assert expression == "IF(received > 0, 100 * quarantined / received, 0)"
    names = {
        id_: metric["MetricStat"]["Metric"]["MetricName"]
        for id_, metric in metrics.items()
        if "MetricStat" in metric
    }
    assert names == {"received": "RecordsReceived", "quarantined": "RecordsQuarantined"}


def test_failed_batches_count_what_was_kept_and_what_was_dropped(full):
    metrics = _alarm(full, "PipelineFailedBatches")["Metrics"]
    names = {m["MetricStat"]["Metric"]["MetricName"] for m in metrics if "MetricStat" in m}
    assert names == {"OnFailureDestinationDeliveredEventCount", "DroppedEventCount"}


def test_unusual_volume_is_judged_by_a_band(full):
    alarm = _alarm(full, "PipelineUnusualVolume")
    assert alarm["ComparisonOperator"] == "LessThanLowerOrGreaterThanUpperThreshold"
    (band,) = (m["Expression"] for m in alarm["Metrics"] if "Expression" in m)
    assert band.startswith("ANOMALY_DETECTION_BAND(")


def test_failed_jobs_transforms_and_runs_are_told_at_once(full):
    rules = full.resources("alarms", "AWS::Events::Rule").values()
    patterns = {
        rule["Properties"]["EventPattern"]["source"][0]: rule["Properties"]["EventPattern"]
        for rule in rules
    }
    assert set(patterns) == {"aws.glue", "aws.sagemaker", "aws.states"}
    assert patterns["aws.glue"]["detail"]["state"] == ["FAILED", "TIMEOUT"]
    assert len(patterns["aws.glue"]["detail"]["jobName"]) == 4
    assert patterns["aws.sagemaker"]["detail"]["TransformJobStatus"] == ["Failed"]
    assert patterns["aws.states"]["detail"]["status"] == ["FAILED", "TIMED_OUT", "ABORTED"]


def test_error_lines_of_every_function_are_counted(full):
    filters = full.resources("alarms", "AWS::Logs::MetricFilter").values()
    assert {f["Properties"]["MetricTransformations"][0]["MetricName"] for f in filters} == {
        "MockServerLoggedErrors",
        "StreamConsumerLoggedErrors",
        "SourceYoutubeLoggedErrors",
        "SourceXLoggedErrors",
        "BatchPlannerLoggedErrors",
        "ReconcilerLoggedErrors",
        "ModelGateLoggedErrors",
        "TextEnricherLoggedErrors",
        "WebApiLoggedErrors",
        "ReplySenderLoggedErrors",
        "WarehouseLoaderLoggedErrors",
    }


def test_log_queries_are_saved_under_the_stacks_name(full):
    queries = full.resources("alarms", "AWS::Logs::QueryDefinition").values()
    assert {q["Properties"]["Name"] for q in queries} == {
        "voxlake-full-alarms/Errors",
        "voxlake-full-alarms/SlowInvocations",
        "voxlake-full-alarms/FailedStates",
    }


def test_addresses_of_the_configuration_are_subscribed(tmp_path):
    config = load_stage("dev")
    config = replace(
        config,
        alarms=replace(config.alarms, emails=("ops@example.com",), phones=("+15550100",)),
    )
    app = make_app(stage="dev", out=tmp_path / "cdk.out", bundle=False)
    build_stacks(app, config, tmp_path / "staging")
    app.synth()
    template = json.loads((tmp_path / "cdk.out/voxlake-dev-alarms.template.json").read_text())
    subscribed = {
        (r["Properties"]["Protocol"], r["Properties"]["Endpoint"])
        for r in template["Resources"].values()
        if r["Type"] == "AWS::SNS::Subscription"
    }
    assert subscribed == {("email", "ops@example.com"), ("sms", "+15550100")}


def _alarm(assembly, name):
    (alarm,) = (
        alarm["Properties"]
        for key, alarm in assembly.resources("alarms", "AWS::CloudWatch::Alarm").items()
        if key[:-8] == name
    )
    return alarm
