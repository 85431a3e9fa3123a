"""Airflow: what runs the batch path where the stage's orchestrator is `mwaa`."""

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Duration, Fn
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.airflow_environment import (
    AirflowEnvironment,
    AirflowFiles,
    AirflowVariable,
)
from infra.constructs.airflow_network import AirflowNetwork
from infra.constructs.airflow_role import AirflowRole, arn
from infra.constructs.alarm import add_alarm
from infra.constructs.lake_stack import LakeStack
from infra.stacks.storage import StorageStack


class AirflowStack(LakeStack):
    """Network, role, files, names and environment.

    It knows the other stacks by the outputs that the DAGs know them by, and reads those when it is
    deployed (`Fn::GetStackOutput`): nothing has to be exported, so nothing is held fast.

    Args:
        others: every other stack of the stage.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        config: StageConfig,
        storage: StorageStack,
        others: Sequence[LakeStack],
        staging: Path,
    ) -> None:
        super().__init__(scope, config=config, name="airflow")
        for stack in others:
            self.add_stack_dependency(stack)
        self._names = {
            key: Fn.get_stack_output(stack.stack_name, key)
            for stack in others
            for key in stack.output_keys
        }
        key = storage.key
        # MWAA generates no names; this one carries the stack's.
        name = config.stack_name("airflow")
        network = AirflowNetwork(self, "Network", config=config, key=key)
        files = AirflowFiles(self, "Files", config=config, key=key, staging=staging)
        variable = AirflowVariable(
            self,
            "Variable",
            prefix=name,
            key=key,
            names=self._names,
            definitions={k: v for stack in others for k, v in stack.output_definitions.items()},
        )
        self.role = AirflowRole(self, "Execution", environment=name)
        self.role.run_environment(
            files=files.bucket, key=key, namespaces=[config.metrics_namespace]
        )
        variable.grant_read(self.role.role)
        self._let_the_dags_run(storage)
        environment = AirflowEnvironment(
            self,
            "Mwaa",
            name=name,
            config=config,
            key=key,
            files=files,
            variable=variable,
            role=self.role.role,
            subnets=network.subnets,
            security_group=network.security_group,
        )
        self._silence_alarm(name)
        self.output("AirflowEnvironment", environment.environment.ref, "Runs the DAGs")
        self.output("AirflowBucket", files.bucket.bucket_name, "DAGs and requirements")
        self.output(
            "AirflowUrl",
            f"https://{environment.environment.attr_webserver_url}",
            "Airflow's pages; AWS signs people in",
        )

    def _let_the_dags_run(self, storage: StorageStack) -> None:
        """What the tasks of each DAG call, by the names that they know it by."""
        config, role, zones = self.config, self.role, storage.zones
        # social_pipeline
        functions = ["BatchPlannerFunction", "ReconcilerFunction"]
        functions += ["WarehouseLoaderFunction"] if config.warehouse.redshift_enabled else []
        jobs = ["LandingToCleansedJob", "CleansedToFeaturesJob", "ScoresToAnalyticsJob"]
        jobs += ["TicketsToAnalyticsJob"] if config.stream_path.enabled else []
        role.run_jobs([arn("glue", f"job/{self._names[key]}") for key in jobs])
        role.transform(self._names["SentimentModelName"], artifacts=zones.artifacts)
        # train_models
        functions.append("ModelGateFunction")
        role.train(
            jobs=self._names["ModelGroupPrefix"],
            runs_as=self._names["TrainingRoleArn"],
            artifacts=zones.artifacts,
        )
        role.invoke([arn("lambda", f"function:{self._names[key]}") for key in functions])
        # maintenance
        role.crawl(self._names["LandingCrawler"])
        role.query(
            workgroup=self._names["AthenaWorkgroup"],
            database=config.database("analytics"),
            table="texts_scored",
            data=zones.analytics,
            results=zones.query_results,
        )
        # start_app
        schedules = ("MockServerSchedule", "SourceYoutubeSchedule", "SourceXSchedule")
        mappings = ["StreamConsumerMapping"]
        mappings += ["TextEnricherMapping"] if config.stream_path.enabled else []
        role.switch(
            rules=[arn("events", f"rule/{self._names[key]}") for key in schedules],
            mappings=[self._names[key] for key in mappings],
        )
        # All of them, when a task has failed for good.
        role.tell(self._names["AlarmTopicArn"])

    def _silence_alarm(self, environment: str) -> None:
        """Who runs nothing tells of no failure either."""
        add_alarm(
            self,
            "SchedulerSilent",
            "Airflow's scheduler gives no sign of life: no DAG is run. Look at "
            "the environment's state and its scheduler's log; `voxlake run` does the batch path "
            "by hand meanwhile.",
            cloudwatch.Metric(
                namespace="AmazonMWAA",
                metric_name="SchedulerHeartbeat",
                dimensions_map={"Function": "Scheduler", "Environment": environment},
                period=Duration.minutes(5),
                statistic="Sum",
            ),
            topic=sns.Topic.from_topic_arn(self, "AlarmTopic", self._names["AlarmTopicArn"]),
            threshold=1,
            periods=3,
            comparison=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
            # A heart that stops gives no data: the change of state tells, not a state, so that an
            # environment which never started beating is quiet.
            missing=cloudwatch.TreatMissingData.MISSING,
        )
