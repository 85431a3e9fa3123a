"""Settings of the batch path: storage, stream, jobs, model, warehouse, alarms."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from infra.checks import check_pattern, check_range
from infra.errors import ConfigError
from voxlake.trackers import load_trackers

TRACKERS = tuple(tracker.id for tracker in load_trackers().trackers)

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
        check_range("landing_retention_days", self.landing_retention_days, 2, 3650)
        # Readers may hold an old version for a day; a week covers a long week-end's repair.
        check_range("noncurrent_retention_days", self.noncurrent_retention_days, 2, 365)
        check_range("incomplete_upload_days", self.incomplete_upload_days, 1, 30)
        check_range("query_results_retention_days", self.query_results_retention_days, 1, 365)
        check_range("scoring_retention_days", self.scoring_retention_days, 2, 365)
        check_range("key_deletion_window_days", self.key_deletion_window_days, 7, 30)


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
        check_range("stream_retention_hours", self.stream_retention_hours, 24, 8760)
        check_range("mock_events_per_minute", self.mock_events_per_minute, 1, 60_000)
        check_range("batch_size", self.batch_size, 1, 10_000)
        check_range("batch_window_seconds", self.batch_window_seconds, 0, 300)
        check_range("retry_attempts", self.retry_attempts, 0, 10_000)
        # Records given up after the stream dropped them would be lost without a trace in S3.
        check_range(
            "maximum_record_age_seconds",
            self.maximum_record_age_seconds,
            60,
            min(604_800, self.stream_retention_hours * 3600),
        )
        check_range("max_event_future_hours", self.max_event_future_hours, 0, 168)
        check_range("consumer_memory_mib", self.consumer_memory_mib, 256, 10_240)
        check_range("consumer_timeout_seconds", self.consumer_timeout_seconds, 10, 900)


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
        check_range("max_workers", self.max_workers, 2, 299)
        check_range("job_timeout_minutes", self.job_timeout_minutes, 10, 2880)
        check_range("max_concurrent_runs", self.max_concurrent_runs, 2, 50)
        check_pattern(
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
            check_pattern(
                name,
                getattr(self, name),
                r"ml\.[a-z0-9]+\.[a-z0-9]+",
                "a SageMaker instance type such as ml.m5.large",
            )
        check_range("transform_instance_count", self.transform_instance_count, 1, 20)
        check_range("transform_max_payload_mb", self.transform_max_payload_mb, 1, 100)
        # SageMaker takes at most 100 MB at once.
        check_range(
            "transform_concurrency",
            self.transform_concurrency,
            1,
            100 // self.transform_max_payload_mb,
        )
        check_range("transform_timeout_minutes", self.transform_timeout_minutes, 10, 2880)
        check_range("training_volume_gb", self.training_volume_gb, 5, 1000)
        check_range("training_timeout_minutes", self.training_timeout_minutes, 5, 2880)
        check_range("training_spot_wait_minutes", self.training_spot_wait_minutes, 0, 1440)
        for region, account in self.image_accounts.items():
            check_pattern(f"image_accounts[{region}]", account, r"\d{12}", "a 12-digit account")
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
        check_range("scan_limit_gib", self.scan_limit_gib, 1, 10_240)
        check_range("redshift_base_rpu", self.redshift_base_rpu, 8, 512)
        if self.redshift_base_rpu % 8:
            raise ConfigError(
                f"redshift_base_rpu is {self.redshift_base_rpu}: expected a multiple of 8"
            )
        check_range("redshift_max_rpu", self.redshift_max_rpu, self.redshift_base_rpu, 5632)
        check_range("redshift_daily_rpu_hours", self.redshift_daily_rpu_hours, 1, 1_000_000)
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
            check_pattern("emails", email, r"[^@\s]+@[^@\s]+\.[^@\s]+", "an e-mail address")
        for phone in self.phones:
            check_pattern("phones", phone, r"\+[1-9]\d{6,14}", "an E.164 number such as +15550100")
        check_range("iterator_age_minutes", self.iterator_age_minutes, 1, 1440)
        check_range("no_data_minutes", self.no_data_minutes, 5, 1440)
        check_range("quarantine_percent", self.quarantine_percent, 0.0, 100.0)
        check_range("anomaly_band_width", self.anomaly_band_width, 1.0, 10.0)
        check_range("tracker_band_width", self.tracker_band_width, 1.0, 10.0)
        check_range("tracker_least_texts", self.tracker_least_texts, 1, 1_000_000)
