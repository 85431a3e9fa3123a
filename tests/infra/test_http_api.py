"""The HTTP API: who may call what, how often, what its function may do, and its alarms."""

import json
from dataclasses import replace

import pytest

from infra.config import ApiConfig, StreamPathConfig, load_stage
from infra.errors import ConfigError

PUBLIC = {
    "GET /v1/tickets/{ticket_id}",
    "GET /v1/openapi.json",
    "GET /v1/docs",
    "GET /v1/docs/{name}",
}


def routes(full):
    found = full.resources("api", "AWS::ApiGatewayV2::Route").values()
    return {route["Properties"]["RouteKey"]: route["Properties"] for route in found}


def test_every_route_but_the_public_ones_takes_a_token(full):
    found = routes(full)
    assert set(found) == {*PUBLIC, "ANY /v1/{proxy+}"}
    (authorizer,) = full.resources("api", "AWS::ApiGatewayV2::Authorizer")
    for key, route in found.items():
        if key in PUBLIC:
            assert route["AuthorizationType"] == "NONE", key
        else:
            assert (route["AuthorizationType"], route["AuthorizerId"]) == (
                "JWT",
                {"Ref": authorizer},
            ), key


def test_tokens_are_those_of_the_configured_issuer_and_audience(full):
    assert full.only("api", "AWS::ApiGatewayV2::Authorizer") == {
        "ApiId": full.only("api", "AWS::ApiGatewayV2::Stage")["ApiId"],
        "AuthorizerType": "JWT",
        "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": {"Issuer": "https://issuer.example.com/", "Audience": ["voxlake"]},
        "Name": "Tokens",
    }


def test_the_default_stage_is_throttled_and_logs_calls_without_people(full):
    stage = full.only("api", "AWS::ApiGatewayV2::Stage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert stage["DefaultRouteSettings"] == {"ThrottlingBurstLimit": 100, "ThrottlingRateLimit": 50}
    (group,) = (
        name for name in full.resources("api", "AWS::Logs::LogGroup") if "AccessLog" in name
    )
    settings = stage["AccessLogSettings"]
    assert settings["DestinationArn"] == {"Fn::GetAtt": [group, "Arn"]}
    logged = set(json.loads(settings["Format"]).values())
    assert {"$context.routeKey", "$context.status", "$context.requestId"} <= logged
    assert not [name for name in logged if "identity" in name or "claims" in name]


def test_the_gateway_alone_may_call_the_function_and_by_its_routes(full):
    found = full.resources("api", "AWS::Lambda::Permission").values()
    permissions = [permission["Properties"] for permission in found]
    assert {one["Principal"] for one in permissions} == {"apigateway.amazonaws.com"}
    sources = {json.dumps(one["SourceArn"]).rsplit('"', 2)[1] for one in permissions}
    assert sources == {f"/*/*{key.partition(' ')[2]}" for key in routes(full)}


def test_the_function_brings_the_encoder_and_shares_the_enrichers_layers(full):
    function = full.only("api", "AWS::Lambda::Function")
    assert function["Handler"] == "lambdas.web_api.handler.handler"
    assert len(function["Layers"]) == 2
    assert function["Timeout"] < 30  # the gateway waits no longer
    folder = full.folder / f"asset.{function['Code']['S3Key'].removesuffix('.zip')}"
    assert (folder / "models/encoder/model.onnx").is_file()
    assert not (folder / "models/complaint_reason").exists()
    assert not (folder / "lambdas/text_enricher").exists()


def test_it_reads_lists_changes_tickets_and_asks_for_videos_only(full):
    (policy,) = full.resources("api", "AWS::IAM::Policy").values()
    granted = {}
    for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
        actions, resources = statement["Action"], statement["Resource"]
        for action in actions if isinstance(actions, list) else [actions]:
            named = resources if isinstance(resources, list) else [resources]
            granted.setdefault(action, []).extend(json.dumps(one) for one in named)
    indexes = {resource.rsplit("/", 1)[1].split('"')[0] for resource in granted["dynamodb:Query"]}
    assert indexes == {"by_tracker", "by_thread", "by_state", "by_queue"}
    for action in ("dynamodb:GetItem", "dynamodb:UpdateItem"):
        followed, tickets = sorted(granted[action])
        assert "FollowedTable" in followed
        assert "TicketsTable" in tickets
    assert "SourceYoutube" in "".join(granted["lambda:InvokeFunction"])
    assert granted["cloudwatch:GetMetricStatistics"] == ['"*"']
    assert "BatchPath" in "".join(granted["states:ListExecutions"])
    assert "RepliesOutbox" in "".join(granted["sqs:SendMessage"])
    assert {action for action in granted if action.startswith("dynamodb:")} == {
        "dynamodb:Query",
        "dynamodb:GetItem",
        "dynamodb:UpdateItem",
    }


def test_its_alarms_watch_the_share_of_errors_and_the_slowest_hundredth(full):
    alarms = {
        name[:-8]: alarm["Properties"]
        for name, alarm in full.resources("alarms", "AWS::CloudWatch::Alarm").items()
        if name.startswith("HttpApi")
    }
    assert set(alarms) == {"HttpApiServerErrors", "HttpApiLatency"}
    metrics = {
        metric["Id"]: metric["MetricStat"]["Metric"]["MetricName"]
        for metric in alarms["HttpApiServerErrors"]["Metrics"]
        if "MetricStat" in metric
    }
    assert metrics == {"errors": "5xx", "calls": "Count"}
    latency = alarms["HttpApiLatency"]
    assert (latency["MetricName"], latency["ExtendedStatistic"]) == ("Latency", "p99")
    assert latency["Threshold"] == 5000


def test_a_stage_without_an_issuer_has_no_api(assemble):
    for stage in ("dev", "prod"):
        assert not load_stage(stage).api.enabled
        assert not list(assemble(stage).folder.glob("*-api.template.json"))
        assert "HttpApi" not in json.dumps(assemble(stage).template("alarms"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"jwt_issuer": "http://issuer.example.com"}, "jwt_issuer is 'http://issuer.example.com'"),
        ({"jwt_issuer": "https://a.example/"}, "number of jwt_audience is 0: expected 1 to 50"),
        ({"timeout_seconds": 30}, "timeout_seconds is 30: expected 3 to 29"),
        ({"requests_per_second": 0}, "requests_per_second is 0: expected 1 to 10000"),
    ],
)
def test_a_wrong_setting_is_refused_with_name_value_and_limit(settings, message):
    with pytest.raises(ConfigError, match=message):
        ApiConfig(**settings)


def test_the_api_needs_the_stream_path():
    with pytest.raises(ConfigError, match=r"stream_path\.enabled is False"):
        replace(load_stage("full"), stream_path=StreamPathConfig(enabled=False))
