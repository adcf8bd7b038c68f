"""What a rehearsal leaves behind: pages, calendars, an index to browse them, and a summary."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from notifier.app import App, template_folders
from notifier.cli import answer
from notifier.editions.base import Edition
from notifier.events import calendar
from notifier.facts import Facts
from notifier.mail.page import Page
from notifier.press import Press, calendar_settings, content_languages, named
from notifier.rehearse import Sent, Story


@dataclass(frozen=True)
class Written:
    """One page on disk, for the index."""

    language: str
    html: str
    text: str
    subject: str


def write(out: Path, app: App, facts: Facts, press: Press, story: Story) -> None:
    """Write pages/, calendar/, index.html and summary.json into `out`."""
    pages = {sent.edition.key: _pages(out, app, press, sent) for sent in story.sent}
    files = _calendars(out, app, facts)
    (out / "summary.json").write_text(
        json.dumps([row(s) for s in story.sent], ensure_ascii=False, indent=1, default=answer.plain) + "\n"
    )
    (out / "index.html").write_text(_index(app, press, story, pages, files, out))


def row(sent: Sent) -> dict[str, Any]:
    """One row of summary.json."""
    edition = sent.edition
    return {
        "key": edition.key,
        "kind": edition.kind.value,
        "planned": edition.due,
        "languages": dict(sorted(sent.languages.items())),
        "recipients": sent.recipients,
        "accepted": sent.accepted,
    }


def folder_of(edition: Edition) -> str:
    """2020-04-07-digest-biweekly, 2020-04-21-reminder-P7D-calabria…: date, kind and what tells it from others."""
    tail = edition.cadence or "-".join(
        filter(None, (edition.offset, edition.mentions[0].uid.split("@")[0] if edition.mentions else ""))
    )
    return re.sub(r"[^A-Za-z0-9.-]+", "-", f"{edition.due:%Y-%m-%d}-{edition.kind.value}-{tail}").strip("-")


def _pages(out: Path, app: App, press: Press, sent: Sent) -> list[Written]:
    folder = out / "pages" / folder_of(sent.edition)
    folder.mkdir(parents=True, exist_ok=True)
    entries = app.store.outbox.entries(edition=sent.edition.key)
    written: list[Written] = []
    for variant, raw in sorted(app.store.editions.pages(sent.edition.key).items()):
        page = Page.loads(raw)
        subscriber = app.store.subscribers.get(next(e.subscriber for e in entries if e.variant == variant))
        assert subscriber  # an entry has its subscriber
        count = sum(w.language == page.language for w in written)
        name = page.language if not count else f"{page.language}-{count + 1}"
        html, text = press.filled(page, subscriber)
        (folder / f"{name}.html").write_text(html)
        (folder / f"{name}.txt").write_text(text)
        base = f"pages/{folder.name}/{name}"
        written.append(Written(page.language, f"{base}.html", f"{base}.txt", page.subject))
    return sorted(written, key=lambda w: (w.language, len(w.html), w.html))


def _calendars(out: Path, app: App, facts: Facts) -> dict[str, list[tuple[str, str]]]:
    """calendar/LANG/all.ics and one file an event; language -> (title, path)."""
    settings = calendar_settings(app.config, app.links)
    snapshots = [s for s in facts.snapshots.values() if not s.event.is_draft]
    found: dict[str, list[tuple[str, str]]] = {}
    for language in app.config.organisation.languages:
        folder = out / "calendar" / language
        folder.mkdir(parents=True, exist_ok=True)
        order = content_languages(app.config, language)
        name = named(app.config.newsletter[0].title, language)
        everything = calendar.publish(snapshots, order, settings=settings, name=name)
        (folder / "all.ics").write_bytes(everything)
        found[language] = [("all.ics", f"calendar/{language}/all.ics")]
        for snapshot in sorted(snapshots, key=lambda s: s.event.span.starts_at):
            if raw := calendar.publish([snapshot], order, settings=settings):
                path = folder / f"{snapshot.event.slug}.ics"
                path.write_bytes(raw)
                found[language].append((snapshot.event.slug, f"calendar/{language}/{path.name}"))
    return found


def _index(
    app: App,
    press: Press,
    story: Story,
    pages: Mapping[str, list[Written]],
    files: Mapping[str, Any],
    out: Path,
) -> str:
    environment = Environment(
        loader=FileSystemLoader(template_folders(app.config)),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = next(
        f / "web/rehearsal.css" for f in template_folders(app.config) if (f / "web/rehearsal.css").is_file()
    ).read_text()
    return environment.get_template("web/rehearsal.html").render(
        organisation=named(app.config.organisation.name, "en"),
        style=style,
        editions=[_edition_row(s, pages[s.edition.key], app) for s in story.sent],
        calendars=files,
        inbox=_inbox(story, out),
        messages=len(story.caught),
        zone=app.config.organisation.timezone,
    )


def _edition_row(sent: Sent, pages: list[Written], app: App) -> dict[str, Any]:
    """One row of the index, in the organisation's own time."""
    due = sent.edition.due.astimezone(ZoneInfo(app.config.organisation.timezone))
    kind = " ".join(filter(None, (sent.edition.cadence, sent.edition.kind.value)))
    return {"sent": sent, "pages": pages, "due": due, "year": due.year, "kind": kind}


def _inbox(story: Story, out: Path) -> dict[str, list[dict[str, str]]]:
    """Per recipient: subject, date and file of each message."""
    from email import message_from_bytes, policy

    boxes: dict[str, list[dict[str, str]]] = {}
    for caught in story.caught:
        message = message_from_bytes(caught.path.read_bytes(), policy=policy.default)
        boxes.setdefault(caught.recipient, []).append(
            {
                "subject": str(message["Subject"]),
                "date": str(message["Date"])[:16],
                "path": str(caught.path.relative_to(out)),
            }
        )
    return dict(sorted(boxes.items()))
