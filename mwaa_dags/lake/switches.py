"""Turning what feeds the lake on and off; the provider has no operator for mappings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from airflow.providers.amazon.aws.hooks.eventbridge import EventBridgeHook
from airflow.providers.amazon.aws.hooks.lambda_function import LambdaHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from lake.failures import LeavesError

_LOOK_SECONDS = 1


class _SwitchMappings(AwsBaseOperator[LambdaHook]):
    aws_hook_class = LambdaHook
    template_fields: Sequence[str] = aws_template_fields("mappings")

    def __init__(self, *, mappings: list[str], on: bool, **options: Any) -> None:
        super().__init__(**options)
        self.mappings = mappings
        self.on = on

    def execute(self, context: Any) -> None:
        client, wanted = self.hook.conn, "Enabled" if self.on else "Disabled"
        for mapping in self.mappings:
            client.update_event_source_mapping(UUID=mapping, Enabled=self.on)
        for mapping in self.mappings:
            while client.get_event_source_mapping(UUID=mapping)["State"] != wanted:
                time.sleep(_LOOK_SECONDS)  # execution_timeout ends it
            self.log.info("%s is %s", mapping, wanted)


class SwitchMappings(LeavesError, _SwitchMappings):
    """Turns event source mappings on or off and waits until they are.

    A mapping that is off keeps its place in the stream, for as long as the stream keeps records.

    Args:
        mappings: their ids (templated).
    """


class _SwitchSchedules(AwsBaseOperator[EventBridgeHook]):
    aws_hook_class = EventBridgeHook
    template_fields: Sequence[str] = aws_template_fields("rules", "sources")

    def __init__(self, *, rules: dict[str, str], sources: str, on: bool, **options: Any) -> None:
        super().__init__(**options)
        self.rules = rules
        self.sources = sources
        self.on = on

    def execute(self, context: Any) -> list[str]:
        chosen = [] if self.sources == "none" else self.sources.split(",")
        if unknown := [source for source in chosen if source not in self.rules]:
            raise ValueError(
                f"expected sources among {', '.join(self.rules)}, found {', '.join(unknown)}"
            )
        switch = self.hook.conn.enable_rule if self.on else self.hook.conn.disable_rule
        for source in chosen:
            switch(Name=self.rules[source])
            self.log.info("%s is %s", source, "on" if self.on else "off")
        return chosen


class SwitchSchedules(LeavesError, _SwitchSchedules):
    """Enables or disables the schedules of sources.

    Args:
        rules: {source: name of its rule} (templated).
        sources: which of them, parted by commas; none turns nothing (templated).

    Raises ValueError for a source that there is not.
    """
