"""Settings of what listens and answers: sources, stream path, replies, API, page."""

from dataclasses import dataclass

from infra.checks import check_pattern, check_range
from infra.errors import ConfigError
from voxlake.trackers import load_trackers

REPLY_MODES = ("off", "dry_run", "live")


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
        check_range("number of youtube_videos", len(self.youtube_videos), 0, 200)
        for video in self.youtube_videos:
            check_pattern("youtube_videos", video, r"[A-Za-z0-9_-]{11}", "a video's id")
        check_range("youtube_daily_units", self.youtube_daily_units, 1, 100_000_000)
        known = [tracker.id for tracker in load_trackers().trackers]
        for tracker in self.x_trackers:
            if tracker not in known:
                raise ConfigError(
                    f"x_trackers has {tracker!r}: expected ids of trackers.yaml "
                    f"({', '.join(known)})"
                )
        check_range("x_daily_posts", self.x_daily_posts, 1, 10_000_000)
        for name in ("youtube_schedule_minutes", "x_schedule_minutes"):
            # Longer than a run may take, so that runs do not meet.
            check_range(name, getattr(self, name), 6, 1440)
        for name in ("youtube_api_url", "x_api_url"):
            check_pattern(
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
        check_range("batch_size", self.batch_size, 1, 1000)
        check_range("batch_window_seconds", self.batch_window_seconds, 0, 300)
        check_range("memory_mib", self.memory_mib, 512, 10_240)
        check_range("timeout_seconds", self.timeout_seconds, 30, 900)
        check_range("score_days", self.score_days, 1, 365)


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
        check_range("number of sources", len(self.sources), 1, 10)
        for source in self.sources:
            check_pattern("sources", source, r"[a-z][a-z0-9_]{0,31}", "a source's name")
        check_pattern("account_id", self.account_id, r"\d{0,20}", "digits")
        if self.mode == "live" and not self.account_id:
            raise ConfigError("account_id is '': expected the id of the account that posts")
        check_pattern(
            "x_api_url", self.x_api_url, r"https?://[^\s/]+(/[^\s?#]*)?", "a URL without a query"
        )
        check_range("min_confidence", self.min_confidence, 0.0, 1.0)
        check_range("max_age_hours", self.max_age_hours, 1, 1_000_000)
        check_range("author_per_day", self.author_per_day, 1, 100)
        check_range("per_hour", self.per_hour, 1, 100_000)
        check_range("per_day", self.per_day, 1, 100_000)
        check_range("settle_seconds", self.settle_seconds, 30, 900)
        check_range("batch_size", self.batch_size, 1, 10)
        check_range("max_receives", self.max_receives, 3, 100)
        check_range("oldest_message_alarm_minutes", self.oldest_message_alarm_minutes, 5, 1440)
        # A message takes about 25 seconds where X does not answer.
        check_range("timeout_seconds", self.timeout_seconds, 30 * self.batch_size, 900)

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
            check_pattern("jwt_issuer", self.jwt_issuer, r"https://[^\s/?#]+(/[^\s?#]*)?", "a URL")
            check_range("number of jwt_audience", len(self.jwt_audience), 1, 50)
        check_range("memory_mib", self.memory_mib, 512, 10_240)
        check_range("timeout_seconds", self.timeout_seconds, 3, 29)
        check_range("requests_per_second", self.requests_per_second, 1, 10_000)
        check_range("burst", self.burst, 1, 5_000)
        check_range("p99_alarm_milliseconds", self.p99_alarm_milliseconds, 100, 30_000)

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
            check_pattern("domain", self.domain, r"([a-z0-9-]+\.)+[a-z]{2,}", "a domain name")
            check_pattern(
                "certificate_arn",
                self.certificate_arn,
                r"arn:aws:acm:us-east-1:\d{12}:certificate/[0-9a-f-]+",
                "an ACM certificate of us-east-1",
            )
