"""What mock_server reads from its environment."""

from __future__ import annotations

from pydantic import Field

from lambdas.common.settings import FunctionSettings


class Settings(FunctionSettings):
    """Typed environment of the function.

    Attributes:
        event_stream: name of the Kinesis stream.
        seed: decides the people, the brands' fortunes, and what happens.
        events_per_tick: records a tick (one minute) sends on average over a day.
        population: people in the network.
        late_share: share of events that occurred hours to two days ago, a few long before.
        duplicate_share: share of records that repeat an event of the same mandate.
        malformed_share: share of records that break the contract.
    """

    event_stream: str = Field(alias="EVENT_STREAM", min_length=1)
    seed: int = Field(2015, alias="SEED")
    events_per_tick: int = Field(120, alias="EVENTS_PER_TICK", ge=1, le=100_000)
    population: int = Field(4000, alias="POPULATION", ge=10, le=1_000_000)
    late_share: float = Field(0.02, alias="LATE_SHARE", ge=0, le=1)
    duplicate_share: float = Field(0.02, alias="DUPLICATE_SHARE", ge=0, le=0.4)
    malformed_share: float = Field(0.005, alias="MALFORMED_SHARE", ge=0, le=0.4)
