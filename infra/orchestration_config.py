"""Settings of what runs the batch path: the simple schedule, or Airflow on Amazon MWAA."""

from dataclasses import dataclass

from infra.checks import check_pattern, check_range
from infra.errors import ConfigError

ORCHESTRATORS = ("mwaa", "schedule")
# https://docs.aws.amazon.com/mwaa/latest/userguide/environment-class.html
ENVIRONMENT_CLASSES = ("micro", "small", "medium", "large", "1.xlarge", "2.xlarge")
PRIVATE_ACCESS = ("nat", "endpoints")
WEB_SERVER_ACCESS = ("PUBLIC_ONLY", "PRIVATE_ONLY")
LOG_LEVELS = ("CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG")


@dataclass(frozen=True, kw_only=True)
class AirflowConfig:
    """The environment, for stages whose orchestrator is `mwaa`.

    Attributes:
        private_access: how its private subnets reach AWS: through a NAT gateway, or through
            endpoints of each service and nothing else. docs/deploy.md has what either costs.
        web_server_access: with PUBLIC_ONLY Airflow's pages are on the internet for who signs in by
            IAM; PRIVATE_ONLY needs a way into the network, which the template does not make.
        zones: places in the region's list of zones; MWAA is not in all, and wants two.
    """

    version: str = "3.0.6"
    environment_class: str = "mw1.small"
    min_workers: int = 1
    max_workers: int = 2
    private_access: str = "nat"
    web_server_access: str = "PUBLIC_ONLY"
    zones: tuple[int, ...] = (0, 1)
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        check_pattern("airflow.version", self.version, r"3\.\d+\.\d+", "Airflow 3, as 3.0.6")
        classes = tuple(f"mw1.{size}" for size in ENVIRONMENT_CLASSES)
        _check_one_of("airflow.environment_class", self.environment_class, classes)
        _check_one_of("airflow.private_access", self.private_access, PRIVATE_ACCESS)
        _check_one_of("airflow.web_server_access", self.web_server_access, WEB_SERVER_ACCESS)
        _check_one_of("airflow.log_level", self.log_level, LOG_LEVELS)
        # The smallest class has one worker, which is its scheduler too.
        most = 1 if self.environment_class == "mw1.micro" else 25
        check_range("airflow.max_workers", self.max_workers, 1, most)
        check_range("airflow.min_workers", self.min_workers, 1, self.max_workers)
        if len(self.zones) != 2 or len(set(self.zones)) != 2 or min(self.zones) < 0:
            raise ConfigError(f"airflow.zones is {self.zones}: expected two different places")


def check_orchestrator(name: str) -> None:
    """Raises ConfigError for another orchestrator than `ORCHESTRATORS`."""
    _check_one_of("orchestrator", name, ORCHESTRATORS)


def cron_every(minutes: int) -> str:
    """A cron expression that is due every so many minutes, from midnight on.

    Raises:
        ConfigError: cron cannot say it: it counts minutes within an hour and hours within a day.
    """
    if minutes < 60 and 60 % minutes == 0:
        return f"*/{minutes} * * * *"
    if minutes % 60 == 0 and 1440 % minutes == 0:
        return {60: "0 * * * *", 1440: "0 0 * * *"}.get(minutes, f"0 */{minutes // 60} * * *")
    raise ConfigError(
        f"schedule_minutes is {minutes}: expected, with the orchestrator mwaa, a divisor of 60 or "
        "whole hours that divide a day"
    )


def _check_one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name} is {value!r}: expected one of {', '.join(allowed)}")
