"""API Gateway: HTTP APIs."""

from __future__ import annotations

from typing import Any

from localcloud.cloudformation.resource import Resource, maps

Result = tuple[str, dict[str, Any]]


@maps("AWS::ApiGatewayV2::Api")
def api(r: Resource) -> Result:
    settings = r.same("Name", "Description", "ProtocolType")
    r.without_effect("Tags", "stack tags are not put on resources")
    r.done()
    made = r.call("apigatewayv2", "CreateApi", **settings)["ApiId"]
    # AWS's address has no path: clients append theirs to either.
    return made, {"ApiId": made, "ApiEndpoint": f"{r.cloud.endpoint}/_apigateway/{made}"}


@maps("AWS::ApiGatewayV2::Stage")
def stage(r: Resource) -> Result:
    settings = r.same(
        "ApiId", "StageName", "AutoDeploy", "DefaultRouteSettings", "AccessLogSettings",
    )  # fmt: skip
    r.without_effect("Tags", "stack tags are not put on resources")
    r.done()
    return r.call("apigatewayv2", "CreateStage", **settings)["StageName"], {}


INTEGRATION = ("IntegrationUri", "PayloadFormatVersion", "IntegrationMethod")


@maps("AWS::ApiGatewayV2::Integration", in_place=INTEGRATION)
def integration(r: Resource) -> Result:
    settings = r.same("ApiId", "IntegrationType", *INTEGRATION)
    r.done()
    if r.old:
        found = r.old.physical_id
        r.call("apigatewayv2", "UpdateIntegration", IntegrationId=found, **settings)
        return found, {}
    return r.call("apigatewayv2", "CreateIntegration", **settings)["IntegrationId"], {}


@maps("AWS::ApiGatewayV2::Authorizer", in_place=["JwtConfiguration", "IdentitySource", "Name"])
def authorizer(r: Resource) -> Result:
    settings = r.same("ApiId", "AuthorizerType", "IdentitySource", "JwtConfiguration", "Name")
    r.done()
    if r.old:
        found = r.old.physical_id
        r.call("apigatewayv2", "UpdateAuthorizer", AuthorizerId=found, **settings)
    else:
        found = r.call("apigatewayv2", "CreateAuthorizer", **settings)["AuthorizerId"]
    return found, {"AuthorizerId": found}


ROUTE = ("RouteKey", "AuthorizationType", "AuthorizerId", "AuthorizationScopes", "Target")


@maps("AWS::ApiGatewayV2::Route", in_place=ROUTE)
def route(r: Resource) -> Result:
    settings = r.same("ApiId", *ROUTE)
    r.done()
    if r.old:
        found = r.old.physical_id
        r.call("apigatewayv2", "UpdateRoute", RouteId=found, **settings)
        return found, {}
    return r.call("apigatewayv2", "CreateRoute", **settings)["RouteId"], {}
