"""The HTTP API: routes, who may call them, throttling, access log, and its alarms."""

import json

import jsii
from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_apigatewayv2_authorizers as authorizers
from aws_cdk import aws_apigatewayv2_integrations as integrations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.config import ApiConfig, StageConfig
from infra.constructs.alarm import add_alarm
from infra.constructs.grants import allow, write_with_key
from infra.constructs.log_group import encrypted_log_group
from infra.constructs.python_function import PythonFunction

# What needs no token: a ticket's state, for whoever was told its id, and what the API is.
PUBLIC = (
    "/v1/tickets/{ticket_id}",
    "/v1/openapi.json",
    "/v1/docs",
    "/v1/docs/{name}",
)
# No address and no subject of a token: the log is about calls, not about people.
_LOGGED = {
    "time": "$context.requestTime",
    "request_id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "latency_ms": "$context.responseLatency",
    "integration_ms": "$context.integrationLatency",
    "bytes": "$context.responseLength",
    "error": "$context.error.message",
    "authorizer_error": "$context.authorizer.error",
}


class HttpApi(Construct):
    """One function behind one address; every route but `PUBLIC` takes a token of the issuer."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        function: lambda_.IFunction,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, id)
        settings: ApiConfig = config.api
        assert settings.jwt_issuer is not None
        log_group = encrypted_log_group(
            self, "AccessLog", key=key, retention_days=config.log_retention_days
        )
        self.api = apigatewayv2.HttpApi(
            self,
            "Api",
            api_name=config.stack_name("api"),
            description="The live page and agents",
            create_default_stage=False,
        )
        apigatewayv2.HttpStage(
            self,
            "Stage",
            http_api=self.api,
            stage_name="$default",
            auto_deploy=True,
            throttle=apigatewayv2.ThrottleSettings(
                rate_limit=settings.requests_per_second, burst_limit=settings.burst
            ),
            access_log_settings=_AccessLog(log_group),
        )
        integration = integrations.HttpLambdaIntegration(
            "Integration",
            function,
            payload_format_version=apigatewayv2.PayloadFormatVersion.VERSION_2_0,
        )
        self.api.add_routes(
            path="/v1/{proxy+}",
            methods=[apigatewayv2.HttpMethod.ANY],
            integration=integration,
            authorizer=authorizers.HttpJwtAuthorizer(
                "Tokens", settings.jwt_issuer, jwt_audience=list(settings.jwt_audience)
            ),
        )
        for path in PUBLIC:
            self.api.add_routes(
                path=path, methods=[apigatewayv2.HttpMethod.GET], integration=integration
            )


@jsii.implements(apigatewayv2.IAccessLogSettings)
class _AccessLog:
    """Where the access log goes, one JSON object a call."""

    def __init__(self, log_group: logs.ILogGroup) -> None:
        self._log_group = log_group

    @property
    def destination(self) -> apigatewayv2.IAccessLogDestination:
        return apigatewayv2.LogGroupLogDestination(self._log_group)

    @property
    def format(self) -> apigateway.AccessLogFormat:
        return apigateway.AccessLogFormat.custom(json.dumps(_LOGGED))


def allow_web_api(
    function: PythonFunction,
    *,
    scores: dynamodb.ITable,
    tickets: dynamodb.ITable,
    sources: dynamodb.ITable,
    youtube: lambda_.IFunction,
    state_machine: sfn.IStateMachine,
    key: kms.IKey,
) -> None:
    """What web_api may do: read lists, change tickets, ask for a video."""
    allow(function.role, ["dynamodb:Query"], _indexes(scores, "by_tracker", "by_thread"))
    allow(function.role, ["dynamodb:Query"], _indexes(tickets, "by_state", "by_queue"))
    for table in (tickets, sources):
        allow(function.role, ["dynamodb:GetItem", "dynamodb:UpdateItem"], [table.table_arn])
    allow(function.role, ["lambda:InvokeFunction"], [youtube.function_arn])
    allow(function.role, ["states:ListExecutions"], [state_machine.state_machine_arn])
    allow(function.role, ["cloudwatch:GetMetricStatistics"], ["*"])
    write_with_key(key, function.role)


def _indexes(table: dynamodb.ITable, *names: str) -> list[str]:
    return [f"{table.table_arn}/index/{name}" for name in names]


class HttpApiAlarms(Construct):
    """What whoever calls the API notices."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        topic: sns.ITopic,
        api: apigatewayv2.HttpApi,
        p99_milliseconds: int,
    ) -> None:
        super().__init__(scope, id)
        period = Duration.minutes(5)
        for name, description, metric, threshold in (
            (
                "ServerErrors",
                "More than 5 % of the calls of the HTTP API fail. Look at the log of web_api for "
                "the exception, and at the access log for the route.",
                cloudwatch.MathExpression(
                    expression="IF(calls > 0, 100 * errors / calls, 0)",
                    label="Failed, percent of calls",
                    period=period,
                    using_metrics={
                        "errors": api.metric_server_error(period=period, statistic="Sum"),
                        "calls": api.metric_count(period=period, statistic="Sum"),
                    },
                ),
                5,
            ),
            (
                "Latency",
                "The HTTP API is slow: its slowest hundredth takes longer than it should. Look at "
                "integration_ms in the access log; raise memory_mib where it is cold starts.",
                api.metric_latency(period=period, statistic="p99"),
                p99_milliseconds,
            ),
        ):
            add_alarm(
                self,
                name,
                description,
                metric,
                topic=topic,
                threshold=threshold,
                periods=2,
                comparison=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            )
