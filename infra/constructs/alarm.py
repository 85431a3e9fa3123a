"""One alarm: it tells the topic when it rings, and when it is over."""

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

_Comparison = cloudwatch.ComparisonOperator
_Missing = cloudwatch.TreatMissingData


def add_alarm(
    scope: Construct,
    id: str,
    description: str,
    metric: cloudwatch.IMetric,
    *,
    topic: sns.ITopic,
    threshold: float,
    periods: int = 1,
    comparison: cloudwatch.ComparisonOperator = _Comparison.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    missing: cloudwatch.TreatMissingData = _Missing.NOT_BREACHING,
    tells_end: bool = True,
) -> None:
    """Adds an alarm.

    Args:
        description: what is wrong and what to do about it.
        periods: how many of the metric's periods in a row have to be beyond the threshold.
        missing: MISSING also rings when data that came comes no more.
        tells_end: whether the topic hears that it is over.
    """
    alarm = cloudwatch.Alarm(
        scope,
        id,
        alarm_description=description,
        metric=metric,
        threshold=threshold,
        evaluation_periods=periods,
        comparison_operator=comparison,
        treat_missing_data=missing,
    )
    action = actions.SnsAction(topic)
    alarm.add_alarm_action(action)
    if tells_end:
        alarm.add_ok_action(action)
    if missing is _Missing.MISSING:
        alarm.add_insufficient_data_action(action)
