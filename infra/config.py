"""The stages: what differs between dev, prod and full, typed, with units in the names.

Every dataclass checks itself, so a wrong value fails at synthesis with the field's name, the
value found and the values allowed, and never in the middle of a deployment. Their settings are in
`infra/lake_config.py` (the batch path), `infra/live_config.py` (what listens and answers) and
`infra/orchestration_config.py` (what runs the batch path).
"""

from dataclasses import dataclass, field

from infra.checks import check_pattern
from infra.errors import ConfigError, UnknownStageError
from infra.lake_config import (
    TRACKERS,
    AlarmConfig,
    IngestConfig,
    MlConfig,
    ProcessingConfig,
    StorageConfig,
    WarehouseConfig,
)
from infra.live_config import (
    ApiConfig,
    DashboardConfig,
    RepliesConfig,
    SourcesConfig,
    StreamPathConfig,
)
from infra.orchestration_config import AirflowConfig, check_orchestrator, cron_every
from infra.quicksight_config import QuickSightConfig

STAGES = ("dev", "prod", "full")
# In the order of deployment.
STACKS = (
    "storage",
    "ingest",
    "sources",
    "stream",
    "ml",
    "warehouse",
    "processing",
    "quicksight",
    "api",
    "dashboard",
    "alarms",
    # It is handed the outputs of all others.
    "airflow",
)

# CloudWatch Logs takes these retentions only:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)


@dataclass(frozen=True, kw_only=True)
class StageConfig:
    """One stage. Two stages in one account and region need different `database_prefix`es."""

    stage: str
    storage: StorageConfig
    ingest: IngestConfig
    sources: SourcesConfig = field(default_factory=SourcesConfig)
    stream_path: StreamPathConfig = field(default_factory=StreamPathConfig)
    replies: RepliesConfig = field(default_factory=RepliesConfig)
    api: ApiConfig = field(default_factory=ApiConfig)
    dashboard: DashboardConfig = field(default_factory=DashboardConfig)
    processing: ProcessingConfig = field(default_factory=ProcessingConfig)
    ml: MlConfig = field(default_factory=MlConfig)
    warehouse: WarehouseConfig = field(default_factory=WarehouseConfig)
    quicksight: QuickSightConfig = field(default_factory=QuickSightConfig)
    alarms: AlarmConfig = field(default_factory=AlarmConfig)
    # What runs the batch path: `schedule` (a rule starts the state machine) or `mwaa`.
    orchestrator: str = "schedule"
    airflow: AirflowConfig = field(default_factory=AirflowConfig)
    database_prefix: str = "voxlake"
    metrics_namespace: str = "voxlake"
    log_retention_days: int = 30

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise UnknownStageError(f"stage is {self.stage!r}: expected one of {', '.join(STAGES)}")
        check_pattern(
            "database_prefix",
            self.database_prefix,
            r"[a-z][a-z0-9_]{0,39}",
            "lower-case letters, digits and underscores (Athena folds names to lower case)",
        )
        check_pattern(
            "metrics_namespace", self.metrics_namespace, r"[A-Za-z0-9_./#-]{1,255}", "a namespace"
        )
        if self.log_retention_days not in LOG_RETENTION_DAYS:
            allowed = ", ".join(map(str, LOG_RETENTION_DAYS))
            raise ConfigError(
                f"log_retention_days is {self.log_retention_days}: expected one of {allowed}"
            )
        if self.api.enabled and not self.stream_path.enabled:
            raise ConfigError(
                "stream_path.enabled is False: expected True, since the API shows what it writes"
            )
        check_orchestrator(self.orchestrator)
        if self.orchestrator == "mwaa":
            cron_every(self.processing.schedule_minutes)
        overdue = 2 * self.processing.schedule_minutes
        if self.storage.landing_retention_days * 1440 <= overdue:
            raise ConfigError(
                f"landing_retention_days is {self.storage.landing_retention_days}: expected more "
                f"than two schedules ({overdue} minutes), or records expire unprocessed"
            )

    @property
    def stacks(self) -> tuple[str, ...]:
        """The stage's stacks, in the order of deployment."""
        absent = set() if self.stream_path.enabled else {"stream"}
        absent |= set() if self.api.enabled else {"api", "dashboard"}
        absent |= set() if self.quicksight.enabled else {"quicksight"}
        absent |= set() if self.orchestrator == "mwaa" else {"airflow"}
        return tuple(stack for stack in STACKS if stack not in absent)

    def stack_name(self, stack: str) -> str:
        """The fixed name by which the CLI and the tests find a stack."""
        return f"voxlake-{self.stage}-{stack}"

    def database(self, zone: str) -> str:
        """The catalog's name of a zone (landing, cleansed or analytics)."""
        return f"{self.database_prefix}_{zone}"


def _dev() -> StageConfig:
    return StageConfig(
        stage="dev",
        storage=StorageConfig(
            retains_data=False, landing_retention_days=14, key_deletion_window_days=7
        ),
        ingest=IngestConfig(
            stream_retention_hours=24, mock_server_enabled=True, mock_events_per_minute=120
        ),
        processing=ProcessingConfig(max_workers=2),
        warehouse=WarehouseConfig(scan_limit_gib=10),
        log_retention_days=7,
    )


def _prod() -> StageConfig:
    return StageConfig(
        stage="prod",
        storage=StorageConfig(retains_data=True),
        ingest=IngestConfig(
            stream_retention_hours=168,
            mock_server_enabled=False,
            # Five of the seven days: two are left to redrive by hand what was given up.
            maximum_record_age_seconds=432_000,
        ),
        alarms=AlarmConfig(trackers=TRACKERS),
        # Airflow would cost more than the rest of the stage (docs/deploy.md); set `mwaa` where
        # people want its pages, backfills and task by task retries.
        orchestrator="schedule",
        log_retention_days=90,
    )


def _full() -> StageConfig:
    return StageConfig(
        stage="full",
        storage=StorageConfig(retains_data=True, landing_retention_days=30),
        warehouse=WarehouseConfig(redshift_enabled=True),
        ingest=IngestConfig(
            stream_retention_hours=48, mock_server_enabled=True, batch_window_seconds=1
        ),
        replies=RepliesConfig(
            mode="dry_run",
            # Nothing is sent, so nothing takes long.
            batch_size=10,
            timeout_seconds=300,
            sources=("x", "mock", "file", "api"),
            # Files that are replayed are years old.
            max_age_hours=1_000_000,
            author_per_day=10,
            per_hour=100_000,
            per_day=100_000,
        ),
        orchestrator="mwaa",
        api=ApiConfig(jwt_issuer="https://issuer.example.com/", jwt_audience=("voxlake",)),
        # Nobody's, in an account that is an example.
        quicksight=QuickSightConfig(
            owners=("arn:aws:quicksight:us-east-1:123456789012:group/default/analysts",),
            readers=("arn:aws:quicksight:us-east-1:123456789012:group/default/readers",),
        ),
        # Nobody's; on the laptop their messages lie in the outbox.
        alarms=AlarmConfig(
            emails=("operator@example.com",), phones=("+15550100",), trackers=TRACKERS
        ),
    )


_BUILDERS = {"dev": _dev, "prod": _prod, "full": _full}


def load_stage(stage: str) -> StageConfig:
    """The configuration of a stage.

    Raises:
        UnknownStageError: the name is none of `STAGES`.
        ConfigError: a value is outside its range.
    """
    if stage not in _BUILDERS:
        raise UnknownStageError(f"stage is {stage!r}: expected one of {', '.join(STAGES)}")
    return _BUILDERS[stage]()
