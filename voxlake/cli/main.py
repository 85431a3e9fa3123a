"""`voxlake <verb>`: registers the verbs and turns every failure into one clear line.

A verb's module is imported only when the verb is called, so that `--help` stays quick.
"""

from __future__ import annotations

import importlib
import sys

import typer
from typer.core import TyperGroup

# verb -> module that holds a function of the same name
VERBS = {
    "demo": "voxlake.cli.demo",
    "up": "voxlake.cli.laptop",
    "down": "voxlake.cli.laptop",
    "status": "voxlake.cli.status",
    "send": "voxlake.cli.send",
    "run": "voxlake.cli.run",
    "airflow": "voxlake.cli.airflow",
    "report": "voxlake.cli.report.verb",
    "query": "voxlake.cli.query",
    "load": "voxlake.cli.load",
    "score": "voxlake.cli.score",
    "data": "voxlake.cli.data",
    "train": "voxlake.cli.train",
    "evaluate": "voxlake.cli.evaluate",
    "promote": "voxlake.cli.promote",
    "rollback": "voxlake.cli.promote",
    "tickets": "voxlake.cli.tickets",
    "replies": "voxlake.cli.replies",
    "dashboard": "voxlake.cli.dashboard",
    "outbox": "voxlake.cli.outbox",
    "reconcile": "voxlake.cli.reconcile",
    "doctor": "voxlake.cli.doctor",
}


class LazyVerbs(TyperGroup):
    """A command group that imports a verb's module when the verb is asked for."""

    def list_commands(self, ctx):
        return list(VERBS)

    def get_command(self, ctx, name):
        if name not in VERBS:
            return None
        found = getattr(importlib.import_module(VERBS[name]), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        single = typer.Typer(add_completion=False)
        single.command(name)(found)
        return typer.main.get_command(single)


app = typer.Typer(
    cls=LazyVerbs,
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def voxlake(
    debug: bool = typer.Option(False, "--debug", help="Show a traceback when something fails."),
) -> None:
    """A lake of what people say in public: load it, ask it, trust its counts.

    Start with [bold]voxlake demo[/bold]. Each verb has its own --help with an example.
    """


def main() -> None:
    """Runs the command line; exit status 0 only on success."""
    debug = "--debug" in sys.argv[1:]
    if debug:
        # Accepted before or after the verb.
        sys.argv = [sys.argv[0], "--debug", *[a for a in sys.argv[1:] if a != "--debug"]]
    try:
        app()
    except Exception as error:
        if debug:
            raise
        sys.stderr.write(f"voxlake: {one_line(error)}\n")
        sys.exit(1)


def one_line(error: Exception) -> str:
    """The failure in one line: what the error says, or its type and message when it is not ours."""
    from voxlake.errors import VoxlakeError

    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, VoxlakeError):
        return text
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, ClientError | BotoCoreError | OSError):
        return text
    return f"{type(error).__name__}: {text} (--debug shows where)"
