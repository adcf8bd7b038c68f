"""Errors turned into words and exit codes; a bug leaves a report without addresses or secrets."""

from __future__ import annotations

import errno
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
    Problem,
    StoreError,
    UserError,
)

#: Faults of the machine that an administrator mends: no right, read-only, no room.
_MACHINE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})
_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+")
_TOKEN = re.compile(r"/u/[A-Za-z0-9_-]+")


def report(error: Exception, arguments: Sequence[str]) -> int:
    """Say what went wrong, on stderr in words, on stdout as the one document where JSON is asked for; the exit code."""
    as_json = _wants_json(arguments)
    code, problems = _told(error, arguments, quietly=as_json)
    if as_json:
        from notifier.cli import answer

        click.echo(answer.document("error", None, problems, code))
    return code


def _told(error: Exception, arguments: Sequence[str], *, quietly: bool) -> tuple[int, list[Problem]]:
    """The exit code and the problems, said on stderr unless the document says them as well."""
    if isinstance(error, UserError):
        if not quietly:
            _frame(error)
        return exits.CONFIG if isinstance(error, ConfigError) else exits.CONTENT, error.problems
    if isinstance(error, click.ClickException):
        error.show()
        is_usage = error.exit_code == click.ClickException.exit_code
        return exits.USAGE if is_usage else error.exit_code, [_wordless(error.format_message())]
    if isinstance(error, NotifierError):
        click.echo(f"notifier: {error}", err=True)
        return _code_of(error), [_wordless(str(error))]
    if isinstance(error, OSError) and error.errno in _MACHINE:
        words = (
            f"{error.filename or 'the disk'}: {error.strerror}; see who owns it, and whether there is room"
        )
        click.echo(f"notifier: {words}", err=True)
        return exits.UNREACHABLE, [_wordless(words)]
    words = f"unexpected {type(error).__name__}: this is a bug, not your mistake."
    click.echo(f"notifier: {words}", err=True)
    click.echo(f"  a report without addresses or secrets: {_save(error)}", err=True)
    if any(a.startswith("-vv") for a in arguments):
        traceback.print_exception(error)
    return exits.UNEXPECTED, [_wordless(words)]


def _frame(error: UserError) -> None:
    from notifier.cli import answer

    answer.show({"output_format": "text", "quiet": False, "color": "auto"}, error.problems)
    count = len(error.problems)
    click.echo(f"{count} problem{'s' if count != 1 else ''}; nothing was sent.", err=True)


def _wordless(text: str) -> Problem:
    """A failure that belongs to no file and has no code of its own."""
    return Problem("", 0, 0, "", text)


def _code_of(error: NotifierError) -> int:
    if isinstance(error, LockedError):
        return exits.LOCKED
    if isinstance(error, DeliveryError | StoreError):
        return exits.UNREACHABLE
    return exits.USAGE if isinstance(error, LinkError) else exits.UNEXPECTED


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
