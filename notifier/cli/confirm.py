"""Asking before something goes out: the question names the effect, the answer is the number of people."""

from __future__ import annotations

import sys

import click

from notifier.cli import exits


def people(count: int) -> str:
    return f"{count:,} {'person' if count == 1 else 'people'}"


def ask(verb: str, effect: str, count: int, *, yes: bool) -> None:
    """Go on only if the number of people is typed, or with --yes; without a terminal exit 5 and the flag to add."""
    if yes:
        return
    if not sys.stdin.isatty():
        click.echo(f"{verb} {effect}: this asks for a confirmation; add --yes", err=True)
        raise click.exceptions.Exit(exits.NEEDS_CONFIRMATION)
    typed = click.prompt(
        f"{verb} {effect}? Type the number to go on", default="", show_default=False, err=True
    )
    if typed.replace(",", "").strip() != str(count):
        click.echo("nothing was done", err=True)
        raise click.exceptions.Exit(exits.NEEDS_CONFIRMATION)
