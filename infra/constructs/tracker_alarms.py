"""What is said of each tracker: alarms on what its hour of the day does not usually bring."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.python_function import PythonFunction
from voxlake.trackers import Tracker

PERIOD = Duration.minutes(15)
# Three of five: a peak of a quarter of an hour tells nobody, and one that wavers tells once.
POINTS, PERIODS = 3, 5


class TrackerAlarms(Construct):
    """Two alarms for each of the config's trackers: the share of its texts that is negative, and
    their number.

    Both tell only of a rise, only where there are enough texts, and only once three of the last
    five quarters of an hour were above what is usual.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        topic: sns.ITopic,
        enricher: PythonFunction,
        trackers: Sequence[Tracker],
    ) -> None:
        super().__init__(scope, id)
        self._config = config
        self._action = actions.SnsAction(topic)
        minutes = PERIOD.to_minutes() * POINTS
        for tracker in trackers:
            if tracker.id not in config.alarms.trackers:
                continue
            name = "".join(part.title() for part in tracker.id.split("_"))
            texts = self._metric(tracker, enricher, "SampleCount")
            share = self._metric(tracker, enricher, "Average")
            query = (
                f'voxlake query "SELECT hour, sum(negative) AS negative, sum(texts) AS texts '
                f"FROM {config.database('analytics')}.sentiment_hourly "
                f"WHERE tracker = '{tracker.id}' GROUP BY hour ORDER BY hour DESC LIMIT 48\""
            )
            self._alarm(
                f"{name}Mood",
                f"{tracker.name} (tracker {tracker.id}): for {minutes:.0f} minutes a larger share "
                "of its texts has been negative than is usual at this hour. The reason gives the "
                "shares and the upper ends of the usual. What people say: the tracker's page of "
                f"the dashboard. By the hour: {query}",
                "IF(texts >= {least}, negative)",
                "Share of negative texts",
                {"texts": texts, "negative": share},
            )
            self._alarm(
                f"{name}Volume",
                f"{tracker.name} (tracker {tracker.id}): for {minutes:.0f} minutes more texts "
                "have spoken of it than is usual at this hour: news, a campaign or a flood. The "
                "reason gives the numbers in quarters of an hour and the upper ends of the usual. "
                f"What people say: the tracker's page of the dashboard. By the hour: {query}",
                "IF(texts >= {least}, texts)",
                "Texts",
                {"texts": texts},
            )

    def _metric(
        self, tracker: Tracker, enricher: PythonFunction, statistic: str
    ) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=self._config.metrics_namespace,
            metric_name="NegativeTexts",
            dimensions_map={"service": enricher.service, "tracker": tracker.id},
            period=PERIOD,
            statistic=statistic,
        )

    def _alarm(
        self,
        id: str,
        description: str,
        expression: str,
        label: str,
        metrics: dict[str, cloudwatch.IMetric],
    ) -> None:
        alarms = self._config.alarms
        alarm = cloudwatch.AnomalyDetectionAlarm(
            self,
            id,
            alarm_description=description,
            metric=cloudwatch.MathExpression(
                # Without an alternative IF drops the point: a few texts at night say nothing.
                expression=expression.format(least=alarms.tracker_least_texts),
                label=label,
                using_metrics=metrics,
                period=PERIOD,
            ),
            std_devs=alarms.tracker_band_width,
            evaluation_periods=PERIODS,
            datapoints_to_alarm=POINTS,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_UPPER_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(self._action)
