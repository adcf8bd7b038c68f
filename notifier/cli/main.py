"""The entrance: options that every command shares, commands loaded when they are asked for, errors turned into words."""

from __future__ import annotations

import atexit
import gc
import importlib
import sys
from collections.abc import Sequence

import click

from notifier import __version__
from notifier.cli import exits

#: command -> module of this folder. Nothing is imported before it is asked for: an idle tick must stay cheap.
COMMANDS = {
    "init": "init",
    "check": "check",
    "preview": "preview",
    "plan": "plan",
    "rehearse": "rehearse",
    "tick": "tick",
    "run": "run",
    "serve": "serve",
    "send": "send",
    "events": "events",
    "subscribers": "subscribers",
    "editions": "editions",
    "hold": "hold",
    "resume": "hold:resume",
    "outbox": "outbox",
    "status": "status",
    "explain": "explain",
    "config": "config",
}


class Commands(click.Group):
    """A group whose commands live in modules of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        found = getattr(importlib.import_module(f"notifier.cli.{module}"), name or "command")
        assert isinstance(found, click.Command)
        return found


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--config",
    "config",
    metavar="PATH",
    help="The configuration; else NOTIFIER_CONFIG, ./config.toml, /etc/notifier/config.toml.",
)
@click.option("--output-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-q", "--quiet", is_flag=True, help="Errors only.")
@click.option("-v", "--verbose", count=True, help="More words; -vv shows the SMTP dialogue and tracebacks.")
@click.option("--color", type=click.Choice(["auto", "always", "never"]), default="auto", show_default=True)
@click.option(
    "--at",
    metavar="WHEN",
    help='Freeze the clock of a read-only command: "2020-04-01 07:00", local time of the organisation.',
)
@click.version_option(__version__, prog_name="notifier")
@click.pass_context
def cli(ctx: click.Context, /, **shared: object) -> None:
    """Newsletters and event notices, with calendar files, from events kept as files."""
    ctx.obj = shared
    if ctx.invoked_subcommand is None:
        from notifier.cli import status

        ctx.invoke(status.bare)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and exit with its code."""
    # All that is imported stays. To look for cycles in it again and again, and once more at the end, costs a quarter
    # of a full tick's CPU.
    gc.set_threshold(200_000)
    atexit.register(gc.freeze)
    try:
        code = cli.main(
            args=list(arguments) if arguments is not None else None,
            prog_name="notifier",
            standalone_mode=False,
        )
    except click.exceptions.Exit as done:
        code = done.exit_code
    except click.Abort:
        click.echo("stopped", err=True)
        code = 130
    except BrokenPipeError:
        code = exits.DONE
    except Exception as error:
        from notifier.cli import failure

        code = failure.report(error, sys.argv[1:] if arguments is None else list(arguments))
    sys.exit(code if isinstance(code, int) else exits.DONE)
