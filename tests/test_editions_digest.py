"""What a digest speaks of, when it is planned, and until when it is of use."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from makers import a_snapshot, a_span, an_event, an_office

from notifier.config import Config, DigestSettings, Editions, Newsletter
from notifier.editions import digest
from notifier.editions.base import Edition
from notifier.events.event import Deadline, Event, Material, Registration, Snapshot, Status

LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)
#: Tuesday 7 April 2020, 07:30 in Warsaw: weekly, biweekly and monthly are due.
DUE = datetime(2020, 4, 7, 5, 30, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MATERIALS = (Material(title={"en": "Slides"}),)


def published(event: Event, **fields: Any) -> Snapshot:
    return a_snapshot(event, **({"published_at": LONG_AGO, "revised_at": LONG_AGO} | fields))


def on(first: str, last: str | None = None, slug: str = "", **fields: Any) -> Event:
    return an_event(slug or f"{first}-meeting", span=a_span(first, last), **fields)


def sections(
    snapshots: list[Snapshot], settings: Config | None = None, at: datetime = DUE
) -> dict[str, list[str]]:
    """section -> days of its events, as a digest at `at` would show them."""
    settings = settings or an_office()
    days = {s.event.uid: s.event.span.first.isoformat() for s in snapshots}
    shown: dict[str, list[str]] = {}
    for mention in digest.contents(snapshots, at, settings, settings.newsletter[0]):
        shown.setdefault(mention.section, []).append(days[mention.uid])
    return shown


def planned(snapshots: list[Snapshot], settings: Config, until: datetime = DUE) -> dict[str, Edition]:
    return {e.key: e for e in digest.plan(snapshots, until - timedelta(minutes=5), until, settings)}


def with_digest(**fields: Any) -> Config:
    return an_office(editions=Editions(digest=DigestSettings(**({"approval": "none"} | fields))))


def test_events_within_the_window_are_shown_soonest_first() -> None:
    # Given meetings today, within 60 days, and just beyond
    days = ["2020-06-06", "2020-06-07", "2020-04-28", "2020-04-07", "2020-04-08"]
    # When a digest is made on 7 April
    shown = sections([published(on(day)) for day in days])
    # Then today's has begun, 6 June begins (at midnight, local) on the 60th day, and 7 June is too far
    assert shown == {"events": ["2020-04-08", "2020-04-28", "2020-06-06"]}


def test_the_window_includes_its_last_instant() -> None:
    # Given meetings in Warsaw exactly 60 days after the digest, and a minute later
    timed = [an_event(at, span=a_span("2020-06-06", at=at)) for at in ("07:30", "07:31")]
    settings = an_office()
    found = digest.contents([published(e) for e in timed], DUE, settings, settings.newsletter[0])
    assert [m.uid for m in found] == [timed[0].uid]


def test_an_event_is_not_shown_before_it_is_known_or_may_be_told() -> None:
    late = published(on("2020-04-28"), published_at=DUE + SECOND)
    embargoed = published(on("2020-04-29", publish_after=DUE + SECOND))
    in_time = published(on("2020-04-30", publish_after=DUE))
    assert sections([late, embargoed, in_time]) == {"events": ["2020-04-30"]}


def test_a_month_without_a_day_is_shown_until_the_month_is_over() -> None:
    month = replace(a_span("2020-04-01", "2020-04-30"), is_month=True)
    event = an_event(span=month, status=Status.TENTATIVE)
    assert sections([published(event)]) == {"events": ["2020-04-01"]}
    assert sections([published(event)], at=datetime(2020, 5, 1, tzinfo=UTC)) == {}


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.POSTPONED])
def test_a_meeting_that_is_off_is_shown_while_that_is_news(status: Status) -> None:
    # Given one called off three weeks ago, one long ago, and one that was never on
    fresh = published(on("2020-04-20", status=status), revision=2, revised_at=DUE - timedelta(days=21))
    stale = published(on("2020-04-21", status=status), revision=2, revised_at=DUE - timedelta(days=31))
    never = published(on("2020-04-22", status=status), revised_at=DUE - timedelta(days=1))
    # Then only the first is told
    assert sections([fresh, stale, never]) == {"events": ["2020-04-20"]}


def test_deadlines_are_shown_until_the_end_of_their_last_day() -> None:
    # Given calls that end yesterday, today (Warsaw), in 60 days and later, for meetings far away
    by = {"2021-01-01": date(2020, 4, 6), "2021-01-02": date(2020, 4, 7), "2021-01-03": date(2020, 6, 5), "2021-01-04": date(2020, 6, 7)}  # fmt: skip
    calls = [
        published(on(day, deadlines=(Deadline(what={"en": "Call"}, by=end),))) for day, end in by.items()
    ]
    # Then those that can still be met, and soon, are shown
    assert sections(calls) == {"deadlines": ["2021-01-02", "2021-01-03"]}


def test_registration_is_a_deadline_and_the_soonest_comes_first() -> None:
    registration = on("2021-01-01", registration=Registration(by=date(2020, 4, 20)))
    call = on("2021-01-02", deadlines=(Deadline(what={"en": "Call"}, by=DUE + timedelta(hours=1)),))
    assert sections([published(registration), published(call)]) == {"deadlines": ["2021-01-02", "2021-01-01"]}


def test_a_standing_call_is_shown_after_dated_ones_and_not_for_ever() -> None:
    # Given a call without an end beside a meeting of 14 July 2020, and one with an end
    standing = published(on("2020-07-14", deadlines=(Deadline(what={"en": "Good practices"}),)))
    dated = published(on("2021-01-01", deadlines=(Deadline(what={"en": "Call"}, by=date(2020, 7, 1)),)))
    # Then it stands last, and ends with the month after the meeting
    at = datetime(2020, 6, 30, 5, 30, tzinfo=UTC)
    assert sections([standing, dated], at=at)["deadlines"] == ["2021-01-01", "2020-07-14"]
    assert "deadlines" in sections([standing], at=datetime(2020, 8, 13, tzinfo=UTC))
    assert sections([standing], at=datetime(2020, 8, 15, tzinfo=UTC)) == {}


def test_deadlines_of_a_cancelled_meeting_are_not_shown() -> None:
    event = on(
        "2021-01-01", status=Status.CANCELLED, deadlines=(Deadline(what={"en": "x"}, by=date(2020, 4, 20)),)
    )
    assert sections([published(event)]) == {}


def test_recent_meetings_are_shown_with_materials_only_latest_first() -> None:
    past = [
        on("2020-03-20", materials=MATERIALS),
        on("2020-04-01", "2020-04-06", materials=MATERIALS),
        on("2020-04-02"),
        on("2020-03-01", materials=MATERIALS),  # 37 days ago
        on("2020-04-06", "2020-04-08", materials=MATERIALS),  # still going on
        on("2020-04-03", materials=MATERIALS, status=Status.CANCELLED),
    ]
    assert sections([published(event) for event in past]) == {"recent": ["2020-04-01", "2020-03-20"]}


def test_sections_stand_in_the_configured_order_and_only_those() -> None:
    snapshots = [
        published(on("2020-04-28", deadlines=(Deadline(what={"en": "Call"}, by=date(2020, 4, 20)),))),
        published(on("2020-03-20", materials=MATERIALS)),
    ]
    settings = with_digest(sections=("recent", "events"))
    mentions = digest.contents(snapshots, DUE, settings, settings.newsletter[0])
    assert [m.section for m in mentions] == ["recent", "events"]


def test_a_newsletter_tells_only_of_what_it_covers() -> None:
    narrow = an_office(
        newsletter=(Newsletter(name="smarty", projects=("smarty",), topics=("sme", "clusters")),)
    )
    snapshots = [
        published(on("2020-04-20", project="smarty", topics=("sme",))),
        published(on("2020-04-21", project="smarty")),
        published(on("2020-04-22", project="cohes3ion", topics=("sme",))),
        published(on("2020-04-23", project="", topics=("sme",))),
    ]
    assert sections(snapshots, narrow) == {"events": ["2020-04-20"]}


def test_each_cadence_of_the_schedule_has_its_own_digest() -> None:
    # Given the usual schedule, and a day on which all three are due
    found = planned([published(on("2020-04-28"))], with_digest())
    # Then each has a key of its slot
    assert set(found) == {"digest/events/2020-W15", "digest/events/2020-W15-2w", "digest/events/2020-04"}
    assert {e.cadence for e in found.values()} == {"weekly", "biweekly", "monthly"}
    assert {e.due for e in found.values()} == {DUE}


def test_only_cadences_of_the_schedule_are_planned() -> None:
    settings = with_digest().model_copy(
        update={"newsletter": (Newsletter(schedule={"monthly": "1st Tue at 07:30"}),)}
    )
    assert set(planned([published(on("2020-04-28"))], settings)) == {"digest/events/2020-04"}


def test_two_days_of_one_week_make_one_digest_however_time_is_cut() -> None:
    # Given a schedule that names Tuesday and Friday for the weekly digest
    newsletter = Newsletter(schedule={"weekly": "cron: 30 7 * * TUE,FRI"})
    friday = datetime(2020, 4, 10, 5, 30, tzinfo=UTC)
    # Then Friday gives none after Tuesday did, even when nobody asked on Tuesday
    assert digest.due_between(newsletter, "weekly", friday - SECOND, friday, an_office()) == {}
    # But it does when Tuesday is a day off
    newsletter = Newsletter(schedule=newsletter.schedule, **{"except": ("2020-04-07",)})
    assert digest.due_between(newsletter, "weekly", friday - SECOND, friday, an_office()) == {
        "2020-W15": friday
    }


def test_an_empty_digest_is_not_planned_unless_wanted() -> None:
    assert planned([], with_digest()) == {}
    found = planned([], with_digest(empty="send"))
    assert [(e.mentions, e.useful_until - e.due) for e in found.values()] == [((), timedelta(hours=48))] * 3


def test_a_digest_that_needs_approval_is_planned_a_day_ahead() -> None:
    # Given approval by default
    snapshots = [published(on("2020-04-28"))]
    # When the day before has not quite come, and when it has
    early = planned(snapshots, an_office(), DUE - timedelta(days=1) - SECOND)
    ready = planned(snapshots, an_office(), DUE - timedelta(days=1))
    # Then it is known from that instant, to be prepared then
    assert early == {}
    assert ready["digest/events/2020-W15"].prepare_at == DUE - timedelta(days=1)
    assert planned(snapshots, with_digest(), DUE)["digest/events/2020-W15"].prepare_at is None


def test_a_digest_is_of_use_for_two_days_or_until_its_first_event() -> None:
    # Given meetings on 8 and 28 April, and a cancelled one in between that invites nobody
    near, far = published(on("2020-04-08")), published(on("2020-04-28"))
    off = published(
        on("2020-04-08", status=Status.CANCELLED, slug="off"), revision=2, revised_at=DUE - SECOND
    )
    # Then the near one ends it at its local midnight
    assert planned([far, near], with_digest())["digest/events/2020-04"].useful_until == datetime(
        2020, 4, 7, 22, 0, tzinfo=UTC
    )
    assert planned([far, off], with_digest())["digest/events/2020-04"].useful_until == DUE + timedelta(
        hours=48
    )


def test_a_mention_names_revision_and_start() -> None:
    (mention,) = digest.contents(
        [published(on("2020-04-28"), revision=3)], DUE, an_office(), an_office().newsletter[0]
    )
    assert (mention.revision, mention.occurrence) == (3, "20200427T220000Z")
