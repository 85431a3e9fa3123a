"""`dashboard`: where the page is."""

from __future__ import annotations

import webbrowser
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, out, print_json
from voxlake.cli.target import NotDeployedError, Target, laptop_settings


def dashboard(
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Prints the address of the page: what people feel as it comes, and who waits.

    Example: voxlake dashboard --open
    """
    address = page_address(Target(stage))
    if json_:
        print_json({"address": address})
    else:
        out.print(address, soft_wrap=True)
    if open_:
        webbrowser.open(address)


def page_address(target: Target) -> str:
    """The page's address; that of the laptop cloud is on loopback.

    Raises NotDeployedError where the stage has no page.
    """
    if "DashboardDistribution" not in target.outputs:
        raise NotDeployedError(
            f"expected the stack {target.stack_prefix}dashboard, found none: a stage has a page "
            "from when its configuration names the issuer of tokens (ApiConfig.jwt_issuer)"
        )
    if target.is_local:
        return (
            f"{laptop_settings()['endpoint']}/_cloudfront/{target.output('DashboardDistribution')}/"
        )
    return target.output("DashboardUrl")
