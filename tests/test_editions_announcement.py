"""When a new event is announced, and when it is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from makers import a_snapshot, a_span, an_event, an_office

from notifier.config import AnnouncementSettings, Config, Editions, Newsletter, UpdateSettings
from notifier.editions import announcement
from notifier.editions.base import Edition
from notifier.events.event import Event, Snapshot, Status

KNOWN = datetime(2020, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def known(event: Event | None = None, after: timedelta = timedelta(0), **fields: Any) -> Snapshot:
    return a_snapshot(
        event or an_event(), **({"published_at": KNOWN + after, "revised_at": KNOWN + after} | fields)
    )


def planned(*snapshots: Snapshot, settings: Config | None = None) -> list[Edition]:
    """All announcements of the month around KNOWN."""
    month = timedelta(days=30)
    return list(announcement.plan(snapshots, KNOWN - month, KNOWN + month, settings or an_office()))


def many(count: int, apart: timedelta) -> list[Snapshot]:
    return [known(an_event(f"2020-04-28-number-{n}"), apart * n) for n in range(count)]


def test_a_new_event_is_announced_after_the_undo_window() -> None:
    (edition,) = planned(known())
    assert edition.key == "announcement/20200428calabria@events.region.example"
    assert edition.due == KNOWN + 15 * MINUTE
    assert edition.useful_until == edition.due + timedelta(hours=48)


def test_an_announcement_that_needs_approval_is_asked_for_when_the_event_becomes_known() -> None:
    assert planned(known())[0].prepare_at == KNOWN
    unasked = an_office(editions=Editions(announcement=AnnouncementSettings(approval="none")))
    assert planned(known(), settings=unasked)[0].prepare_at is None


def test_a_baseline_event_is_announced_by_nobody() -> None:
    assert planned(known(is_baseline=True)) == []


def test_an_event_that_begins_within_a_day_is_announced_after_two_minutes() -> None:
    # Given a meeting at 10:00 in Warsaw on 3 March, known 24 hours ahead, and one a minute later
    near = known(an_event(span=a_span("2020-03-03", at="10:00", until="12:00")))
    far = known(an_event("far", span=a_span("2020-03-03", at="10:01", until="12:00")))
    assert planned(near)[0].due == KNOWN + 2 * MINUTE
    assert planned(far)[0].due == KNOWN + 15 * MINUTE


@pytest.mark.parametrize(("at", "count"), [("10:02", 0), ("10:03", 1)])
def test_no_announcement_comes_when_the_event_has_begun(at: str, count: int) -> None:
    # Given a meeting known at 10:00 that begins as its announcement is due, or a minute after
    event = an_event(span=a_span("2020-03-02", at=at, until="12:00"))
    # Then what comes, is of no use once it began
    found = planned(known(event))
    assert len(found) == count
    assert all(e.useful_until == event.span.starts_at for e in found)


def test_publish_after_is_when_an_event_becomes_known() -> None:
    embargo = KNOWN + timedelta(days=3)
    (edition,) = planned(known(an_event(publish_after=embargo)))
    assert (edition.prepare_at, edition.due) == (embargo, embargo + 15 * MINUTE)
    assert planned(known(an_event(publish_after=KNOWN - MINUTE)))[0].prepare_at == KNOWN


@pytest.mark.parametrize(
    ("status", "count"),
    [("tentative", 1), ("confirmed", 1), ("moved", 1), ("postponed", 0), ("cancelled", 0)],
)
def test_only_what_takes_place_is_announced(status: str, count: int) -> None:
    assert len(planned(known(an_event(status=Status(status))))) == count


@pytest.mark.parametrize(
    ("count", "apart", "announced"),
    [
        (3, MINUTE * 0, 3),  # as many as the burst allows
        (4, MINUTE * 0, 0),
        (4, MINUTE * 4, 0),  # the fourth 12 minutes after the first
        (4, MINUTE * 5, 4),  # 15 minutes: the first window is over
        (7, MINUTE * 4, 0),  # any window of 15 minutes that holds more than three counts
    ],
)
def test_a_burst_is_left_to_the_digest(count: int, apart: timedelta, announced: int) -> None:
    assert len(planned(*many(count, apart))) == announced


def test_an_event_beside_a_burst_is_announced() -> None:
    # Given four events at once and one 15 minutes later
    late = known(an_event("late"), 15 * MINUTE)
    found = planned(*many(4, MINUTE * 0), late)
    assert [e.mentions[0].uid for e in found] == [late.event.uid]


def test_baseline_events_make_no_burst() -> None:
    old = [s.model_copy(update={"is_baseline": True}) for s in many(9, MINUTE * 0)]
    assert len(planned(*old, known(an_event("new")))) == 1


def test_a_burst_is_seen_from_what_is_known_when_the_announcement_is_due() -> None:
    # Given three events, and one more at the very instant at which they are due
    first, last = many(3, MINUTE * 0), known(an_event("last"), 15 * MINUTE)
    # Then the newcomer changes nothing about those three
    assert {e.key for e in planned(*first)} <= {e.key for e in planned(*first, last)}


def test_an_announcement_belongs_to_the_first_newsletter_that_covers_the_event() -> None:
    settings = an_office(
        newsletter=(
            Newsletter(name="smarty", projects=("smarty",)),
            Newsletter(name="visits", projects=("cohes3ion",)),
            Newsletter(name="all"),
        )
    )
    assert planned(known(), settings=settings)[0].newsletter == "visits"
    nowhere = an_office(newsletter=settings.newsletter[:1])
    assert planned(known(), settings=nowhere) == []


def test_a_foreign_uid_is_escaped_in_the_key() -> None:
    (edition,) = planned(known(an_event(uid="20200428/ABC%1 ü@partner.example")))
    assert edition.key == "announcement/20200428%2FABC%251%20%C3%BC@partner.example"
    assert edition.mentions[0].uid == "20200428/ABC%1 ü@partner.example"


def test_the_undo_window_is_configured() -> None:
    settings = an_office(editions=Editions(update=UpdateSettings(delay=timedelta(hours=1))))
    assert planned(known(), settings=settings)[0].due == KNOWN + timedelta(hours=1)
