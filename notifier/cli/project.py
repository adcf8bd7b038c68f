"""The project a command works on: its settings, its clock, and its App, opened only as far as the command needs."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from notifier import app
from notifier.app import App
from notifier.cli import exits
from notifier.config import Config
from notifier.configfile import Loaded, find, load, problem_at
from notifier.editions import planning
from notifier.errors import ConfigError


class NoProject(click.ClickException):
    """There is no configuration here."""

    exit_code = exits.NO_PROJECT

    def __init__(self) -> None:
        super().__init__("no project here: no config.toml was found; `notifier init DIR` starts one")

    def show(self, file: Any = None) -> None:
        click.echo(f"notifier: {self.message}", err=True)


@dataclass
class Project:
    """One command's view of the project."""

    shared: dict[str, Any]

    @cached_property
    def loaded(self) -> Loaded:
        # The pinned zone data decides when a meeting is, not the machine's.
        zoneinfo.reset_tzpath(to=())
        path = find(self.shared["config"], os.environ, Path())
        if path is None:
            raise NoProject
        if not path.is_file():
            raise click.UsageError(f"there is no file {path}")
        loaded = load(path, os.environ)
        wrong = [*planning.faults(loaded.config), *app.faults(loaded.config)]
        if wrong:
            raise ConfigError(problem_at(path, key, words) for key, words in wrong)
        return loaded

    @property
    def config(self) -> Config:
        return self.loaded.config

    @cached_property
    def app(self) -> App:
        return App(self.config, os.environ)

    @property
    def now(self) -> datetime:
        """The clock, or the instant of `--at`, in UTC."""
        return self.at or clock()

    @cached_property
    def at(self) -> datetime | None:
        given = self.shared["at"]
        return parse_instant(given, self.config.organisation.timezone) if given else None

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.config.organisation.timezone)

    def local(self, instant: datetime) -> str:
        """An instant as people of the organisation write it, with the zone's city."""
        return f"{instant.astimezone(self.zone):%Y-%m-%d %H:%M}"

    @property
    def verbose(self) -> int:
        return int(self.shared["verbose"])

    def shown(self, email: str) -> str:
        """An address as lists show it: masked, unless -v."""
        from notifier.subscribers.address import masked

        return email if self.verbose else masked(email)

    @property
    def quiet(self) -> bool:
        return bool(self.shared["quiet"])

    @property
    def wants_json(self) -> bool:
        return bool(self.shared["output_format"] == "json")


@contextmanager
def written(shared: dict[str, Any]) -> Iterator[Project]:
    """As `opened`, for a command that changes something: it does not take a frozen clock."""
    if shared["at"]:
        raise click.UsageError("--at freezes the clock: only commands that look take it")
    with opened(shared) as project:
        yield project


@contextmanager
def opened(shared: dict[str, Any]) -> Iterator[Project]:
    """A project whose store is closed at the end."""
    project = Project(shared)
    try:
        yield project
    finally:
        if "app" in project.__dict__:
            project.app.close()


def clock() -> datetime:
    """The one clock of the command line, in UTC."""
    return datetime.now(UTC)


def parse_instant(text: str, zone: str) -> datetime:
    """`2020-04-01 07:00` (local) or with an offset, in UTC; a day alone is its first minute."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f'"{text}" is no instant; write "2020-04-01 07:00"', param_hint="--at"
        ) from None
    if not 1970 <= instant.year <= 2200:
        raise click.BadParameter(f'"{text}" is not between 1970 and 2200', param_hint="--at")
    return (instant if instant.tzinfo else instant.replace(tzinfo=ZoneInfo(zone))).astimezone(UTC)


def parse_span_of_time(text: str | None) -> float | None:
    """`4m`, `30s` as seconds."""
    from notifier.config import parse_duration

    if text is None:
        return None
    try:
        return parse_duration(text).total_seconds()
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
