"""A job's arguments, as Glue passes them: ``--name value`` pairs, its own among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields

from glue_jobs.common.errors import MissingArgumentError
from voxlake.ledger.rules import NO_RESCORE


@dataclass(frozen=True)
class JobArguments:
    """What every job is told.

    Attributes:
        run_id: of the batch run, ``<YYYYMMDDTHHMMSS>-<6 hex>``.
        ledger_table: name of the DynamoDB table.
        landing_bucket, cleansed_bucket, analytics_bucket, artifacts_bucket: bucket names.
        pseudonym_secret_arn: secret with ``{"key_id", "key"}``.
        database_prefix: databases are ``<prefix>_<zone>``.
        rescore: days to score again, ``<first>/<last>`` or ``none``.
        lease_wait_seconds: how long to wait for tables that another run is writing.
        tickets_table, scores_table: the stream path's DynamoDB tables; only tickets_to_analytics
            has them.
        metrics_namespace: CloudWatch namespace of what the job counts; empty: nothing.
    """

    run_id: str
    ledger_table: str
    landing_bucket: str
    cleansed_bucket: str
    analytics_bucket: str
    artifacts_bucket: str
    pseudonym_secret_arn: str
    database_prefix: str = "voxlake"
    rescore: str = NO_RESCORE
    lease_wait_seconds: float = 900.0
    tickets_table: str = ""
    scores_table: str = ""
    metrics_namespace: str = ""

    def demand(self, *names: str) -> None:
        """Raises MissingArgumentError unless all of these, which not every job needs, are there."""
        if missing := [name for name in names if not getattr(self, name)]:
            raise MissingArgumentError(missing)

    @classmethod
    def parse(cls, argv: Sequence[str]) -> JobArguments:
        """From the command line; arguments meant for Glue itself are passed over.

        Raises:
            MissingArgumentError: names every argument that is not there.
        """
        given: dict[str, str] = {}
        for position, argument in enumerate(argv):
            name, equals, value = argument.removeprefix("--").partition("=")
            if not argument.startswith("--"):
                continue
            if equals:
                given[name] = value
            elif position + 1 < len(argv) and not argv[position + 1].startswith("--"):
                given[name] = argv[position + 1]
        missing = [
            field.name
            for field in fields(cls)
            if field.default is MISSING and not given.get(field.name)
        ]
        if missing:
            raise MissingArgumentError(missing)
        chosen = {field.name: given[field.name] for field in fields(cls) if given.get(field.name)}
        if "lease_wait_seconds" in chosen:
            return cls(**{**chosen, "lease_wait_seconds": float(chosen["lease_wait_seconds"])})
        return cls(**chosen)
