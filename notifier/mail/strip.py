"""The strip: half a year in one glance, one cell a week.

Three looks, each with a word in the legend and a sign besides its colour: a meeting, a change, a deadline.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from notifier.events.event import Event
from notifier.mail import languages
from notifier.mail.event_views import CALLED_OFF, Setting, last_day

MIN_WEEKS = 13
MAX_WEEKS = 27
MAX_DATES = 12
#: A month's name needs this many cells; over fewer it would run into its neighbour.
CELLS_FOR_A_NAME = 3


def strip(events: Sequence[Event], changed: Iterable[str], setting: Setting) -> dict[str, Any] | None:
    """The weeks from this one to the last event, at least 13 and at most 27; None without anything to show.

    `changed`: UIDs of events with a change.
    """
    monday = setting.today - timedelta(days=setting.today.weekday())
    marks = _marks(events, frozenset(changed), setting)
    shown = [(week_of(day, monday), look) for day, look in marks]
    count = min(MAX_WEEKS, max([MIN_WEEKS, *(week + 2 for week, _ in shown)]))
    weeks = [_week([look for week, look in shown if week == number]) for number in range(count)]
    looks = [look for look in _looks(setting) if any(week["look"] == look["look"] for week in weeks)]
    if not looks:
        return None
    return {
        "weeks": weeks,
        "months": _months(monday, count, setting),
        "looks": looks,
        "label": _label(events, setting),
    }


def week_of(day: date, monday: date) -> int:
    return (day - monday).days // 7


def _marks(events: Sequence[Event], changed: frozenset[str], setting: Setting) -> list[tuple[date, str]]:
    marks = []
    for event in (e for e in events if not e.span.is_month):
        look = "moved" if event.uid in changed or event.status in CALLED_OFF else "held"
        # A meeting that has begun shows in this week; one over two weeks shows in both.
        day = max(event.span.first, setting.today)
        while day <= event.span.last:
            marks.append((day, look))
            day += timedelta(days=7 - day.weekday())
        marks += [(last_day(d.by, event), "due") for d in event.deadlines if d.by]
        if event.registration and event.registration.by:
            marks.append((last_day(event.registration.by, event), "due"))
    return [(day, look) for day, look in marks if day >= setting.today]


def _week(looks: Sequence[str]) -> dict[str, str]:
    """The strongest of the looks; how many meetings, where there are several; a sign for a deadline."""
    meetings = sum(look != "due" for look in looks)
    look = next((strong for strong in ("moved", "held", "due") if strong in looks), "none")
    return {"look": look, "sign": str(meetings) if meetings > 1 else "•" if look == "due" else ""}


def _looks(setting: Setting) -> list[dict[str, str]]:
    text = setting.voice.text
    return [
        {"look": "held", "sign": "", "text": text("meeting")},
        {"look": "moved", "sign": "", "text": text("change")},
        {"look": "due", "sign": "•", "text": text("deadline")},
    ]


def _months(monday: date, count: int, setting: Setting) -> list[dict[str, Any]]:
    """Month names over their first full week; a week belongs to the month of its Thursday (as ISO weeks to years)."""
    months: list[dict[str, Any]] = []
    for number in range(count):
        thursday = monday + timedelta(days=7 * number + 3)
        name = languages.short_month(thursday, setting.voice.language)
        if months and months[-1]["name"] == name:
            months[-1]["weeks"] += 1
        else:
            months.append({"name": name, "weeks": 1})
    return [m | {"name": m["name"] if m["weeks"] >= CELLS_FOR_A_NAME else ""} for m in months]


def _label(events: Sequence[Event], setting: Setting) -> str:
    """The strip in words, for those who hear it."""
    voice = setting.voice
    dates = [
        voice.dates(event.span, relative_to=setting.today)
        for event in events
        if event.status not in CALLED_OFF
    ]
    return voice.text("Weeks with meetings: {dates}", dates="; ".join(dict.fromkeys(dates[:MAX_DATES])))
