"""The stages: what differs between dev, prod and full, typed, with units in the names.

Every dataclass checks itself, so a wrong value fails at synthesis with the field's name, the
value found and the values allowed, and never in the middle of a deployment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from infra.errors import ConfigError, UnknownStageError
from voxlake.trackers import load_trackers

STAGES = ("dev", "prod", "full")
REPLY_MODES = ("off", "dry_run", "live")
TRACKERS = tuple(tracker.id for tracker in load_trackers().trackers)
# In the order of deployment.
STACKS = (
    "storage",
    "ingest",
    "sources",
    "stream",
    "ml",
    "warehouse",
    "processing",
    "api",
    "dashboard",
    "alarms",
)

# CloudWatch Logs takes these retentions only:
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731)

# Account that publishes the prebuilt PyTorch CPU images, for inference and for training, by region.
# Regions are listed one by one because the account is not the same everywhere and a wrong one fails
# only when the first job starts: add a region here before deploying to it.
# https://docs.aws.amazon.com/sagemaker/latest/dg-ecr-paths/sagemaker-algo-docker-registry-paths.html
INFERENCE_IMAGE_ACCOUNTS = MappingProxyType(
    dict.fromkeys(
        (
            "us-east-1",
            "us-east-2",
            "us-west-1",
            "us-west-2",
            "ca-central-1",
            "sa-east-1",
            "eu-central-1",
            "eu-west-1",
            "eu-west-2",
            "eu-west-3",
            "eu-north-1",
            "ap-northeast-1",
            "ap-northeast-2",
            "ap-south-1",
            "ap-southeast-1",
            "ap-southeast-2",
        ),
        "763104351884",
    )
)


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name} is {value}: expected {low} to {high}")


def _check_pattern(name: str, value: str, pattern: str, meaning: str) -> None:
    if not re.fullmatch(pattern, value):
        raise ConfigError(f"{name} is {value!r}: expected {meaning}")


@dataclass(frozen=True, kw_only=True)
class StorageConfig:
    """Buckets, ledger and key."""

    retains_data: bool
    landing_retention_days: int = 90
    noncurrent_retention_days: int = 7
    incomplete_upload_days: int = 3
    query_results_retention_days: int = 7
    scoring_retention_days: int = 14
    key_deletion_window_days: int = 30

    def __post_init__(self) -> None:
        _check_range("landing_retention_days", self.landing_retention_days, 2, 3650)
        # Readers may hold an old version for a day; a week covers a long week-end's repair.
        _check_range("noncurrent_retention_days", self.noncurrent_retention_days, 2, 365)
        _check_range("incomplete_upload_days", self.incomplete_upload_days, 1, 30)
        _check_range("query_results_retention_days", self.query_results_retention_days, 1, 365)
        _check_range("scoring_retention_days", self.scoring_retention_days, 2, 365)
        _check_range("key_deletion_window_days", self.key_deletion_window_days, 7, 30)


@dataclass(frozen=True, kw_only=True)
class IngestConfig:
    """The stream, the mock server, and how the consumer's mapping reads."""

    stream_retention_hours: int
    mock_server_enabled: bool
    mock_events_per_minute: int = 600
    mock_seed: int = 2015
    batch_size: int = 1000
    batch_window_seconds: int = 10
    retry_attempts: int = 10
    maximum_record_age_seconds: int = 21600
    max_event_future_hours: int = 24
    consumer_memory_mib: int = 512
    consumer_timeout_seconds: int = 60

    def __post_init__(self) -> None:
        _check_range("stream_retention_hours", self.stream_retention_hours, 24, 8760)
        _check_range("mock_events_per_minute", self.mock_events_per_minute, 1, 60_000)
        _check_range("batch_size", self.batch_size, 1, 10_000)
        _check_range("batch_window_seconds", self.batch_window_seconds, 0, 300)
        _check_range("retry_attempts", self.retry_attempts, 0, 10_000)
        # Records given up after the stream dropped them would be lost without a trace in S3.
        _check_range(
            "maximum_record_age_seconds",
            self.maximum_record_age_seconds,
            60,
            min(604_800, self.stream_retention_hours * 3600),
        )
        _check_range("max_event_future_hours", self.max_event_future_hours, 0, 168)
        _check_range("consumer_memory_mib", self.consumer_memory_mib, 256, 10_240)
        _check_range("consumer_timeout_seconds", self.consumer_timeout_seconds, 10, 900)


@dataclass(frozen=True, kw_only=True)
class SourcesConfig:
    """What is read from YouTube and X; off until somebody turns it on and puts keys there."""

    youtube_enabled: bool = False
    youtube_videos: tuple[str, ...] = ()
    # Of the 10,000 a day that a project has by default: some are left for trying things by hand.
    youtube_daily_units: int = 9000
    youtube_schedule_minutes: int = 15
    youtube_api_url: str = "https://www.googleapis.com/youtube/v3"
    x_enabled: bool = False
    x_trackers: tuple[str, ...] = ()
    x_daily_posts: int = 1000
    x_schedule_minutes: int = 15
    x_api_url: str = "https://api.x.com"

    def __post_init__(self) -> None:
        # A function's environment holds 4 KB in all; more videos go into the table.
        _check_range("number of youtube_videos", len(self.youtube_videos), 0, 200)
        for video in self.youtube_videos:
            _check_pattern("youtube_videos", video, r"[A-Za-z0-9_-]{11}", "a video's id")
        _check_range("youtube_daily_units", self.youtube_daily_units, 1, 100_000_000)
        known = [tracker.id for tracker in load_trackers().trackers]
        for tracker in self.x_trackers:
            if tracker not in known:
                raise ConfigError(
                    f"x_trackers has {tracker!r}: expected ids of trackers.yaml "
                    f"({', '.join(known)})"
                )
        _check_range("x_daily_posts", self.x_daily_posts, 1, 10_000_000)
        for name in ("youtube_schedule_minutes", "x_schedule_minutes"):
            # Longer than a run may take, so that runs do not meet.
            _check_range(name, getattr(self, name), 6, 1440)
        for name in ("youtube_api_url", "x_api_url"):
            _check_pattern(
                name, getattr(self, name), r"https?://[^\s/]+(/[^\s?#]*)?", "a URL without a query"
            )


@dataclass(frozen=True, kw_only=True)
class StreamPathConfig:
    """text_enricher: provisional scores and tickets within seconds."""

    enabled: bool = True
    # A batch is scored in well under a second; a larger one would keep its first text waiting.
    batch_size: int = 100
    batch_window_seconds: int = 0
    # Lambda gives a whole core from 1769 MiB on; the models need 200 MiB of it.
    memory_mib: int = 1769
    timeout_seconds: int = 120
    score_days: int = 7

    def __post_init__(self) -> None:
        _check_range("batch_size", self.batch_size, 1, 1000)
        _check_range("batch_window_seconds", self.batch_window_seconds, 0, 300)
        _check_range("memory_mib", self.memory_mib, 512, 10_240)
        _check_range("timeout_seconds", self.timeout_seconds, 30, 900)
        _check_range("score_days", self.score_days, 1, 365)


@dataclass(frozen=True, kw_only=True)
class RepliesConfig:
    """reply_sender: whether and how tickets are answered on X. docs/replies.md says what it takes.

    off: there is no outbox. dry_run: tickets say what would be sent. live: it is sent.
    """

    mode: str = "off"
    # Ids of sources whose native ids are ids of posts on X.
    sources: tuple[str, ...] = ("x",)
    # Id of our account on X: keys of another one are refused, and its posts get no ticket.
    account_id: str = ""
    x_api_url: str = "https://api.x.com"
    min_confidence: float = 0.7
    max_age_hours: int = 24
    author_per_day: int = 2
    per_hour: int = 20
    per_day: int = 100
    # How long our own timeline may lag behind what was posted.
    settle_seconds: int = 60
    batch_size: int = 1
    # Failed attempts of a message before it is a dead letter; waiting is none.
    max_receives: int = 8
    oldest_message_alarm_minutes: int = 60
    timeout_seconds: int = 60

    def __post_init__(self) -> None:
        if self.mode not in REPLY_MODES:
            raise ConfigError(f"mode is {self.mode!r}: expected one of {', '.join(REPLY_MODES)}")
        _check_range("number of sources", len(self.sources), 1, 10)
        for source in self.sources:
            _check_pattern("sources", source, r"[a-z][a-z0-9_]{0,31}", "a source's name")
        _check_pattern("account_id", self.account_id, r"\d{0,20}", "digits")
        if self.mode == "live" and not self.account_id:
            raise ConfigError("account_id is '': expected the id of the account that posts")
        _check_pattern(
            "x_api_url", self.x_api_url, r"https?://[^\s/]+(/[^\s?#]*)?", "a URL without a query"
        )
        _check_range("min_confidence", self.min_confidence, 0.0, 1.0)
        _check_range("max_age_hours", self.max_age_hours, 1, 1_000_000)
        _check_range("author_per_day", self.author_per_day, 1, 100)
        _check_range("per_hour", self.per_hour, 1, 100_000)
        _check_range("per_day", self.per_day, 1, 100_000)
        _check_range("settle_seconds", self.settle_seconds, 30, 900)
        _check_range("batch_size", self.batch_size, 1, 10)
        _check_range("max_receives", self.max_receives, 3, 100)
        _check_range("oldest_message_alarm_minutes", self.oldest_message_alarm_minutes, 5, 1440)
        # A message takes about 25 seconds where X does not answer.
        _check_range("timeout_seconds", self.timeout_seconds, 30 * self.batch_size, 900)

    @property
    def enabled(self) -> bool:
        return self.mode != "off"


@dataclass(frozen=True, kw_only=True)
class ApiConfig:
    """The HTTP API, which a stage has from when it names the issuer of tokens on."""

    jwt_issuer: str | None = None
    # Whom a token has to be for: its aud, or client_id where it has none.
    jwt_audience: tuple[str, ...] = ()
    # A whole core from 1769 MiB on: scoring, and the start of a worker, take one.
    memory_mib: int = 1769
    # The gateway gives up after 30 seconds.
    timeout_seconds: int = 28
    requests_per_second: int = 50
    burst: int = 100
    p99_alarm_milliseconds: int = 5000

    def __post_init__(self) -> None:
        if self.jwt_issuer is not None:
            # The gateway appends the path of the OpenID document.
            _check_pattern("jwt_issuer", self.jwt_issuer, r"https://[^\s/?#]+(/[^\s?#]*)?", "a URL")
            _check_range("number of jwt_audience", len(self.jwt_audience), 1, 50)
        _check_range("memory_mib", self.memory_mib, 512, 10_240)
        _check_range("timeout_seconds", self.timeout_seconds, 3, 29)
        _check_range("requests_per_second", self.requests_per_second, 1, 10_000)
        _check_range("burst", self.burst, 1, 5_000)
        _check_range("p99_alarm_milliseconds", self.p99_alarm_milliseconds, 100, 30_000)

    @property
    def enabled(self) -> bool:
        return self.jwt_issuer is not None


@dataclass(frozen=True, kw_only=True)
class DashboardConfig:
    """The page's address. Without a domain of one's own CloudFront decides on TLS versions."""

    domain: str | None = None
    # In us-east-1, whatever the stage's region.
    certificate_arn: str | None = None

    def __post_init__(self) -> None:
        if (self.domain is None) != (self.certificate_arn is None):
            raise ConfigError("domain and certificate_arn: expected both or neither")
        if self.domain is not None and self.certificate_arn is not None:
            _check_pattern("domain", self.domain, r"([a-z0-9-]+\.)+[a-z]{2,}", "a domain name")
            _check_pattern(
                "certificate_arn",
                self.certificate_arn,
                r"arn:aws:acm:us-east-1:\d{12}:certificate/[0-9a-f-]+",
                "an ACM certificate of us-east-1",
            )


@dataclass(frozen=True, kw_only=True)
class ProcessingConfig:
    """The batch path."""

    schedule_minutes: int = 60
    max_workers: int = 10
    job_timeout_minutes: int = 120
    # Two runs at once are allowed (the ledger's leases order them); the third is one to spare for
    # a repair by hand.
    max_concurrent_runs: int = 3
    crawler_cron_utc: str = "cron(30 2 * * ? *)"

    def __post_init__(self) -> None:
        if self.schedule_minutes < 5 or 1440 % self.schedule_minutes:
            raise ConfigError(
                f"schedule_minutes is {self.schedule_minutes}: "
                "expected a divisor of 1440 that is at least 5"
            )
        _check_range("max_workers", self.max_workers, 2, 299)
        _check_range("job_timeout_minutes", self.job_timeout_minutes, 10, 2880)
        _check_range("max_concurrent_runs", self.max_concurrent_runs, 2, 50)
        _check_pattern(
            "crawler_cron_utc", self.crawler_cron_utc, r"cron\(.+\)", "an AWS cron(...) expression"
        )


@dataclass(frozen=True, kw_only=True)
class MlConfig:
    """The model and the batch transform that runs it."""

    image_repository: str = "pytorch-inference"
    # The domain's code needs Python 3.11 or later, which rules the scikit-learn images out; what
    # this one lacks comes with the model's archive.
    image_tag: str = "2.6.0-cpu-py312-ubuntu22.04-sagemaker"
    image_accounts: Mapping[str, str] = field(default_factory=lambda: INFERENCE_IMAGE_ACCOUNTS)
    transform_instance_type: str = "ml.m5.large"
    transform_instance_count: int = 1
    # Small enough that a worker answers within half a minute, large enough to batch by length.
    transform_max_payload_mb: int = 1
    # Payloads at once on an instance, each with a worker of one thread: the vCPUs of ml.m5.large.
    transform_concurrency: int = 2
    transform_timeout_minutes: int = 180
    # SageMaker names these groups itself. Turn it off where the account already has them.
    creates_transform_log_group: bool = True
    training_image_repository: str = "pytorch-training"
    training_image_tag: str = "2.6.0-cpu-py312-ubuntu22.04-sagemaker"
    training_instance_type: str = "ml.m5.2xlarge"
    training_volume_gb: int = 30
    training_timeout_minutes: int = 360
    # How long a spot job may wait for capacity besides its own time.
    training_spot_wait_minutes: int = 120

    def __post_init__(self) -> None:
        for name in ("transform_instance_type", "training_instance_type"):
            _check_pattern(
                name,
                getattr(self, name),
                r"ml\.[a-z0-9]+\.[a-z0-9]+",
                "a SageMaker instance type such as ml.m5.large",
            )
        _check_range("transform_instance_count", self.transform_instance_count, 1, 20)
        _check_range("transform_max_payload_mb", self.transform_max_payload_mb, 1, 100)
        # SageMaker takes at most 100 MB at once.
        _check_range(
            "transform_concurrency",
            self.transform_concurrency,
            1,
            100 // self.transform_max_payload_mb,
        )
        _check_range("transform_timeout_minutes", self.transform_timeout_minutes, 10, 2880)
        _check_range("training_volume_gb", self.training_volume_gb, 5, 1000)
        _check_range("training_timeout_minutes", self.training_timeout_minutes, 5, 2880)
        _check_range("training_spot_wait_minutes", self.training_spot_wait_minutes, 0, 1440)
        for region, account in self.image_accounts.items():
            _check_pattern(f"image_accounts[{region}]", account, r"\d{12}", "a 12-digit account")
        if not self.image_accounts:
            raise ConfigError("image_accounts is empty: expected one entry per region in use")


@dataclass(frozen=True, kw_only=True)
class WarehouseConfig:
    """Athena and Redshift. Without Redshift everything can be asked of Athena."""

    scan_limit_gib: int = 100
    redshift_enabled: bool = False
    # Redshift processing units: what is there at once, and what it may grow to.
    redshift_base_rpu: int = 8
    redshift_max_rpu: int = 8
    # Used up, queries wait for the next day. Loading hourly takes about 7.
    redshift_daily_rpu_hours: int = 16
    # Places in the region's list of zones: Redshift Serverless wants three, and is not in all.
    redshift_zones: tuple[int, ...] = (0, 1, 2)

    def __post_init__(self) -> None:
        _check_range("scan_limit_gib", self.scan_limit_gib, 1, 10_240)
        _check_range("redshift_base_rpu", self.redshift_base_rpu, 8, 512)
        if self.redshift_base_rpu % 8:
            raise ConfigError(
                f"redshift_base_rpu is {self.redshift_base_rpu}: expected a multiple of 8"
            )
        _check_range("redshift_max_rpu", self.redshift_max_rpu, self.redshift_base_rpu, 5632)
        _check_range("redshift_daily_rpu_hours", self.redshift_daily_rpu_hours, 1, 1_000_000)
        if len(set(self.redshift_zones)) < 3 or min(self.redshift_zones) < 0:
            raise ConfigError(
                f"redshift_zones is {self.redshift_zones}: expected three different places"
            )


@dataclass(frozen=True, kw_only=True)
class AlarmConfig:
    """Who is told, and from when on."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    iterator_age_minutes: int = 15
    no_data_minutes: int = 60
    quarantine_percent: float = 5.0
    anomaly_band_width: float = 3.0
    # Ids of trackers.yaml; each costs about a dollar a month (docs/alarms.md).
    trackers: tuple[str, ...] = ()
    tracker_band_width: float = 4.0
    # In a quarter of an hour; with fewer a tracker's share of negative texts says nothing.
    tracker_least_texts: int = 20

    def __post_init__(self) -> None:
        for tracker in self.trackers:
            if tracker not in TRACKERS:
                raise ConfigError(
                    f"alarms.trackers has {tracker!r}: expected ids of trackers.yaml "
                    f"({', '.join(TRACKERS)})"
                )
        for email in self.emails:
            _check_pattern("emails", email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")
        for phone in self.phones:
            _check_pattern("phones", phone, r"\+[1-9]\d{6,14}", "an E.164 number such as +15550100")
        _check_range("iterator_age_minutes", self.iterator_age_minutes, 1, 1440)
        _check_range("no_data_minutes", self.no_data_minutes, 5, 1440)
        _check_range("quarantine_percent", self.quarantine_percent, 0.0, 100.0)
        _check_range("anomaly_band_width", self.anomaly_band_width, 1.0, 10.0)
        _check_range("tracker_band_width", self.tracker_band_width, 1.0, 10.0)
        _check_range("tracker_least_texts", self.tracker_least_texts, 1, 1_000_000)


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
    alarms: AlarmConfig = field(default_factory=AlarmConfig)
    database_prefix: str = "voxlake"
    metrics_namespace: str = "voxlake"
    log_retention_days: int = 30

    def __post_init__(self) -> None:
        if self.stage not in STAGES:
            raise UnknownStageError(f"stage is {self.stage!r}: expected one of {', '.join(STAGES)}")
        _check_pattern(
            "database_prefix",
            self.database_prefix,
            r"[a-z][a-z0-9_]{0,39}",
            "lower-case letters, digits and underscores (Athena folds names to lower case)",
        )
        _check_pattern(
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
        api=ApiConfig(jwt_issuer="https://issuer.example.com/", jwt_audience=("voxlake",)),
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
