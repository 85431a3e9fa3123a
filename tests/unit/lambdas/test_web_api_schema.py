"""web_api against its own OpenAPI document: whatever comes in, no 5xx and no other answer."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from moto import mock_aws
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from lambdas.web_api.app import make_app
from tests.unit.lambdas import api_kit
from voxlake.tickets.ids import make_ticket_id

TOKEN = "Bearer good"
state: dict = {}


async def signed_in(scope, receive, send) -> None:
    """What the gateway does: a good token becomes claims; which those are is not the app's."""
    headers = dict(scope.get("headers", ()))
    claims = {"authorizer": {"jwt": {"claims": {"sub": "kim"}}}}
    context = claims if headers.get(b"authorization") == TOKEN.encode() else {}
    scope["aws.event"] = {"requestContext": {"requestId": "r", **context}}
    await app(scope, receive, send)


app = make_app(lambda: state["services"])
schema = schemathesis.openapi.from_asgi("/v1/openapi.json", signed_in)
schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
# Which cursors and queues there are is no matter of the document; and the ids put in here are right
# where the generator meant wrong ones.
NOT_OURS = [positive_data_acceptance, negative_data_rejection]
TICKET = make_ticket_id("BAG", api_kit.START, "x", "p0")
# Generated ids are of nothing; these are of something, half of the time.
KNOWN = {"video_id": api_kit.VIDEO, "tracker_id": "aurora_air", "ticket_id": TICKET}


@pytest.fixture(scope="module", autouse=True)
def _running() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        patch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "testing")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        api_kit.make_tables()
        for number in range(3):
            api_kit.put_text(number, "bad", api_kit.START, thread_id=api_kit.VIDEO)
            assert api_kit.put_ticket(number)
        state["services"] = api_kit.make_services()
        yield
    patch.undo()


@schema.parametrize()
@settings(
    max_examples=int(os.environ.get("VOXLAKE_EXAMPLES", "10")),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_answer_outside_the_document(case):
    if case.path_parameters and len(repr(case.body)) % 2:
        for name in set(case.path_parameters) & set(KNOWN):
            case.path_parameters[name] = KNOWN[name]
    case.call_and_validate(headers={"Authorization": TOKEN}, excluded_checks=NOT_OURS)
