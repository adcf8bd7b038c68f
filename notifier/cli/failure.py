"""Errors turned into words and exit codes; a bug leaves a report without addresses or secrets."""

from __future__ import annotations

import platform
import re
import sys
import tempfile
import traceback
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import click

from notifier import __version__
from notifier.cli import exits
from notifier.errors import (
    ConfigError,
    DeliveryError,
    LinkError,
    LockedError,
    NotifierError,
    StoreError,
    UserError,
)

_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
_TOKEN = re.compile(r"/u/[A-Za-z0-9_-]+")


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong on stderr; the exit code."""
    if isinstance(error, NotifierError):
        return _known(error, arguments)
    path = _save(error)
    click.echo(f"notifier: unexpected {type(error).__name__}: this is a bug, not your mistake.", err=True)
    click.echo(f"  a report without addresses or secrets: {path}", err=True)
    if any(a.startswith("-vv") for a in arguments):
        traceback.print_exception(error)
    return exits.UNEXPECTED


def _known(error: NotifierError, arguments: Sequence[str]) -> int:
    if isinstance(error, UserError):
        from notifier.cli import answer

        as_json = _wants_json(arguments)
        code = exits.CONFIG if isinstance(error, ConfigError) else exits.CONTENT
        shared = {"output_format": "text", "quiet": False, "color": "auto"}
        if as_json:
            click.echo(answer.document("error", None, error.problems, code))
        else:
            answer.show(shared, error.problems)
            count = len(error.problems)
            click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was sent.", err=True)
        return code
    click.echo(f"notifier: {error}", err=True)
    if isinstance(error, LockedError):
        return exits.LOCKED
    if isinstance(error, DeliveryError | StoreError):
        return exits.UNREACHABLE
    if isinstance(error, LinkError):
        return exits.USAGE
    return exits.UNEXPECTED


def _wants_json(arguments: Sequence[str]) -> bool:
    return "--output-format=json" in arguments or any(
        a == "--output-format" and b == "json" for a, b in pairwise(arguments)
    )


def _save(error: Exception) -> Path:
    text = "".join(traceback.format_exception(error))
    text = _TOKEN.sub("/u/***", _ADDRESS.sub("***@***", text))
    head = f"notifier {__version__}, Python {sys.version.split()[0]}, {platform.system()} {platform.release()}\n\n"
    with tempfile.NamedTemporaryFile("w", prefix="notifier-report-", suffix=".txt", delete=False) as file:
        file.write(head + text)
    return Path(file.name)
