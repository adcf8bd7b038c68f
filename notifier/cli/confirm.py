"""Asking before something goes out: the question names the effect, the answer is the number of people."""

from __future__ import annotations

import sys
from typing import Any

import click

from notifier.cli import exits


class NotConfirmed(click.ClickException):
    """Nobody said yes."""

    exit_code = exits.NEEDS_CONFIRMATION

    def show(self, file: Any = None) -> None:
        click.echo(self.message, err=True)


def people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def ask(verb: str, effect: str, count: int, *, yes: bool) -> None:
    """Go on only if the number of people is typed, or with --yes; without a terminal exit 5 and the flag to add."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed(f"{verb} {effect}: this asks for a confirmation; add --yes")
    typed = click.prompt(
        f"{verb} {effect}? Type the number to go on", default="", show_default=False, err=True
    )
    if typed.replace(",", "").strip() != str(count):
        raise NotConfirmed("nothing was done")
