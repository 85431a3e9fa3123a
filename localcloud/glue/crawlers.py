"""Crawlers: what they may be asked, their states and schedules, the thread that runs a crawl."""

from __future__ import annotations

import contextlib
import json
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

from localcloud.errors import ServiceError
from localcloud.events.schedule import parse
from localcloud.glue.crawl import Crawl
from localcloud.glue.logs import LogShipper

_SCHEDULE_SECONDS = 5
SETTINGS = {
    "Name", "Role", "DatabaseName", "Description", "Targets", "Schedule", "SchemaChangePolicy",
    "RecrawlPolicy", "Configuration", "Tags",
}  # fmt: skip
_NEW_FOLDERS = {"RecrawlBehavior": "CRAWL_NEW_FOLDERS_ONLY"}
_LOG_ONLY = {"UpdateBehavior": "LOG", "DeleteBehavior": "LOG"}


@dataclass
class CrawlerState:
    """What the laptop cloud knows of one crawler beyond its definition."""

    state: str = "READY"
    seen: set[str] = field(default_factory=set)  # locations crawled so far
    last_crawl: dict[str, Any] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)  # of its crawls so far
    counts: dict[str, int] = field(default_factory=dict)  # of the last
    fires_at: datetime | None = None
    expression: str | None = None


def check(crawler: dict[str, Any]) -> None:
    """Refuse by name what a crawl here would not honour. Raises InvalidInputException."""
    configuration = json.loads(crawler.get("Configuration") or "{}")
    level = (configuration.get("Grouping") or {}).get("TableLevelConfiguration")
    targets = (crawler.get("Targets") or {}).get("S3Targets") or []
    output = {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}
    given = {name: value for name, value in crawler.items() if value and name not in SETTINGS}
    expected = {
        **{name: (value, None) for name, value in given.items()},
        "Targets": (crawler.get("Targets"), {"S3Targets": targets}),
        "RecrawlPolicy": (crawler.get("RecrawlPolicy"), _NEW_FOLDERS),
        "SchemaChangePolicy": (crawler.get("SchemaChangePolicy"), _LOG_ONLY),
        "CrawlerOutput": (configuration.get("CrawlerOutput", output), output),
        "TableLevelConfiguration": (isinstance(level, int), True),
        "Exclusions": ([t for t in targets if set(str(t.get("Exclusions"))) & set("{}!")], []),
        "S3Targets": ([t for t in targets if set(t) - {"Path", "Exclusions"}], []),
    }
    for name, (found, wanted) in expected.items():
        if found != wanted:
            message = f"{name}: expected {wanted}, found {found}; crawlers here do nothing else"
            raise ServiceError("InvalidInputException", message)


class Crawlers:
    """Runs crawls; the definitions of crawlers are moto's."""

    def __init__(self, cloud: Any) -> None:
        self._cloud = cloud
        self._lock = threading.Lock()
        self.states: dict[str, CrawlerState] = {}

    def state(self, name: str) -> CrawlerState:
        """Return a crawler's state; READY for one that never ran."""
        return self.states.setdefault(name, CrawlerState())

    def definition(self, name: str) -> dict[str, Any]:
        """Return moto's definition. Raises ServiceError EntityNotFoundException."""
        glue = self._cloud.client("glue")
        try:
            return glue.get_crawler(Name=name)["Crawler"]
        except glue.exceptions.EntityNotFoundException as error:
            message = error.response["Error"]["Message"]
            raise ServiceError("EntityNotFoundException", message) from None

    def start(self, name: str) -> None:
        """Start a crawl. Raises ServiceError CrawlerRunningException."""
        crawler = self.definition(name)
        state = self.state(name)
        with self._lock:
            if state.state != "READY":
                raise ServiceError("CrawlerRunningException", f"Crawler {name} is already running")
            state.state = "RUNNING"
        threading.Thread(target=self._run, args=(crawler, state), daemon=True).start()

    def shown(self, crawler: dict[str, Any]) -> dict[str, Any]:
        """Return a definition of moto's with the real state."""
        state = self.state(crawler["Name"])
        shown = {**crawler, "State": state.state}
        return shown | {"LastCrawl": state.last_crawl} if state.last_crawl else shown

    def metrics(self, name: str) -> dict[str, Any]:
        """Return what GetCrawlerMetrics tells of a crawler."""
        state = self.state(name)
        counts = {
            f"Tables{change}": state.counts.get(f"tables{change}", 0)
            for change in ("Created", "Updated", "Deleted")
        }
        return {
            "CrawlerName": name, "TimeLeftSeconds": 0.0, "StillEstimating": False,
            "LastRuntimeSeconds": state.seconds[-1] if state.seconds else 0.0,
            "MedianRuntimeSeconds": median(state.seconds or [0.0]),
        } | counts  # fmt: skip

    def run_schedules(self) -> None:
        """Start crawlers when their schedules say so, until the cloud stops."""
        while not self._cloud.stop_event.is_set():
            now = self._cloud.clock.now()
            for crawler in self._cloud.client("glue").get_crawlers().get("Crawlers", []):
                expression = (crawler.get("Schedule") or {}).get("ScheduleExpression")
                state = self.state(crawler["Name"])
                if not expression:
                    continue
                if expression != state.expression:
                    state.expression, state.fires_at = expression, parse(expression).after(now)
                if state.fires_at and now >= state.fires_at:
                    state.fires_at = parse(expression).after(now)
                    with contextlib.suppress(ServiceError):  # still running: Glue skips it too
                        self.start(crawler["Name"])
            self._cloud.clock.sleep(_SCHEDULE_SECONDS)

    def _run(self, crawler: dict[str, Any], state: CrawlerState) -> None:
        name, crawl_id, group = crawler["Name"], str(uuid.uuid4()), "/aws-glue/crawlers"
        record = {"StartTime": self._cloud.clock.now(), "MessagePrefix": crawl_id}
        record |= {"LogGroup": group, "LogStream": name, "Status": "SUCCEEDED"}
        path = Path(self._cloud.log_dir) / "glue" / f"crawler-{name}.{crawl_id}.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        counts: dict[str, int] = {}
        with path.open("w") as file:

            def log(line: str) -> None:
                file.write(f"[{crawl_id}] {line}\n")

            try:
                crawl = Crawl(self._cloud, crawler, state.seen, log)
                counts = crawl.counts
                crawl.run()
            except Exception as error:  # a crawl must end with a reason whatever it is
                record |= {"Status": "FAILED", "ErrorMessage": str(error)}
                log(f"ERROR {type(error).__name__}: {error}")
        LogShipper(self._cloud, path, group, name).ship(final=True)
        taken = (self._cloud.clock.now() - record["StartTime"]).total_seconds()
        state.counts, state.seconds = counts, [*state.seconds, taken]
        state.last_crawl, state.state = record, "READY"
        ended = "Succeeded" if record["Status"] == "SUCCEEDED" else "Failed"
        detail = {"crawlerName": name, "state": ended, "accountId": self._cloud.account}
        detail |= {key: str(value) for key, value in counts.items()}
        self._cloud.emit_event("aws.glue", "Glue Crawler State Change", detail)
