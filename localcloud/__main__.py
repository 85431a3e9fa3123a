"""`python -m localcloud up | down | status | deploy | clock`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from localcloud import process, state
from localcloud.errors import LocalCloudError


def main(arguments: list[str] | None = None) -> int:
    """Runs one command; the exit status. Errors take one line on standard error."""
    options = _parser().parse_args(arguments)
    options.state = options.state.expanduser().absolute()
    try:
        return options.command(options)
    except LocalCloudError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localcloud", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def command(name: str, run, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.add_argument("--state", type=Path, required=True, help="the state directory")
        sub.set_defaults(command=run)
        return sub

    up = command("up", _up, "Start the laptop cloud.")
    up.add_argument("--port", type=int, default=0, help="0 (the default): a free one")
    up.add_argument("--foreground", action="store_true", help="stay until interrupted")
    up.add_argument("--prepared", action="store_true", help=argparse.SUPPRESS)
    command("down", _down, "Stop the laptop cloud.")
    status = command("status", _status, "Say what runs. Exit status 1 when nothing does.")
    status.add_argument("--json", action="store_true")
    deploy = command("deploy", _deploy, "Deploy a cloud assembly (the output of cdk synth).")
    deploy.add_argument("--assembly", type=Path, required=True)
    clock = command("clock", _clock, "Move the cloud's clock on: alarms and schedules follow.")
    clock.add_argument("--advance", type=int, default=0, metavar="SECONDS")
    clock.add_argument(
        "--step", type=int, default=0, metavar="SECONDS",
        help="schedules fire at most once a step (default: one step)",
    )  # fmt: skip
    return parser


def _up(options: argparse.Namespace) -> int:
    if options.foreground:
        if not options.prepared:
            process.prepare(options.state)
        process.serve(options.state, options.port)
        return 0
    print(process.up(options.state, options.port)["endpoint"])
    return 0


def _down(options: argparse.Namespace) -> int:
    stopped = process.down(options.state)
    print("stopped" if stopped else "no laptop cloud was running")
    return 0


def _status(options: argparse.Namespace) -> int:
    document = process.status(options.state)
    if options.json:
        print(json.dumps(document, indent=2))
        return 0
    print(f"{document['endpoint']} (process {document['pid']}, since {document['started_at']})")
    for name, said in document["services"].items():
        if said:
            print(f"{name}: {json.dumps(said)}")
    return 0


def _deploy(options: argparse.Namespace) -> int:
    endpoint = process.endpoint(options.state)
    order = json.dumps({"assembly": str(options.assembly.absolute())}).encode()
    result = state.get(endpoint, "/_localcloud/deploy", order, timeout=900)
    if "error" in result:
        raise LocalCloudError(result["error"])
    for stack in result["stacks"]:
        print(f"{stack['name']}: {stack['status']}")
        for resource in stack["resources"]:
            print("  {status:<16} {type:<32} {logical_id}".format(**resource))
    return 0


def _clock(options: argparse.Namespace) -> int:
    order = {"advance_seconds": options.advance, "step_seconds": options.step}
    result = state.get(
        process.endpoint(options.state), "/_localcloud/clock", json.dumps(order).encode(), 900
    )
    if "error" in result:
        raise LocalCloudError(result["error"])
    print(json.dumps(result, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
