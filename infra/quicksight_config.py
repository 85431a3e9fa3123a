"""Settings of the dashboard in QuickSight."""

from dataclasses import dataclass

from infra.checks import check_pattern, check_range
from infra.errors import ConfigError

_PRINCIPAL = (
    r"arn:aws[a-z-]*:quicksight:[a-z0-9-]+:\d{12}:(user|group)/[A-Za-z0-9_.-]+/[^\s,]{1,256}"
)


@dataclass(frozen=True, kw_only=True)
class QuickSightConfig:
    """The dashboard, which a stage has from when it names somebody who owns it.

    The account needs a subscription to QuickSight (docs/quicksight.md).
    """

    # ARNs of QuickSight's users and groups. Owners may change and share what is made.
    owners: tuple[str, ...] = ()
    # May look at the dashboard, and nothing else.
    readers: tuple[str, ...] = ()
    # When what is kept in SPICE is brought up to date.
    refresh_hour_utc: int = 4
    # So many days are taken anew every day; what changes further back comes on Sundays.
    refresh_days: int = 7

    def __post_init__(self) -> None:
        for name in ("owners", "readers"):
            # A resource's permissions hold a hundred.
            check_range(f"number of {name}", len(getattr(self, name)), 0, 50)
            for principal in getattr(self, name):
                check_pattern(
                    name,
                    principal,
                    _PRINCIPAL,
                    "the ARN of a user or group of QuickSight, such as "
                    "arn:aws:quicksight:us-east-1:123456789012:group/default/analysts",
                )
        if self.readers and not self.owners:
            raise ConfigError("owners is (): expected at least one where there are readers")
        if both := sorted({*self.owners} & {*self.readers}):
            raise ConfigError(f"readers has {both[0]}, who is an owner: expected it once")
        check_range("refresh_hour_utc", self.refresh_hour_utc, 0, 23)
        check_range("refresh_days", self.refresh_days, 1, 90)

    @property
    def enabled(self) -> bool:
        return bool(self.owners)
