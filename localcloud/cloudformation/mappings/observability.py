"""CloudWatch, CloudWatch Logs, SNS."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import ANY, Resource, maps

Result = tuple[str, dict[str, Any]]


@maps("AWS::Logs::LogGroup", in_place=["RetentionInDays"])
def log_group(r: Resource) -> Result:
    name = r.name("LogGroupName", 512)
    days, key = r.take("RetentionInDays"), r.take("KmsKeyId")
    r.done()
    if not r.old:
        r.call("logs", "CreateLogGroup", logGroupName=name, kmsKeyId=key)
    if days:
        r.call("logs", "PutRetentionPolicy", logGroupName=name, retentionInDays=days)
    return name, {"Arn": r.arn("logs", f"log-group:{name}:*")}


@maps("AWS::Logs::MetricFilter", in_place=["FilterPattern", "MetricTransformations"])
def metric_filter(r: Resource) -> Result:
    name, group, pattern = r.name(None, 512), r.require("LogGroupName"), r.require("FilterPattern")
    transformations = [
        {member[0].lower() + member[1:]: value for member, value in transformation.items()}
        for transformation in r.require("MetricTransformations")
    ]
    r.done()
    r.call(
        "logs", "PutMetricFilter", filterName=name, logGroupName=group, filterPattern=pattern,
        metricTransformations=transformations,
    )  # fmt: skip
    return name, {}


@maps("AWS::Logs::QueryDefinition", in_place=ANY)
def query_definition(r: Resource) -> Result:
    name, query = r.require("Name"), r.require("QueryString")
    groups = r.take("LogGroupNames")
    r.done()
    made = r.call(
        "logs", "PutQueryDefinition", name=name, queryString=query, logGroupNames=groups,
        queryDefinitionId=r.old.physical_id if r.old else None,
    )  # fmt: skip
    return made["queryDefinitionId"], {}


@maps("AWS::CloudWatch::Alarm", in_place=ANY)
def alarm(r: Resource) -> Result:
    name = r.name(None, 255)
    settings = r.same(
        "AlarmDescription", "AlarmActions", "OKActions", "MetricName", "Namespace", "Statistic",
        "ExtendedStatistic", "Dimensions", "Period", "EvaluationPeriods", "DatapointsToAlarm",
        "Threshold", "ComparisonOperator", "TreatMissingData", "Metrics", "ThresholdMetricId",
        "InsufficientDataActions",
    )  # fmt: skip
    r.done()
    r.call("cloudwatch", "PutMetricAlarm", AlarmName=name, **settings)
    return name, {}


@maps("AWS::SNS::Topic")
def topic(r: Resource) -> Result:
    name, attributes = r.name(None, 256), r.same("DisplayName", "KmsMasterKeyId")
    r.done()
    return r.call("sns", "CreateTopic", Name=name, Attributes=attributes)["TopicArn"], {}


@maps("AWS::SNS::Subscription")
def subscription(r: Resource) -> Result:
    target = r.same("TopicArn", "Protocol", "Endpoint")
    r.done()
    made = r.call("sns", "Subscribe", ReturnSubscriptionArn=True, **target)
    return made["SubscriptionArn"], {}


@maps("AWS::SNS::TopicPolicy", in_place=["PolicyDocument"])
def topic_policy(r: Resource) -> Result:
    document, topics = r.require("PolicyDocument"), r.require("Topics")
    r.done()
    for arn in topics:
        r.call(
            "sns", "SetTopicAttributes", TopicArn=arn, AttributeName="Policy",
            AttributeValue=document,
        )  # fmt: skip
    return r.name(None, 128), {}
