"""What differs between two versions of an event, who hears of it when, and what calendars must replace.

The table of classes is the one list of it (docs: what counts as a change). Values are compared as a reader sees
them: Unicode NFC, spaces trimmed, times as wall clock and instant; so a difference of spelling alone is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from notifier.events.event import (
    Deadline,
    Event,
    Material,
    Online,
    Place,
    Registration,
    Session,
    Snapshot,
    Status,
    Texts,
    pick,
)
from notifier.events.span import Span

Notice = Literal["now", "next-digest", "silent"]
SOON = timedelta(days=7)  # a deadline this near is told at once


@dataclass(frozen=True)
class FieldChange:
    """One field that differs; `old` and `new` are the event's own values of it, for a template to say."""

    field: str
    old: Any
    new: Any
    notice: Notice
    raises_sequence: bool


def compare(
    old: Event, new: Event, now: datetime, *, policy: Mapping[str, Notice] | None = None
) -> tuple[FieldChange, ...]:
    """The differences in the order of their weight; empty when a reader would see none.

    `policy` is the administrator's class per field ([editions.update] fields). The officer's `notify:` in the new
    version stands over it: `silent` always, `now` and `next-digest` for what would be told anyway, and for
    everything in the edit that sets them. A cancellation is told now whatever they say.

    Raises:
        ValueError: two different events.
    """
    if old.uid != new.uid:
        raise ValueError(f"{old.uid} and {new.uid} are two events")
    judge = _Judge(old, new, now, policy or {})
    found: dict[str, FieldChange] = {}
    for aspect in _ASPECTS:
        if aspect.part_of not in found and (change := judge.change(aspect)):
            found[aspect.field] = change
    return tuple(found.values())


def revise(
    old: Snapshot | None,
    new: Event,
    now: datetime,
    *,
    is_baseline: bool = False,
    policy: Mapping[str, Notice] | None = None,
) -> Snapshot | None:
    """The snapshot to publish; None when nothing differs, and for what is not to be published (yet).

    SEQUENCE rises by one when any change raises it, and never falls: undoing a published change is a further +1
    (RFC 5546 2.1.4). DTSTAMP comes from `revised_at`, so that never falls either, whatever the clock does.
    """
    if new.is_draft:
        return None
    if old is None:
        if new.publish_after and now < new.publish_after:
            return None
        return Snapshot(event=new, published_at=now, revised_at=now, is_baseline=is_baseline)
    found = compare(old.event, new, now, policy=policy)
    if not found:
        return None
    return Snapshot(
        event=new,
        revision=old.revision + 1,
        sequence=old.sequence + any(change.raises_sequence for change in found),
        published_at=old.published_at,
        revised_at=max(now, old.revised_at),
        is_baseline=old.is_baseline,
    )


def notice_of(found: Sequence[FieldChange]) -> Notice:
    """The most urgent class among some changes; `silent` of none."""
    classes = {change.notice for change in found}
    return "now" if "now" in classes else "next-digest" if "next-digest" in classes else "silent"


@dataclass(frozen=True)
class _Aspect:
    """A field as the table knows it: what of an event it is, how it compares, and its class."""

    field: str
    shown: Callable[[Event], Any]
    key: Callable[[Event, _Judge], Any]
    notice: Notice | Callable[[_Judge], Notice] = "silent"
    raises: bool | Callable[[_Judge], bool] = False
    is_text: bool = (
        False  # quotes, dashes and spaces alone are typography there; in a link they are another link
    )
    part_of: str = ""  # not told of when that field, an earlier one of the table, differs as well


@dataclass(frozen=True)
class _Judge:
    """Two versions of an event under comparison."""

    old: Event
    new: Event
    now: datetime
    policy: Mapping[str, Notice]

    def change(self, aspect: _Aspect) -> FieldChange | None:
        before, after = _plain(aspect.key(self.old, self)), _plain(aspect.key(self.new, self))
        if before == after:
            return None
        is_typography = aspect.is_text and _untypeset(before) == _untypeset(after)
        raises = aspect.raises(self) if callable(aspect.raises) else aspect.raises
        return FieldChange(
            field=aspect.field,
            old=aspect.shown(self.old),
            new=aspect.shown(self.new),
            notice=self.notice(aspect, is_typography=is_typography),
            raises_sequence=raises and not is_typography,
        )

    def notice(self, aspect: _Aspect, *, is_typography: bool) -> Notice:
        if aspect.field == "status" and self.new.status is Status.CANCELLED:
            return "now"
        usual = aspect.notice(self) if callable(aspect.notice) else aspect.notice
        usual = "silent" if is_typography else self.policy.get(aspect.field, usual)
        wish = self.new.notify
        if wish == "silent":
            return "silent"
        # `notify: now` stays in the file after the edit it was meant for; a later typing error must not go to all.
        is_of_this_edit = (self.new.notify, self.new.change_note) != (self.old.notify, self.old.change_note)
        if wish and (usual != "silent" or is_of_this_edit):
            return "now" if wish == "now" else "next-digest"
        return usual

    def said(self, texts: Texts) -> str:
        """The text in the original language; the same language on both sides where both have it."""
        return pick(texts, (self.old.language, self.new.language))[1]

    def translations(self, texts: Texts) -> dict[str, str]:
        """All the other languages."""
        original = pick(texts, (self.old.language, self.new.language))[0]
        return {tag: text for tag, text in texts.items() if tag != original and text}


def _when(span: Span) -> tuple[object, ...]:
    """Whole days are days; times are what the wall clock says and the instant that it means."""
    if span.begins is None:
        return (span.first, span.last, span.is_month)
    ends = span.ends_at if span.ends else None
    return (span.first, span.last, span.begins, span.ends, span.starts_at, ends)


def _where(place: Place | None, judge: _Judge) -> object:
    return place and (judge.said(place.name), place.address, place.city, place.country)


def _dial_in(online: Online | None) -> object:
    return online and (online.platform, online.link, online.phone, online.passcode)


def _status(event: Event, judge: _Judge) -> Status:
    """`moved` is how `confirmed` is written after a change of date; calendars know no difference."""
    return Status.CONFIRMED if event.status is Status.MOVED else event.status


def _status_notice(judge: _Judge) -> Notice:
    is_confirmed = judge.old.status is Status.TENTATIVE and _status(judge.new, judge) is Status.CONFIRMED
    return "next-digest" if is_confirmed else "now"


def _session_times(session: Session, judge: _Judge) -> object:
    when = _when(session.span) if session.span else None
    return (when, _where(session.place, judge), _dial_in(session.online))


def _programme(session: Session, judge: _Judge) -> object:
    return (judge.said(session.title), session.project, tuple(o.name for o in session.organisers))


def _registration(registration: Registration | None) -> object:
    return registration and (registration.link, registration.by, registration.places)


def _registration_notice(judge: _Judge) -> Notice:
    old, new = judge.old.registration, judge.new.registration
    return _deadline_notice(judge, [(old.by if old else None, new.by if new else None)])


def _deadlines_notice(judge: _Judge) -> Notice:
    """By the deadlines of the same name; a new one counts as one that was never."""
    old = {judge.said(deadline.what): deadline.by for deadline in judge.old.deadlines}
    pairs = [(old.get(judge.said(d.what)), d.by) for d in judge.new.deadlines]
    return _deadline_notice(judge, pairs)


By = date | datetime | None


def _deadline_notice(judge: _Judge, pairs: Sequence[tuple[By, By]]) -> Notice:
    """Now if one is earlier than told, or changed and within seven days; else with the next digest."""
    for old, new in pairs:
        before, after = (_instant(by, judge.new.span.zone) for by in (old, new))
        if after is None or after == before or after < judge.now:
            continue
        if (before and after < before) or after - judge.now <= SOON:
            return "now"
    return "next-digest"


def _instant(by: By, zone: str) -> datetime | None:
    """The end of a deadline: of that day for a date."""
    if by is None or isinstance(by, datetime):
        return by
    return datetime.combine(by + timedelta(days=1), time(0), ZoneInfo(zone)).astimezone(UTC)


def _other_languages(event: Event, judge: _Judge) -> object:
    texts: list[Texts] = [event.title, event.summary, event.body, event.change_note]
    texts += [event.place.name] if event.place else []
    texts += [item.what for item in event.deadlines]
    texts += [item.title for item in event.materials]
    texts += [item.title for item in event.sessions]
    return tuple(filter(None, map(judge.translations, texts)))


def _deadline(deadline: Deadline, judge: _Judge) -> object:
    return (judge.said(deadline.what), deadline.by, deadline.link)


def _material(material: Material, judge: _Judge) -> object:
    return (judge.said(material.title), material.file, material.link, material.lang)


def _zone_raises(judge: _Judge) -> bool:
    return not (judge.old.span.is_all_day and judge.new.span.is_all_day)


def _same(name: str, notice: Notice = "silent", *, raises: bool = False) -> _Aspect:
    """One field of Event, compared as a whole."""
    return _inner(name, lambda event: getattr(event, name), notice, raises=raises)


def _inner(
    name: str,
    value: Callable[[Event], Any],
    notice: Notice = "silent",
    *,
    raises: bool = False,
    is_text: bool = False,
    part_of: str = "",
) -> _Aspect:
    """A value within an event, compared as it is shown."""
    return _Aspect(name, value, lambda event, _: value(event), notice, raises, is_text, part_of)


def _text(name: str, notice: Notice) -> _Aspect:
    """A text of Event in its original language."""
    return _Aspect(
        name,
        lambda event: getattr(event, name),
        lambda event, judge: judge.said(getattr(event, name)),
        notice,
        is_text=True,
    )


def _each(
    name: str,
    items: str,
    key: Callable[[Any, _Judge], object],
    notice: Notice | Callable[[_Judge], Notice],
    *,
    raises: bool = False,
    is_text: bool = False,
) -> _Aspect:
    """A list of Event, compared item by item in its order."""
    return _Aspect(
        name,
        lambda event: getattr(event, items),
        lambda event, judge: tuple(key(item, judge) for item in getattr(event, items)),
        notice,
        raises,
        is_text,
    )


_WHOLE = (
    *("organisers", "enquiries", "topics", "regions", "project", "series", "number", "type", "languages"),
    *("follows", "attendance", "link", "language", "visibility", "slug"),
)

_ASPECTS = (
    _Aspect("status", lambda e: e.status, _status, _status_notice, raises=True),
    _Aspect("when", lambda e: e.span, lambda e, _: _when(e.span), "now", raises=True),
    _Aspect("place", lambda e: e.place, lambda e, j: _where(e.place, j), "now", raises=True, is_text=True),
    _same("format", "now", raises=True),
    _Aspect("online", lambda e: e.online, lambda e, _: _dial_in(e.online), "now", raises=True),
    _each("sessions", "sessions", _session_times, "now", raises=True),
    _Aspect(
        "registration",
        lambda e: e.registration,
        lambda e, _: _registration(e.registration),
        _registration_notice,
    ),
    _each("deadlines", "deadlines", _deadline, _deadlines_notice),
    _text("title", "next-digest"),
    _each("materials", "materials", _material, "next-digest"),
    _each("programme", "sessions", _programme, "next-digest", is_text=True),
    _text("summary", "next-digest"),
    _text("body", "next-digest"),
    _inner("access", lambda e: e.place and e.place.access, "next-digest", is_text=True, part_of="place"),
    # Where only the zone's name differs nobody comes at another time, but the entry names another VTIMEZONE.
    _Aspect("zone", lambda e: e.span.zone, lambda e, _: e.span.zone, raises=_zone_raises, part_of="when"),
    _inner("moved", lambda e: e.status is Status.MOVED),
    _inner("geo", lambda e: e.place and e.place.geo, part_of="place"),
    _inner("online_show", lambda e: e.online and (e.online.show, e.online.from_hours), part_of="online"),
    _inner("taken", lambda e: e.registration and e.registration.taken, part_of="registration"),
    _inner("remind", lambda e: tuple(deadline.remind for deadline in e.deadlines), part_of="deadlines"),
    _Aspect("translations", lambda e: (e.title, e.summary, e.body), _other_languages),
    _text("change_note", "silent"),
    *map(_same, _WHOLE),
)

_QUOTES: dict[int, str] = dict.fromkeys(map(ord, "\"'`´‘’‚‛“”„‟«»‹›′″"), "'")
_DASHES: dict[int, str] = dict.fromkeys(map(ord, "-‐‑‒–—―−"), "-")
_TYPESETTING = {**_QUOTES, **_DASHES, ord("…"): "..."}


def _plain(value: object) -> Any:
    """A value for comparison: texts in NFC without outer spaces, models and mappings as plain data."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value.replace("\r\n", "\n")).strip()
    if isinstance(value, BaseModel):
        return _plain(dict(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _untypeset(value: Any) -> Any:
    """The same without what is typography alone: kinds of quotes, dashes and spaces, a final stop."""
    if isinstance(value, str):
        words = " ".join(value.translate(_TYPESETTING).split())
        return re.sub(r" ?(['-]) ?", r"\1", words).rstrip(".")
    if isinstance(value, Mapping):
        return {key: _untypeset(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_untypeset(item) for item in value]
    return value
