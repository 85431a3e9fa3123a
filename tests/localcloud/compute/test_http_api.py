"""HTTP APIs: which route answers, what its function gets and gives, whom authorizers let in."""

from __future__ import annotations

import hmac
import json
import time
import urllib.error
import urllib.request
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from localcloud.apigateway.routing import problem, select
from localcloud.core import Cloud
from tests.localcloud.compute.conftest import eventually, make_function
from tests.servers.issuer import Issuer

ECHO = """
import json
def handler(event, context):
    if event["rawPath"] == "/v1/fails":
        raise ValueError("inner")
    if event["rawPath"] == "/v1/plain":
        return {"said": "plain"}
    if event["rawPath"] == "/v1/bytes":
        return {"statusCode": 201, "body": "AAH/", "isBase64Encoded": True,
                "headers": {"Content-Type": "image/x", "X-One": "1"}, "cookies": ["a=1", "b=2"]}
    if event["rawPath"] == "/v1/wrong":
        return {"statusCode": "many"}
    return {"statusCode": 200, "headers": {"content-type": "application/json"},
            "body": json.dumps(event)}
"""


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    """A deployed API: two public routes, and everything else behind the authorizer."""

    def __init__(self, cloud: Cloud, issuer: Issuer, scopes: tuple[str, ...] = ()) -> None:
        self.cloud = cloud
        self.client = cloud.client("apigatewayv2")
        self.arn = make_function(cloud, f"echo-{time.monotonic_ns()}", ECHO)
        self.id = self.client.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
        self.client.create_stage(ApiId=self.id, StageName="$default", AutoDeploy=True)
        integration = self.client.create_integration(
            ApiId=self.id,
            IntegrationType="AWS_PROXY",
            IntegrationUri=self.arn,
            PayloadFormatVersion="2.0",
        )["IntegrationId"]
        authorizer = self.client.create_authorizer(
            ApiId=self.id,
            AuthorizerType="JWT",
            IdentitySource=["$request.header.Authorization"],
            JwtConfiguration={"Issuer": issuer.url, "Audience": ["voxlake"]},
            Name="tokens",
        )["AuthorizerId"]
        for key in ("GET /v1/open/{id}", "ANY /v1/{proxy+}"):
            guard: dict[str, Any] = {}
            if key.startswith("ANY"):
                guard = {"AuthorizationType": "JWT", "AuthorizerId": authorizer}
                guard |= {"AuthorizationScopes": list(scopes)} if scopes else {}
            self.client.create_route(
                ApiId=self.id, RouteKey=key, Target=f"integrations/{integration}", **guard
            )
        self.permit(f"{self.id}/*/*/v1/*")

    def permit(self, source: str) -> None:
        self.cloud.client("lambda").add_permission(
            FunctionName=self.arn,
            StatementId=f"s{time.monotonic_ns()}",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{self.cloud.region}:{self.cloud.account}:{source}",
        )

    def call(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        address = f"{self.cloud.endpoint}/_apigateway/{self.id}{path}"
        return fetch(urllib.request.Request(address, body, named, method=method))


def fetch(request: urllib.request.Request) -> Answer:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with Issuer() as running:
        yield running


@pytest.fixture(scope="module")
def api(cloud: Cloud, issuer: Issuer) -> Api:
    return Api(cloud, issuer)


@pytest.fixture
def enforced(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud.services["apigatewayv2"], "enforces", True)


# ----- routes

KEYS = ["GET /pets/dog/1", "GET /pets/dog/{id}", "GET /pets/{proxy+}", "ANY /{proxy+}", "$default"]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/pets/dog/1", ("GET /pets/dog/1", {})),
        ("GET", "/pets/dog/2", ("GET /pets/dog/{id}", {"id": "2"})),
        ("GET", "/pets/cat/1", ("GET /pets/{proxy+}", {"proxy": "cat/1"})),
        ("POST", "/test/5", ("ANY /{proxy+}", {"proxy": "test/5"})),
        ("GET", "/pets/dog/", ("GET /pets/{proxy+}", {"proxy": "dog/"})),
        ("GET", "/", ("$default", {})),
    ],
)
def test_the_most_specific_route_is_selected(method, path, expected):
    assert select(KEYS, method, path) == expected
    assert select(KEYS[::-1], method, path) == expected


def test_a_method_goes_before_any_and_no_match_is_no_route():
    assert select(["ANY /a", "GET /a"], "GET", "/a") == ("GET /a", {})
    assert select(["GET /a"], "POST", "/a") == (None, None)
    assert select(["GET /a.b"], "GET", "/axb") == (None, None)


@pytest.mark.parametrize("key", ["/a", "FETCH /a", "GET a", "GET /{a+}/b"])
def test_a_route_key_of_another_form_is_refused(api, key):
    assert problem(key)
    with pytest.raises(api.client.exceptions.BadRequestException):
        api.client.create_route(ApiId=api.id, RouteKey=key)


# ----- payloads


def test_a_function_gets_payload_format_2(api):
    event = api.call(
        "/v1/a%20b/c?x=1&y=a%2Cb&x=2",
        "POST",
        b'{"a": 1}',
        content_type="application/json",
        cookie="one=1; two=2",
        X_Thing="t",
        user_agent="agent",
    ).json
    context = event.pop("requestContext")
    headers = event.pop("headers")
    assert event == {
        "version": "2.0",
        "routeKey": "ANY /v1/{proxy+}",
        "rawPath": "/v1/a b/c",
        "rawQueryString": "x=1&y=a%2Cb&x=2",
        "cookies": ["one=1", "two=2"],
        "queryStringParameters": {"x": "1,2", "y": "a,b"},
        "pathParameters": {"proxy": "a b/c"},
        "body": '{"a": 1}',
        "isBase64Encoded": False,
    }
    assert headers["x-thing"] == "t"
    assert "cookie" not in headers
    assert context["authorizer"] == {"jwt": {"claims": {"sub": "laptop"}, "scopes": None}}
    assert context["http"] == {
        "method": "POST",
        "path": "/v1/a b/c",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": "agent",
    }
    assert context["domainName"] == f"{api.id}.execute-api.us-east-1.amazonaws.com"
    assert (context["stage"], context["apiId"]) == ("$default", api.id)


def test_bytes_go_in_and_out_as_base64(api):
    event = api.call("/v1/a", "PUT", b"\x00\xff", content_type="application/octet-stream").json
    assert (event["body"], event["isBase64Encoded"]) == ("AP8=", True)
    answer = api.call("/v1/bytes")
    assert (answer.status, answer.body) == (201, b"\x00\x01\xff")
    assert (answer.headers["content-type"], answer.headers["x-one"]) == ("image/x", "1")
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_an_answer_without_a_status_is_the_body_of_a_200(api):
    answer = api.call("/v1/plain")
    assert (answer.status, answer.json) == (200, {"said": "plain"})
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("path", ["/v1/fails", "/v1/wrong"])
def test_what_fails_inside_is_a_500_that_says_nothing_of_it(api, path):
    answer = api.call(path)
    assert (answer.status, answer.json) == (500, {"message": "Internal Server Error"})


def test_a_path_without_a_route_and_an_api_that_is_not_there_are_404(api):
    assert (api.call("/other").status, api.call("/other").json) == (404, {"message": "Not Found"})
    unknown = urllib.request.Request(f"{api.cloud.endpoint}/_apigateway/abc/v1/a")
    assert fetch(unknown).status == 404


def test_an_api_is_reached_by_its_host_name_too(api):
    host = f"{api.id}.execute-api.us-east-1.amazonaws.com"
    answer = fetch(
        urllib.request.Request(f"{api.cloud.endpoint}/v1/open/7", headers={"Host": host})
    )
    assert answer.json["pathParameters"] == {"id": "7"}


def test_a_function_that_does_not_let_the_route_in_is_not_called(cloud, issuer):
    api = Api.__new__(Api)
    api.permit = lambda source: None  # type: ignore[method-assign]
    api.__init__(cloud, issuer)
    assert api.call("/v1/a").status == 500
    Api.permit(api, f"{api.id}/*/*/v1/open/*")
    assert (api.call("/v1/a").status, api.call("/v1/open/1").status) == (500, 200)


def test_calls_errors_and_latency_are_counted(api):
    api.call("/v1/fails")

    def errors() -> float:
        now = time.time()
        points = api.cloud.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ApiGateway",
            MetricName="5xx",
            Dimensions=[{"Name": "ApiId", "Value": api.id}],
            StartTime=now - 600,
            EndTime=now + 60,
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return sum(point["Sum"] for point in points)

    assert eventually(errors) >= 1


# ----- authorizers


def test_a_good_token_gets_in_and_its_claims_reach_the_function(api, issuer, enforced):
    token = issuer.token(scope="read write", groups=["a", "b"], admin=True)
    for header in (f"Bearer {token}", token):
        context = api.call("/v1/a", authorization=header).json["requestContext"]
        claims = context["authorizer"]["jwt"]["claims"]
        assert (claims["sub"], claims["groups"], claims["admin"]) == ("kim", "[a b]", "true")
        assert context["authorizer"]["jwt"]["scopes"] == ["read", "write"]
    assert issuer.fetched.count("/keys") <= 2  # they are kept


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": None},
        {"exp": int(time.time()) - 10},
        {"exp": None},
        {"nbf": int(time.time()) + 3600},
        {"iss": "https://issuer.example.com/"},
    ],
    ids=lambda claims: "-".join(claims),
)
def test_a_token_with_a_wrong_claim_is_refused_with_401(api, issuer, enforced, claims):
    answer = api.call("/v1/a", authorization=f"Bearer {issuer.token(**claims)}")
    assert (answer.status, answer.json) == (401, {"message": "Unauthorized"})
    assert answer.headers["www-authenticate"] == "Bearer"


def test_no_token_another_key_and_rubbish_are_refused_with_401(api, issuer, enforced):
    other = RSAKey.generate_key(2048, parameters={"kid": "first"})
    good = issuer.token()
    cut = good.rsplit(".", 1)[0]
    for header in (issuer.token(key=other), f"{cut}.", f"{cut}.{'A' * 342}", "rubbish", "a.b.c"):
        assert api.call("/v1/a", authorization=f"Bearer {header}").status == 401
    assert api.call("/v1/a").status == 401
    assert api.call("/v1/open/1").status == 200  # has no authorizer


def test_the_token_does_not_choose_the_algorithm(api, issuer, enforced):
    """A public key is no secret: signed with it as one, a token is nobody's."""
    kid, key = next(iter(issuer.keys.items()))
    claims = {"iss": issuer.url, "aud": "voxlake", "sub": "kim", "exp": int(time.time()) + 60}
    parts = [
        urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=")
        for part in ({"alg": "HS256", "kid": kid}, claims)
    ]
    sign = hmac.new(key.as_pem(private=False), b".".join(parts), "sha256").digest()
    forged = b".".join([*parts, urlsafe_b64encode(sign).rstrip(b"=")]).decode()
    assert api.call("/v1/a", authorization=f"Bearer {forged}").status == 401


def test_client_id_stands_for_the_audience_where_there_is_none(api, issuer, enforced):
    token = issuer.token(aud=None, client_id="voxlake")
    assert api.call("/v1/a", authorization=f"Bearer {token}").status == 200


def test_a_scope_that_a_route_asks_for_has_to_be_there(cloud, issuer, enforced):
    api = Api(cloud, issuer, scopes=("tickets",))
    assert api.call("/v1/a", authorization=issuer.token(scope="other")).status == 403
    assert api.call("/v1/a", authorization=issuer.token(scope="other tickets")).status == 200


def test_a_token_that_comes_is_checked_also_where_none_is_needed(api, issuer):
    assert api.call("/v1/a").status == 200
    assert api.call("/v1/a", authorization=issuer.token(aud="another")).status == 401


def test_keys_are_fetched_again_for_one_that_is_not_known(cloud, enforced, monkeypatch):
    monkeypatch.setattr("localcloud.apigateway.tokens.ASKED_AGAIN_S", 0)
    with Issuer() as other:
        api = Api(cloud, other)
        assert api.call("/v1/a", authorization=other.token()).status == 200
        other.rotate("second")
        assert api.call("/v1/a", authorization=other.token()).status == 200


def test_an_issuer_that_does_not_answer_lets_nobody_in(cloud, enforced):
    with Issuer() as gone:
        api = Api(cloud, gone)
        token = gone.token()
    assert api.call("/v1/a", authorization=token).status == 401
