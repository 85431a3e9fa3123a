"""web_api behind the laptop's gateway with authorizers enforced, and tokens of a local issuer.

Not the whole template: the function from the checkout, the tables, and an API of the template's
form.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from localcloud import server
from tests.e2e.lake import ROOT
from tests.servers.issuer import Issuer
from tests.unit.lambdas import api_kit

SERVICES = [
    "localcloud.sts.service:StsService",
    "localcloud.lambda_.service:LambdaService",
    "localcloud.apigateway.service:ApiGatewayService",
]
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
GRANTS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:UpdateItem"],
            "Resource": "*",
        }
    ],
}


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture(scope="module")
def call(issuer, tmp_path_factory) -> Iterator[Callable]:
    """Calls the deployed API; the answer's status and document."""
    patch = pytest.MonkeyPatch()
    patch.setenv("LOCALCLOUD_ENFORCE_AUTHORIZERS", "1")
    with server.start(tmp_path_factory.mktemp("cloud"), services=SERVICES) as cloud:
        for name, value in cloud.root_environment().items():
            patch.setenv(name, value)
        api_kit.make_tables()
        api = _deploy(cloud, issuer)

        def made(method: str, path: str, token: str | None = None, body: object = None):
            headers = {"Content-Type": "application/json"}
            if token is not None:
                headers["Authorization"] = f"Bearer {token}"
            request = urllib.request.Request(
                f"{cloud.endpoint}/_apigateway/{api}{path}",
                json.dumps(body).encode() if body is not None else None,
                headers,
                method=method,
            )
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            try:
                with opener.open(request) as answer:
                    return answer.status, json.load(answer)
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read())

        yield made
    patch.undo()


def _deploy(cloud, issuer: Issuer) -> str:
    iam = cloud.client("iam")
    role = iam.create_role(RoleName="web", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="web", PolicyName="may", PolicyDocument=json.dumps(GRANTS))
    functions = cloud.client("lambda")
    function = functions.create_function(
        FunctionName="web_api",
        Runtime="python3.12",
        Role=role["Role"]["Arn"],
        Handler="lambdas.web_api.handler.handler",
        Code={"ZipFile": b"PK\x05\x06" + bytes(18)},
        Environment={"Variables": api_kit.ENVIRONMENT | {"POWERTOOLS_SERVICE_NAME": "web_api"}},
        Timeout=28,
    )["FunctionArn"]
    cloud.services["lambda"].register("web_api", ROOT)
    gateway = cloud.client("apigatewayv2")
    api = gateway.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
    gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
    target = gateway.create_integration(
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function,
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    authorizer = gateway.create_authorizer(
        ApiId=api,
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer.url, "Audience": ["voxlake"]},
        Name="Tokens",
    )["AuthorizerId"]
    guard = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
    for key, how in (("ANY /v1/{proxy+}", guard), ("GET /v1/tickets/{ticket_id}", {})):
        gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{target}", **how)
    functions.add_permission(
        FunctionName=function,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{cloud.region}:{cloud.account}:{api}/*/*/v1/*",
    )
    return api


def test_a_good_token_gets_in_and_its_subject_is_recorded_on_the_ticket(call, issuer):
    ticket_id = api_kit.put_ticket(1)
    action = {"action": "close", "note": "phoned"}
    status, ticket = call("POST", f"/v1/tickets/{ticket_id}/actions", issuer.token(), action)
    assert (status, ticket["state"], ticket["revision"]) == (200, "closed", 2)
    last = ticket["history"][-1]
    assert (last["what"], last["who"], last["note"]) == ("closed", "agent:kim", "phoned")


@pytest.mark.parametrize("claims", [None, {"aud": "another"}, {"exp": 1_700_000_000}])
def test_no_token_a_wrong_audience_and_an_expired_one_are_refused(call, issuer, claims):
    ticket_id = api_kit.put_ticket(2)
    token = None if claims is None else issuer.token(**claims)
    for method, path in (("GET", "details"), ("POST", "actions")):
        refused = call(method, f"/v1/tickets/{ticket_id}/{path}", token, {"action": "close"})
        assert refused == (401, {"message": "Unauthorized"})
    assert call("GET", f"/v1/tickets/{ticket_id}")[1]["state"] == "open"


def test_an_encoded_slash_does_not_lead_past_the_authorizer(call):
    """The gateway takes it for the public route, which has no authorizer; the app sees the other
    path, and refuses whom no authorizer saw."""
    ticket_id = api_kit.put_ticket(3)
    status, said = call("GET", f"/v1/tickets/{ticket_id}%2Fdetails")
    assert status in (401, 404)
    assert "text" not in said
