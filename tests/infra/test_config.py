"""Configuration fails at synthesis, by the field's name."""

from dataclasses import FrozenInstanceError, replace

import pytest

from infra.config import (
    STAGES,
    AlarmConfig,
    IngestConfig,
    MlConfig,
    ProcessingConfig,
    StorageConfig,
    WarehouseConfig,
    load_stage,
)
from infra.errors import ConfigError, UnknownStageError


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_valid(stage):
    assert load_stage(stage).stage == stage


def test_an_unknown_stage_names_the_known_ones():
    with pytest.raises(UnknownStageError) as error:
        load_stage("staging")
    assert str(error.value) == "stage is 'staging': expected one of dev, prod, full"


def test_configuration_cannot_be_changed_after_it_was_checked():
    with pytest.raises(FrozenInstanceError):
        load_stage("dev").stage = "prod"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: WarehouseConfig(redshift_base_rpu=12),
            "redshift_base_rpu is 12: expected a multiple of 8",
        ),
        (
            lambda: WarehouseConfig(redshift_zones=(0, 0, 1)),
            r"redshift_zones is (0, 0, 1): expected three different places",
        ),
        (
            lambda: StorageConfig(retains_data=True, landing_retention_days=1),
            "landing_retention_days is 1: expected 2 to 3650",
        ),
        (
            lambda: IngestConfig(stream_retention_hours=12, mock_server_enabled=False),
            "stream_retention_hours is 12: expected 24 to 8760",
        ),
        (
            lambda: IngestConfig(
                stream_retention_hours=24,
                mock_server_enabled=False,
                maximum_record_age_seconds=90_000,
            ),
            "maximum_record_age_seconds is 90000: expected 60 to 86400",
        ),
        (
            lambda: IngestConfig(
                stream_retention_hours=24, mock_server_enabled=False, batch_size=10_001
            ),
            "batch_size is 10001: expected 1 to 10000",
        ),
        (
            lambda: ProcessingConfig(schedule_minutes=7),
            "schedule_minutes is 7: expected a divisor of 1440 that is at least 5",
        ),
        (
            lambda: ProcessingConfig(max_concurrent_runs=1),
            "max_concurrent_runs is 1: expected 2 to 50",
        ),
        (
            lambda: MlConfig(image_accounts={"eu-west-1": "12"}),
            "image_accounts[eu-west-1] is '12': expected a 12-digit account",
        ),
        (
            lambda: AlarmConfig(emails=("nobody",)),
            "emails is 'nobody': expected an e-mail address",
        ),
        (
            lambda: AlarmConfig(phones=("0155",)),
            "phones is '0155': expected an E.164 number such as +15550100",
        ),
        (
            lambda: replace(load_stage("dev"), log_retention_days=8),
            "log_retention_days is 8: expected one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, "
            "365, 400, 545, 731",
        ),
        (
            lambda: replace(load_stage("dev"), database_prefix="Vox-Lake"),
            "database_prefix is 'Vox-Lake': expected lower-case letters, digits and underscores "
            "(Athena folds names to lower case)",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_name_value_and_limit(make, message):
    with pytest.raises(ConfigError) as error:
        make()
    assert str(error.value) == message


def test_landing_outlives_two_schedules():
    config = load_stage("dev")
    with pytest.raises(ConfigError) as error:
        replace(
            config,
            storage=replace(config.storage, landing_retention_days=2),
            processing=replace(config.processing, schedule_minutes=1440),
        )
    assert str(error.value) == (
        "landing_retention_days is 2: expected more than two schedules (2880 minutes), "
        "or records expire unprocessed"
    )


def test_stages_differ_as_documented():
    dev, prod, full = map(load_stage, STAGES)
    assert [s.storage.retains_data for s in (dev, prod, full)] == [False, True, True]
    assert [s.ingest.mock_server_enabled for s in (dev, prod, full)] == [True, False, True]
    assert prod.ingest.stream_retention_hours == 7 * 24
    assert dev.processing.schedule_minutes == 60
