"""`notifier init`: a folder with a configuration, data and templates, ready to be tried."""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from notifier.app import packaged, secret_key
from notifier.cli import answer, exits
from notifier.cli.project import Project
from notifier.config import parse_zone

QUESTIONS = (
    ("organisation", "Name of the organisation", "Interregional Cooperation Office"),
    ("sender", "Mail address that sends", "events@example.org"),
    ("postal_address", "Postal address (stands in every mail)", "1 Sample Street, 00-000 Sampletown"),
    ("languages", "Languages, the first is the default", "en"),
    ("timezone", "Time zone of the organisation", "Europe/Warsaw"),
)
SAMPLE = """\
---
# A sample: nothing is planned or sent while `draft` is yes. Copy it, rename it to DAY-NAME.md, change what it says.
uid: {day}-first-meeting@{domain}
title: First meeting
when: 2030-05-14 10:00-12:30        # also 2030-05-14, or 2030-05-14..2030-05-15 for whole days
type: meeting
place: {{name: Town hall, city: Sampletown}}
draft: yes
---
What the meeting is about, in a sentence or two. **Markdown** is welcome.
"""


@dataclass(frozen=True)
class Answers:
    """What the five questions ask for."""

    organisation: str
    sender: str
    postal_address: str
    languages: tuple[str, ...]
    timezone: str


@click.command(
    epilog=exits.epilog(
        exits.FINDINGS, exits.USAGE, examples=("notifier init", "notifier init --demo build/demo --yes")
    )
)
@click.argument("folder", required=False, default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--organisation", metavar="NAME")
@click.option("--sender", metavar="ADDR")
@click.option("--postal-address", metavar="TEXT")
@click.option("--languages", metavar="pl,en")
@click.option("--timezone", metavar="ZONE")
@click.option("--demo", is_flag=True, help="With the real meetings of 2014-2020, samples and all.")
@click.option("--yes", is_flag=True, help="Ask nothing; what no flag gives becomes a sample.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing when all is well.")
@click.pass_obj
def command(
    shared: dict[str, Any], /, folder: Path, demo: bool, yes: bool, quiet: bool, **given: str | None
) -> int:
    """Start a project in a folder: config.toml, data/, templates/. Nothing that is there is overwritten."""
    if (folder / "config.toml").exists():
        raise click.UsageError(f"{folder / 'config.toml'} is there already; it stays as it is")
    answers = _ask(given, asks=not (yes or demo) and sys.stdin.isatty())
    folder.mkdir(parents=True, exist_ok=True)
    _write_demo(folder) if demo else _write_new(folder, answers)
    (folder / "templates").mkdir(exist_ok=True)
    project = Project({**shared, "config": str(folder / "config.toml")})
    secret_key(project.config, project.app.environ)
    return _report(shared, folder, project, quiet=quiet)


def _ask(given: dict[str, str | None], *, asks: bool) -> Answers:
    told = {}
    for name, question, sample in QUESTIONS:
        told[name] = given[name] or (click.prompt(question, default=sample) if asks else sample)
    try:
        zone = parse_zone(told["timezone"])
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timezone") from None
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", told["sender"]):
        raise click.BadParameter(f'"{told["sender"]}" is no mail address', param_hint="--sender")
    languages = tuple(dict.fromkeys(re.split(r"[\s,]+", told["languages"].strip())))
    return Answers(told["organisation"], told["sender"], told["postal_address"], languages, zone)


def _write_new(folder: Path, answers: Answers) -> None:
    """The minimal configuration and one commented sample event."""
    domain = answers.sender.rpartition("@")[2]
    text = f"""\
# `notifier config show` lists every key with its value; https://docs of all keys: docs/reference/config.md

[organisation]
name = {_toml(answers.organisation)}
sender = {_toml(answers.sender)}
postal_address = {_toml(answers.postal_address)}
languages = [{", ".join(map(_toml, answers.languages))}]
timezone = {_toml(answers.timezone)}

[web]
base_url = "https://{domain}"                       # where `notifier serve` will be reached; links in mails begin with it

[transports]
url = "maildir:outbox"                              # a folder to look at; then "smtp://user@mail.{domain}:587"
# password = "credential:smtp_password"             # see `notifier explain E205`
"""
    text = text.replace(
        "https://docs of all keys: docs/reference/config.md",
        "the full example is config.toml of the program's sources",
    )
    tomllib.loads(text)
    (folder / "config.toml").write_text(text)
    for name in ("projects", "series", "notes", "attachments"):
        (folder / "data" / name).mkdir(parents=True, exist_ok=True)
    event = folder / "data/events/2030/2030-05-14-first-meeting.md"
    event.parent.mkdir(parents=True, exist_ok=True)
    event.write_text(SAMPLE.format(day="20300514", domain=domain))


def _toml(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _write_demo(folder: Path) -> None:
    """The working example as it is, with a state of its own."""
    shutil.copyfile(packaged("config.toml"), folder / "config.toml")
    shutil.copytree(packaged("data"), folder / "data", dirs_exist_ok=True, ignore=_skip)


def _skip(folder: str, names: list[str]) -> set[str]:
    """The state of the checkout is not part of the example; neither are somebody's own subscribers."""
    return {n for n in names if n == "state" or (n == "subscribers.csv" and Path(folder).name == "data")}


def _report(shared: dict[str, Any], folder: Path, project: Project, *, quiet: bool) -> int:
    from notifier import check

    problems = [p for p in check.content(project.config) if p.is_error]
    code = exits.FINDINGS if problems else exits.DONE
    where = folder / "config.toml"
    lines = [
        f"{where} is ready; mail goes into the folder {folder / 'outbox'} and nowhere else until you change [transports] url.",
        "next:",
        f"  notifier --config {where} check",
        f"  notifier --config {where} preview --kind digest --out {folder / 'preview'}",
        f"  notifier --config {where} plan",
    ]
    data = {"config": str(where), "data": str(project.config.data)}
    return answer.give(
        {**shared, "quiet": quiet or shared["quiet"]}, "init", data, lines, problems=problems, code=code
    )
