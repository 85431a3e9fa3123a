"""Who calls, as the gateway's authorizer found it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer

from lambdas.web_api.problems import ApiError

_BEARER = HTTPBearer(
    auto_error=False, bearerFormat="JWT", description="A token of the issuer that the stage names."
)


def caller(request: Request, _: Annotated[Any, Depends(_BEARER)]) -> str:
    """The token's subject.

    The gateway refuses calls without a token. That its routes and these agree on which path needs
    one is not left to chance: a call that no authorizer saw ends here.

    Raises:
        ApiError: 401, nobody was signed in.
    """
    event = request.scope.get("aws.event") or {}
    authorizer = event.get("requestContext", {}).get("authorizer") or {}
    subject = authorizer.get("jwt", {}).get("claims", {}).get("sub")
    if not subject:
        raise ApiError(401, "expected a token in the header Authorization, found none")
    return str(subject)


Caller = Annotated[str, Depends(caller)]
