"""One event file with its translations -> an Event, complete after inheritance, or findings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

from notifier.events import when
from notifier.events.event import Event, Format, Registration, Session, Status, Type
from notifier.events.span import Span
from notifier.events.when import WhenError
from notifier.sources import inheritance, translations
from notifier.sources.base import ReadingSettings
from notifier.sources.bodytext import check_address, check_body
from notifier.sources.eventparts import (
    MAX_TITLE,
    Context,
    read_deadlines,
    read_language,
    read_materials,
    read_online,
    read_registration,
    read_sessions,
)
from notifier.sources.fields import Fields, date_fixes, told
from notifier.sources.findings import TOP, Placed
from notifier.sources.frontmatter import Document, Items, Map, scalars
from notifier.sources.inheritance import Inherited
from notifier.sources.translations import Told, Translation

RECURRENCE = ("repeat", "skip", "also", "instance_of", "instance")
KNOWN = (
    *("uid", "title", "when", "start", "end", "timezone", "type", "summary", "language", "status", "format"),
    *("place", "online", "organiser", "enquiries", "project", "series", "number", "topics", "regions"),
    *(
        "languages",
        "registration",
        "deadlines",
        "materials",
        "sessions",
        *RECURRENCE,
        "follows",
        "attendance",
    ),
    *("link", "change_note", "notify", "draft", "publish_after", "visibility", "source"),
)
_SOURCE = ("file", "url", "line", "quote", "certainty")
_NOTIFY = ("now", "next-digest", "silent")
MAX_SUMMARY = 300
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}-")


@dataclass(frozen=True)
class Above:
    """A project or a series as events take from it."""

    inherited: Inherited
    project: str = ""  # of a series
    is_broken: bool = False


_NOTHING = Above(Inherited())


@dataclass(frozen=True)
class Surroundings:
    """Everything that one event may refer to."""

    settings: ReadingSettings
    projects: Mapping[str, Above]
    series: Mapping[str, Above]
    slugs: Sequence[str]


@dataclass(frozen=True)
class EventFile:
    """What came of one file: the event, or None; its days as far as they could be read; where its uid stands."""

    slug: str
    document: Document
    event: Event | None
    span: Span | None
    uid: str
    uid_place: Placed


def read(slug: str, document: Document, beside: Sequence[Translation], around: Surroundings) -> EventFile:
    """The event of a file; all that is wrong with it and its translations is in the findings of each document."""
    if not document.is_readable:
        return EventFile(slug, document, None, None, "", TOP)
    top = Fields(document.front, document.findings, KNOWN, is_top=True)
    language = read_language(top, "language") or around.settings.languages[0]
    project, series, above, is_above_broken = _lineage(top, around)
    inherited = inheritance.read(top, language, around.settings).over(above)
    context = Context(
        around.settings,
        language,
        inherited.timezone or around.settings.timezone,
        slug,
        tuple(around.projects),
    )
    _refuse_recurrence(top)
    sessions = read_sessions(top, context)
    span = _span(top, context, sessions)
    status = Status(top.choice("status", list(Status)) or Status.CONFIRMED)
    _check_month(top, span, sessions, status)
    texts = _told(top, document, language)
    translations.add(texts, document.findings, slug, language, beside)
    _check_languages(top, texts, slug, language, around.settings)
    uid = _uid(top, slug, span, around.settings)
    registration = _registration(top, context, span)
    online = read_online(top)
    form, is_assumed = _form(top)
    place = inherited.place if form != Format.ONLINE or "place" in top else None
    _check_private(top)
    _read_source(top)
    values = {
        "slug": slug,
        "uid": uid,
        "title": texts.title,
        "span": span,
        "language": language,
        "type": inherited.type or Type.MEETING,
        "summary": texts.summary,
        "body": texts.body,
        "change_note": texts.change_note,
        "stale": texts.stale,
        "status": status,
        "format": form,
        "format_is_assumed": is_assumed,
        "place": place,
        "online": online,
        "organisers": inherited.organisers or (),
        "enquiries": inherited.enquiries,
        "project": project,
        "series": series,
        "number": top.number("number", 1, 9_999),
        "topics": inherited.topics or (),
        "regions": inherited.regions or (),
        "languages": inherited.languages or (),
        "visibility": inherited.visibility or "public",
        "registration": registration,
        "deadlines": read_deadlines(top, context),
        "materials": read_materials(top, context),
        "sessions": sessions,
        "follows": _follows(top, slug, around.slugs),
        "attendance": top.text("attendance"),
        "link": top.link("link"),
        "notify": top.choice("notify", _NOTIFY),
        "is_draft": top.flag("draft"),
        "publish_after": _publish_after(top, context.zone),
    }
    findings = (document.findings, *(translation.document.findings for translation in beside))
    is_broken = is_above_broken or any(each.has_errors for each in findings)
    event = None if is_broken else Event.model_validate(values)
    return EventFile(slug, document, event, span, uid, top.place("uid"))


def _lineage(top: Fields, around: Surroundings) -> tuple[str, str, Inherited, bool]:
    """(project, series, what both and the organisation say, whether one of them is broken)."""
    settings = around.settings
    series = top.key("series", around.series, "series")
    above_series = around.series.get(series, _NOTHING)
    project = top.key("project", around.projects, "project") or (
        above_series.project if "project" not in top else ""
    )
    above_project = around.projects.get(project, _NOTHING)
    organisation = inheritance.of_organisation(settings)
    inherited = above_series.inherited.over(above_project.inherited).over(organisation)
    return project, series, inherited, above_series.is_broken or above_project.is_broken


def _refuse_recurrence(top: Fields) -> None:
    for name in RECURRENCE:
        if name in top:
            place = top.place(name)
            text = f'"{name}": recurrence is not read by this version yet; write one file for each date'
            top.findings.add("E018", place, text, f"remove line {place.line}")


def _span(top: Fields, context: Context, sessions: Sequence[Session]) -> Span | None:
    """`when`, or `start` and `end`, or the days of all sessions."""
    if "when" in top:
        for name in ("start", "end"):
            if name in top:
                place = top.place(name)
                text = f'"{name}" says again what "when" says at line {top.place("when").line}'
                top.findings.add("E006", place, text, f"remove line {place.line}")
        return top.span("when", context.zone, context.slug)
    if "start" in top or "end" in top:
        return _from_start(top, context)
    if sessions and all(session.span for session in sessions):
        return envelope([session.span for session in sessions if session.span])
    # A session whose own `when` was refused has said so already.
    if not (
        top.findings.has_errors and sessions and all(session.get("when") for session in _marked_sessions(top))
    ):
        day = context.slug[:10] if _DATED.match(context.slug) else "YYYY-MM-DD"
        top.missing("when", f"when: {day}")
    return None


def _marked_sessions(top: Fields) -> list[Map]:
    node = top.get("sessions")
    nodes = node.nodes if isinstance(node, Items) else []
    return [item for item in nodes if isinstance(item, Map)]


def _from_start(top: Fields, context: Context) -> Span | None:
    start, end = top.text("start"), top.text("end")
    if not start:
        top.missing("start", f"start: {end}" if end else "start: YYYY-MM-DD")
        return None
    try:
        return when.parse(joined(start, end), context.zone)
    except WhenError as error:
        top.findings.add(error.code, top.place("start"), told(error), date_fixes("when", error, context.slug))
        return None


def joined(start: str, end: str) -> str:
    """`start` and `end` as one `when`; the end may be a clock time alone."""
    if not end or end == start:
        return start
    return f"{start}-{end}" if re.fullmatch(r"\d{1,2}:\d{2}", end) else f"{start} .. {end}"


def envelope(spans: Sequence[Span]) -> Span:
    """From the first start to the last end; whole days where one of both has no hour."""
    first = min(spans, key=lambda span: span.starts_at)
    last = max(spans, key=lambda span: span.ends_at)
    if first.begins is None or last.ends is None:
        return Span(min(span.first for span in spans), max(span.last for span in spans), first.zone)
    return replace(first, last=last.last, ends=last.ends, fold_ends=last.fold_ends)


def _check_month(top: Fields, span: Span | None, sessions: Sequence[Session], status: Status) -> None:
    months = [span] if span else []
    months += [session.span for session in sessions if session.span]
    if status != Status.TENTATIVE and any(month.is_month for month in months):
        name = "when" if "when" in top else "start" if "start" in top else "sessions"
        text = "not a date: the day is missing, and only a tentative meeting may go without"
        top.findings.add("E010", top.place(name), text, "status: tentative")


def _told(top: Fields, document: Document, language: str) -> Told:
    """The original's own texts."""
    texts = Told(
        title=top.texts("title", language, MAX_TITLE),
        summary=top.texts("summary", language, MAX_SUMMARY),
        change_note=top.texts("change_note", language),
    )
    if body := document.body.strip():
        texts.body[language] = body
        check_body(document)
    if "title" not in top and "title" in top.node.entries:
        top.findings.add("E004", top.place("title"), "the title is empty", 'title: "…"')
    elif "title" not in top:
        top.missing("title", 'title: "…"')
    elif isinstance(top.get("title"), Map) and not any(texts.title.values()):
        top.findings.add("E004", top.place("title"), "the title is empty", f'title: {{{language}: "…"}}')
    return texts


def _check_languages(top: Fields, texts: Told, slug: str, language: str, settings: ReadingSettings) -> None:
    """The title stands in the language of the file (E003); what the organisation also speaks is W101."""
    if texts.title and language not in texts.title:
        text = f'"title" in {language}, the language of the file, is missing'
        other = next(iter(texts.title))
        top.findings.add("E003", top.place("title"), text, f"language: {other}")
    absent = [
        tag
        for tag in settings.languages
        if tag != language
        and not (_serves(texts.title, tag) and (not texts.body or _serves(texts.body, tag)))
    ]
    if texts.title and absent:
        fixes = [f"notifier events translate {slug} {tag}" for tag in absent]
        top.findings.warn("W101", top.place("title"), f"translation missing: {', '.join(absent)}", fixes)


def _serves(texts: Mapping[str, str], wanted: str) -> bool:
    """A reader of `pl` is served by `pl-PL`, and the other way round."""
    return any(tag.split("-")[0] == wanted.split("-")[0] for tag in texts)


def _uid(top: Fields, slug: str, span: Span | None, settings: ReadingSettings) -> str:
    uid = top.text("uid", 200)
    proposed = proposed_uid(slug, span, settings)
    if "uid" not in top:
        top.missing("uid", f"uid: {proposed}")
    elif uid and (" " in uid or uid != uid.strip("<>")):
        top.wrong("uid", "one word without spaces", f"uid: {proposed}")
    return uid


def proposed_uid(slug: str, span: Span | None, settings: ReadingSettings) -> str:
    """`20200908-smarty-seminar-2@events.region.example`."""
    rest = _DATED.sub("", slug)
    day = f"{span.first:%Y%m%d}" if span else slug[:10].replace("-", "") if rest != slug else ""
    return f"{day}-{rest}@{settings.uid_domain}".lstrip("-")


def _registration(top: Fields, context: Context, span: Span | None) -> Registration | None:
    registration = read_registration(top, context)
    if registration and registration.by and span:
        by = registration.by
        is_late = by > span.starts_at if isinstance(by, datetime) else by > span.first
        if is_late:
            node = top.get("registration")
            place = (node.get("by") if isinstance(node, Map) else None) or top.place("registration")
            text = f"the registration deadline is after the start ({span.first})"
            top.findings.warn("W114", place, text, f"by: {span.first}")
    return registration


def _form(top: Fields) -> tuple[Format, bool]:
    """The format, and whether nobody stated it."""
    if word := top.choice("format", list(Format)):
        return Format(word), False
    form = Format.ONLINE if "online" in top and "place" not in top else Format.IN_PERSON
    is_assumed = form != Format.ONLINE
    if is_assumed and "format" not in top:
        top.findings.warn("W111", TOP, f"no format is stated; assumed: {form}", f"format: {form}")
    return form, is_assumed


def _follows(top: Fields, slug: str, slugs: Sequence[str]) -> tuple[str, ...]:
    others = [other for other in slugs if other != slug]
    if isinstance(top.get("follows"), Items):
        return top.keys("follows", others, "event")
    word = top.key("follows", others, "event")
    return (word,) if word else ()


def _publish_after(top: Fields, zone: str) -> datetime | None:
    """An aware time; a day means its local midnight."""
    moment = top.moment("publish_after", zone)
    if moment is None or isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, time(0), ZoneInfo(zone))


def _check_private(top: Fields) -> None:
    for name in ("enquiries", "organiser", "summary", "change_note"):
        node = top.get(name)
        if node is not None:
            for scalar in scalars(node):
                check_address(top.findings, scalar, scalar.text)


def _read_source(top: Fields) -> None:
    """The evidence stays in the file; only its form is looked at."""
    top.map("source", _SOURCE)
