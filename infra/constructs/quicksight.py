"""QuickSight: Athena as data source, data sets in SPICE, an analysis, the dashboard."""

from collections.abc import Sequence

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_quicksight as quicksight
from constructs import Construct

from infra.config import StageConfig
from infra.constructs.dashboard_definition import TYPES, definition
from infra.constructs.glue_job import READ_CATALOG, catalog_arns
from infra.constructs.grants import allow, put_objects, read_objects, write_with_key
from infra.constructs.lake_storage import Zones
from voxlake.measures import DATA_SETS, DataSet
from voxlake.measures.data_sets import EVENT_KINDS

READ_TABLES = {
    "cleansed": EVENT_KINDS,
    "analytics": (
        "emotion_daily",
        "engagement_daily",
        "sentiment_hourly",
        "texts_scored",
        "tickets",
    ),
}
"""What the data sets and the views under them read."""

# QuickSight takes only these sets of actions, each under a role's name in its console.
# https://docs.aws.amazon.com/quicksight/latest/APIReference/API_ResourcePermission.html
_OWNS = {
    "DataSource": (
        "DescribeDataSource",
        "DescribeDataSourcePermissions",
        "PassDataSource",
        "UpdateDataSource",
        "DeleteDataSource",
        "UpdateDataSourcePermissions",
    ),
    "DataSet": (
        "DescribeDataSet",
        "DescribeDataSetPermissions",
        "PassDataSet",
        "DescribeIngestion",
        "ListIngestions",
        "UpdateDataSet",
        "DeleteDataSet",
        "CreateIngestion",
        "CancelIngestion",
        "UpdateDataSetPermissions",
    ),
    "Analysis": (
        "RestoreAnalysis",
        "UpdateAnalysisPermissions",
        "DeleteAnalysis",
        "DescribeAnalysisPermissions",
        "QueryAnalysis",
        "DescribeAnalysis",
        "UpdateAnalysis",
    ),
    "Dashboard": (
        "DescribeDashboard",
        "ListDashboardVersions",
        "UpdateDashboardPermissions",
        "QueryDashboard",
        "UpdateDashboard",
        "DeleteDashboard",
        "DescribeDashboardPermissions",
        "UpdateDashboardPublishedVersion",
    ),
}
_READS_DASHBOARD = ("DescribeDashboard", "ListDashboardVersions", "QueryDashboard")


class QuickSightRole(Construct):
    """What the data source asks Athena under, instead of the account-wide role."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        config: StageConfig,
        key: kms.IKey,
        zones: Zones,
        workgroup: str,
    ) -> None:
        super().__init__(scope, id)
        self.role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("quicksight.amazonaws.com")
        )
        for zone, tables in READ_TABLES.items():
            for table in tables:
                read_objects(getattr(zones, zone), self.role, f"{table}/")
        read_objects(zones.query_results, self.role, "athena/")
        put_objects(zones.query_results, self.role, "athena/")
        write_with_key(key, self.role)
        databases = [config.database(zone) for zone in READ_TABLES]
        allow(self.role, READ_CATALOG, catalog_arns(databases=databases))
        # Athena looks at the default database whatever a query names.
        allow(self.role, ["glue:GetDatabase"], catalog_arns(databases=["default"])[:2])
        athena = f"arn:{Aws.PARTITION}:athena:{Aws.REGION}:{Aws.ACCOUNT_ID}"
        allow(
            self.role,
            [
                "athena:BatchGetQueryExecution",
                "athena:GetQueryExecution",
                "athena:GetQueryResults",
                "athena:GetQueryResultsStream",
                "athena:GetWorkGroup",
                "athena:StartQueryExecution",
                "athena:StopQueryExecution",
            ],
            [f"{athena}:workgroup/{workgroup}"],
        )
        allow(
            self.role,
            [
                "athena:GetDataCatalog",
                "athena:GetDatabase",
                "athena:GetTableMetadata",
                "athena:ListDatabases",
                "athena:ListTableMetadata",
            ],
            [f"{athena}:datacatalog/AwsDataCatalog"],
        )
        # Lists know no resources.
        allow(self.role, ["athena:ListDataCatalogs", "athena:ListWorkGroups"], ["*"])


class MoodDashboard(Construct):
    """Data source, data sets with their schedules, analysis, dashboard."""

    def __init__(
        self, scope: Construct, id: str, *, config: StageConfig, role: iam.IRole, workgroup: str
    ) -> None:
        super().__init__(scope, id)
        self._config = config
        self.source = quicksight.CfnDataSource(
            self,
            "DataSource",
            aws_account_id=Aws.ACCOUNT_ID,
            data_source_id=config.stack_name("athena"),
            name=f"voxlake {config.stage}: Athena",
            type="ATHENA",
            data_source_parameters=quicksight.CfnDataSource.DataSourceParametersProperty(
                athena_parameters=quicksight.CfnDataSource.AthenaParametersProperty(
                    work_group=workgroup, role_arn=role.role_arn
                )
            ),
            ssl_properties=quicksight.CfnDataSource.SslPropertiesProperty(disable_ssl=False),
            permissions=self._owners("DataSource"),
        )
        # It is tried as soon as it is made, by what the role may do.
        self.source.node.add_dependency(role)
        self.data_sets = {name: self._data_set(one) for name, one in DATA_SETS.items()}
        content = definition({n: one.attr_arn for n, one in self.data_sets.items()})
        self.analysis = quicksight.CfnAnalysis(
            self,
            "Analysis",
            aws_account_id=Aws.ACCOUNT_ID,
            analysis_id=config.stack_name("moods"),
            name=f"voxlake {config.stage}: moods",
            permissions=self._owners("Analysis"),
        )
        self.dashboard = quicksight.CfnDashboard(
            self,
            "Dashboard",
            aws_account_id=Aws.ACCOUNT_ID,
            dashboard_id=config.stack_name("moods"),
            name=f"voxlake {config.stage}: moods",
            permissions=[
                *self._owners("Dashboard"),
                *_permissions(quicksight.CfnDashboard, config.quicksight.readers, _READS_DASHBOARD),
            ],
        )
        # One definition in the API's own words for both: the classes for it are two times 400.
        for made in (self.analysis, self.dashboard):
            made.add_property_override("Definition", content)

    def _owners(self, kind: str) -> list:
        return _permissions(
            getattr(quicksight, f"Cfn{kind}"), self._config.quicksight.owners, _OWNS[kind]
        )

    def _data_set(self, one: DataSet) -> quicksight.CfnDataSet:
        config, of = self._config, quicksight.CfnDataSet
        made = of(
            self,
            f"{one.name.title()}Data",
            aws_account_id=Aws.ACCOUNT_ID,
            data_set_id=config.stack_name(one.name),
            name=f"voxlake {config.stage}: {one.name}",
            import_mode="SPICE",
            # The first import goes on after the deployment.
            ingestion_wait_policy=of.IngestionWaitPolicyProperty(wait_for_spice_ingestion=False),
            physical_table_map={
                one.name: of.PhysicalTableProperty(
                    custom_sql=of.CustomSqlProperty(
                        data_source_arn=self.source.attr_arn,
                        name=one.name,
                        sql_query=one.sql(
                            config.database("analytics"), config.database("cleansed")
                        ),
                        columns=[
                            of.InputColumnProperty(name=name, type=TYPES[kind])
                            for name, kind in one.columns
                        ],
                    )
                )
            },
            data_set_refresh_properties=self._refresh(by_day=one.by_day),
            permissions=self._owners("DataSet"),
        )
        self._schedule(made, one.name, "daily", incremental=one.by_day)
        if one.by_day:
            # Corrections and late events of days before: the whole, once a week.
            self._schedule(made, one.name, "weekly", incremental=False)
        return made

    def _refresh(self, *, by_day: bool) -> quicksight.CfnDataSet.DataSetRefreshPropertiesProperty:
        of, days = quicksight.CfnDataSet, self._config.quicksight.refresh_days
        window = of.LookbackWindowProperty(column_name="day", size=days, size_unit="DAY")
        return of.DataSetRefreshPropertiesProperty(
            # QuickSight mails the owners.
            failure_configuration=of.RefreshFailureConfigurationProperty(
                email_alert=of.RefreshFailureEmailAlertProperty(alert_status="ENABLED")
            ),
            refresh_configuration=of.RefreshConfigurationProperty(
                incremental_refresh=of.IncrementalRefreshProperty(lookback_window=window)
            )
            if by_day
            else None,
        )

    def _schedule(
        self, data_set: quicksight.CfnDataSet, name: str, schedule: str, *, incremental: bool
    ) -> None:
        of, hour = quicksight.CfnRefreshSchedule, self._config.quicksight.refresh_hour_utc
        weekly = schedule == "weekly"
        made = of(
            self,
            f"{name.title()}{schedule.title()}",
            aws_account_id=Aws.ACCOUNT_ID,
            data_set_id=data_set.data_set_id,
            schedule=of.RefreshScheduleMapProperty(
                schedule_id=schedule,
                refresh_type="INCREMENTAL_REFRESH" if incremental else "FULL_REFRESH",
                schedule_frequency=of.ScheduleFrequencyProperty(
                    interval="WEEKLY" if weekly else "DAILY",
                    refresh_on_day=of.RefreshOnDayProperty(day_of_week="SUNDAY")
                    if weekly
                    else None,
                    # An hour after the daily one, so that the two do not meet.
                    time_of_the_day=f"{(hour + weekly) % 24:02}:00",
                    time_zone="UTC",
                ),
            ),
        )
        made.add_resource_dependency(data_set)


def _permissions(kind: type, principals: Sequence[str], actions: Sequence[str]) -> list:
    return [
        kind.ResourcePermissionProperty(
            principal=principal, actions=[f"quicksight:{action}" for action in actions]
        )
        for principal in principals
    ]
