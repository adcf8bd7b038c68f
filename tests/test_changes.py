"""The table of changes: who hears of what, and what raises SEQUENCE."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import a_snapshot, a_span, an_event

from notifier.events import changes
from notifier.events.event import (
    Deadline,
    Enquiries,
    Event,
    Material,
    Online,
    Organiser,
    Place,
    Registration,
    Session,
    Snapshot,
    Status,
)

NOW = datetime(2020, 4, 1, 6, 0, tzinfo=UTC)


def with_(event: Event, **fields: Any) -> Event:
    return event.model_copy(update=fields)


def a_meeting(**fields: Any) -> Event:
    """A timed meeting with something in every field that may change."""
    defaults: dict[str, Any] = {
        "span": a_span("2020-09-08", at="10:00", until="13:30"),
        "online": Online(platform="MS Teams", link="https://meet.example/1"),
        "place": Place(name={"en": "Essen"}, city="Essen", country="DE"),
        "format": "hybrid",
        "summary": {"en": "A meeting about clusters"},
        "body": {"en": "First paragraph.\n\nSecond."},
        "registration": Registration(link="https://region.example/r", by=date(2020, 8, 31)),
        "deadlines": (Deadline(what={"en": "Good practices"}, by=date(2020, 8, 20)),),
        "sessions": (Session(title={"en": "Opening"}, span=a_span("2020-09-08", at="10:00", until="11:00")),),
    }
    return an_event("2020-09-08-seminar", **(defaults | fields))


TABLE: list[tuple[str, dict[str, Any], dict[str, Any], str, bool]] = [
    ("when", {}, {"span": a_span("2020-09-08", at="11:00", until="13:30")}, "now", True),
    ("when", {}, {"span": a_span("2020-09-08", at="10:00", until="14:00")}, "now", True),
    ("when", {}, {"span": a_span("2020-09-08", at="10:00", until="13:30", zone="Europe/London")}, "now", True),
    ("when", {}, {"span": a_span("2020-09-08")}, "now", True),
    ("when", {"span": a_span("2020-09-08", at="10:00")}, {"span": a_span("2020-09-08", at="10:00", zone="Europe/London")}, "now", True),
    ("status", {}, {"status": Status.CANCELLED}, "now", True),
    ("status", {}, {"status": Status.POSTPONED}, "now", True),
    ("status", {"status": Status.CANCELLED}, {"status": Status.CONFIRMED}, "now", True),
    ("status", {"status": Status.TENTATIVE}, {"status": Status.CONFIRMED}, "next-digest", True),
    ("place", {}, {"place": Place(name={"en": "Bochum"}, city="Essen", country="DE")}, "now", True),
    ("place", {}, {"place": Place(name={"en": "Essen"}, address="Am Markt 1", city="Essen", country="DE")}, "now", True),
    ("format", {}, {"format": "online"}, "now", True),
    ("online", {}, {"online": Online(platform="MS Teams", link="https://meet.example/2")}, "now", True),
    ("online", {}, {"online": None}, "now", True),
    ("title", {}, {"title": {"en": "Another title", "pl": "Spotkanie w Kalabrii"}}, "next-digest", False),
    ("registration", {}, {"registration": Registration(link="https://region.example/r", by=date(2020, 9, 3))}, "next-digest", False),
    ("registration", {}, {"registration": Registration(link="https://region.example/r", by=date(2020, 8, 1))}, "now", False),
    ("deadlines", {}, {"deadlines": (Deadline(what={"en": "Good practices"}, by=date(2020, 8, 10)),)}, "now", False),
    ("deadlines", {}, {"deadlines": (Deadline(what={"en": "Good practices"}, by=date(2020, 8, 30)),)}, "next-digest", False),
    ("deadlines", {}, {"deadlines": ()}, "next-digest", False),
    ("materials", {}, {"materials": (Material(title={"en": "Slides"}),)}, "next-digest", False),
    ("summary", {}, {"summary": {"en": "A meeting about energy"}}, "next-digest", False),
    ("body", {}, {"body": {"en": "Another text."}}, "next-digest", False),
    ("organisers", {}, {"organisers": (Organiser(name="Region", mail="office@example.org"),)}, "silent", False),
    ("enquiries", {}, {"enquiries": Enquiries(mail="office@example.org")}, "silent", False),
    ("topics", {}, {"topics": ("sme",)}, "silent", False),
    ("regions", {}, {"regions": ("PL92",)}, "silent", False),
    ("translations", {}, {"title": {"en": "Calabria meeting", "pl": "Inny tytuł"}}, "silent", False),
    ("translations", {}, {"body": {"en": "First paragraph.\n\nSecond.", "pl": "Po polsku."}}, "silent", False),
]  # fmt: skip


@pytest.mark.parametrize(("field", "before", "after", "notice", "raises"), TABLE)
def test_each_kind_of_change_has_the_class_of_the_table(
    field: str, before: dict[str, Any], after: dict[str, Any], notice: str, raises: bool
) -> None:
    old = a_meeting(**before)
    found = changes.compare(old, with_(old, **after), NOW)
    assert [(c.field, c.notice, c.raises_sequence) for c in found] == [(field, notice, raises)]


def test_a_change_carries_the_values_that_a_mail_sets_side_by_side() -> None:
    old = a_meeting()
    moved = with_(old, span=a_span("2020-09-15", at="10:00", until="13:30"))
    (change,) = changes.compare(old, moved, NOW)
    assert (change.old, change.new) == (old.span, moved.span)


@pytest.mark.parametrize(
    "fields",
    [
        {"title": {"en": " Calabria meeting ", "pl": "Spotkanie w Kalabrii"}},
        {"place": Place(name={"en": "Essen "}, city="Essen", country="DE")},
        {"body": {"en": "First paragraph.\r\n\r\nSecond.\r\n"}},
        {"notify": "now"},
        {"stale": ("pl",)},
        {"format_is_assumed": True},
        {"publish_after": NOW},
    ],
)
def test_what_no_reader_can_see_is_no_change(fields: dict[str, Any]) -> None:
    assert changes.compare(a_meeting(), a_meeting(**fields), NOW) == ()


def test_the_same_letters_in_another_unicode_form_are_no_change() -> None:
    composed, decomposed = "Spotkanie w \u0141om\u017cy", "Spotkanie w \u0141omz\u0307y"
    old = a_meeting(title={"en": composed})
    assert changes.compare(old, with_(old, title={"en": decomposed}), NOW) == ()


@pytest.mark.parametrize(
    "retyped", ["A „meeting” – at last", 'A "meeting" - at\u00a0last', "A 'meeting' — at last."]
)
def test_typography_alone_is_published_but_told_to_nobody(retyped: str) -> None:
    old = a_meeting(title={"en": "A “meeting” – at last"})
    (change,) = changes.compare(old, with_(old, title={"en": retyped}), NOW)
    assert (change.field, change.notice, change.raises_sequence) == ("title", "silent", False)


def test_typography_in_the_name_of_a_place_replaces_no_entry() -> None:
    old = a_meeting(place=Place(name={"en": "“Zollverein”"}))
    (change,) = changes.compare(old, with_(old, place=Place(name={"en": "„Zollverein“"})), NOW)
    assert (change.field, change.notice, change.raises_sequence) == ("place", "silent", False)


def test_a_dash_in_a_meeting_link_is_no_typography() -> None:
    old = a_meeting(online=Online(link="https://meet.example/a-b", passcode="1-2"))
    new = with_(old, online=Online(link="https://meet.example/a-b", passcode="1–2"))
    assert [c.notice for c in changes.compare(old, new, NOW)] == ["now"]


def test_another_zone_with_the_same_hours_replaces_the_entry_and_is_told_to_nobody() -> None:
    old = a_meeting()
    berlin = with_(old, span=a_span("2020-09-08", at="10:00", until="13:30", zone="Europe/Berlin"))
    assert [(c.field, c.notice, c.raises_sequence) for c in changes.compare(old, berlin, NOW)] == [
        ("zone", "silent", True)
    ]


def test_whole_days_have_no_hours_that_a_zone_could_move() -> None:
    old = an_event(span=a_span("2020-04-28", "2020-04-29", zone="Europe/Rome"))
    london = with_(old, span=a_span("2020-04-28", "2020-04-29", zone="Europe/London"))
    assert [(c.field, c.notice, c.raises_sequence) for c in changes.compare(old, london, NOW)] == [
        ("zone", "silent", False)
    ]


def test_the_word_moved_alone_is_the_same_meeting_for_calendars() -> None:
    old = a_meeting()
    (change,) = changes.compare(old, with_(old, status=Status.MOVED), NOW)
    assert (change.field, change.notice, change.raises_sequence) == ("moved", "silent", False)


def test_a_session_at_another_hour_is_told_at_once_and_another_title_with_the_digest() -> None:
    old = a_meeting()
    later = Session(title={"en": "Opening"}, span=a_span("2020-09-08", at="11:00", until="12:00"))
    renamed = Session(title={"en": "Welcome"}, span=old.sessions[0].span)
    assert [(c.field, c.notice, c.raises_sequence) for c in changes.compare(old, with_(old, sessions=(later,)), NOW)] == [
        ("sessions", "now", True)
    ]  # fmt: skip
    assert [(c.field, c.notice, c.raises_sequence) for c in changes.compare(old, with_(old, sessions=(renamed,)), NOW)] == [
        ("programme", "next-digest", False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "notice"),
    [
        (datetime(2020, 8, 20, 6, tzinfo=UTC), "next-digest"),
        # The last day counts to its end in the event's zone: midnight in Warsaw is 22:00 UTC.
        (datetime(2020, 8, 24, 21, 59, tzinfo=UTC), "next-digest"),
        (datetime(2020, 8, 24, 22, 0, tzinfo=UTC), "now"),
        (datetime(2020, 8, 30, 6, tzinfo=UTC), "now"),
        (datetime(2020, 9, 2, 6, tzinfo=UTC), "next-digest"),
    ],
)
def test_a_later_deadline_is_told_at_once_only_within_seven_days(now: datetime, notice: str) -> None:
    old = a_meeting(registration=Registration(by=date(2020, 8, 30)))
    new = with_(old, registration=Registration(by=date(2020, 8, 31)))
    (change,) = changes.compare(old, new, now)
    assert change.notice == notice


def test_a_deadline_that_stays_where_it_is_makes_no_other_one_urgent() -> None:
    near, far = (
        Deadline(what={"en": "Near"}, by=date(2020, 4, 3)),
        Deadline(what={"en": "Far"}, by=date(2020, 8, 1)),
    )
    old = a_meeting(deadlines=(near, far))
    new = with_(old, deadlines=(near, Deadline(what={"en": "Far"}, by=date(2020, 8, 2))))
    assert [c.notice for c in changes.compare(old, new, NOW)] == ["next-digest"]


def test_a_deadline_with_an_hour_is_compared_as_an_instant() -> None:
    noon = datetime(2020, 8, 31, 10, tzinfo=UTC)
    old = a_meeting(registration=Registration(by=noon))
    new = with_(old, registration=Registration(by=noon - timedelta(minutes=1)))
    (change,) = changes.compare(old, new, NOW)
    assert change.notice == "now"


def test_the_administrator_may_move_a_field_to_another_class() -> None:
    old = a_meeting()
    new = with_(old, title={"en": "Another title"}, format="online")
    found = changes.compare(old, new, NOW, policy={"title": "now", "format": "silent"})
    # ... which changes who hears of it, and not what calendars must replace.
    assert {c.field: (c.notice, c.raises_sequence) for c in found if c.field != "translations"} == {
        "format": ("silent", True),
        "title": ("now", False),
    }


@pytest.mark.parametrize("wish", ["silent", "next-digest", "now"])
def test_a_cancellation_is_told_now_whatever_the_file_and_the_settings_say(wish: str) -> None:
    old = a_meeting()
    new = with_(old, status=Status.CANCELLED, notify=wish)
    (change,) = changes.compare(old, new, NOW, policy={"status": "silent"})
    assert (change.notice, change.raises_sequence) == ("now", True)


def test_the_officer_may_keep_an_edit_silent_or_have_it_told() -> None:
    old = a_meeting()
    moved = a_span("2020-09-15", at="10:00", until="13:30")
    silent = changes.compare(old, with_(old, span=moved, notify="silent"), NOW)
    told = changes.compare(old, with_(old, topics=("sme",), notify="now"), NOW)
    assert [(c.field, c.notice, c.raises_sequence) for c in silent] == [("when", "silent", True)]
    assert [(c.field, c.notice) for c in told] == [("topics", "now")]


def test_a_word_to_notify_left_in_the_file_does_not_send_a_later_typing_error_to_all() -> None:
    old = a_meeting(notify="now")
    assert [c.notice for c in changes.compare(old, with_(old, topics=("sme",)), NOW)] == ["silent"]
    assert [c.notice for c in changes.compare(old, with_(old, title={"en": "New"}), NOW)][:1] == ["now"]


def test_two_events_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="two events"):
        changes.compare(an_event("a"), an_event("b"), NOW)


def test_the_most_urgent_class_stands_for_a_set_of_changes() -> None:
    old = a_meeting()
    assert changes.notice_of(changes.compare(old, with_(old, topics=("sme",)), NOW)) == "silent"
    assert (
        changes.notice_of(changes.compare(old, with_(old, topics=("sme",), title={"en": "New"}), NOW))
        == "next-digest"
    )
    assert (
        changes.notice_of(changes.compare(old, with_(old, format="online", title={"en": "New"}), NOW))
        == "now"
    )


# Revisions


def test_the_first_revision_is_published_now_with_sequence_0() -> None:
    snapshot = changes.revise(None, a_meeting(), NOW, is_baseline=True)
    assert snapshot == Snapshot(event=a_meeting(), published_at=NOW, revised_at=NOW, is_baseline=True)
    assert (snapshot.revision, snapshot.sequence) == (1, 0)


def test_drafts_and_events_for_later_are_not_published() -> None:
    assert changes.revise(None, a_meeting(is_draft=True), NOW) is None
    assert changes.revise(None, a_meeting(publish_after=NOW + timedelta(minutes=1)), NOW) is None
    assert changes.revise(None, a_meeting(publish_after=NOW), NOW) is not None
    assert changes.revise(a_snapshot(a_meeting()), a_meeting(is_draft=True, format="online"), NOW) is None


def test_nothing_is_published_when_nothing_differs() -> None:
    assert changes.revise(a_snapshot(a_meeting()), a_meeting(), NOW) is None


def test_a_moved_meeting_has_one_more_sequence_and_keeps_its_first_day_of_publication() -> None:
    old = a_snapshot(a_meeting(), revision=4, sequence=2, is_baseline=True)
    new = changes.revise(old, a_meeting(span=a_span("2020-09-15"), format="online", topics=("sme",)), NOW)
    assert new is not None
    assert (new.revision, new.sequence, new.is_baseline) == (5, 3, True)
    assert (new.published_at, new.revised_at) == (old.published_at, NOW)


def test_a_corrected_text_is_a_revision_with_the_old_sequence() -> None:
    new = changes.revise(a_snapshot(a_meeting(), revision=4, sequence=2), a_meeting(topics=("sme",)), NOW)
    assert new is not None
    assert (new.revision, new.sequence) == (5, 2)


def test_a_clock_that_went_back_does_not_take_the_time_of_the_revision_with_it() -> None:
    old = a_snapshot(a_meeting(), revised_at=NOW + timedelta(hours=1))
    new = changes.revise(old, a_meeting(topics=("sme",)), NOW)
    assert new is not None
    assert new.revised_at == old.revised_at


edits = st.fixed_dictionaries(
    {},
    optional={
        "span": st.builds(
            lambda day, hour: a_span(f"2020-09-{day:02}", at=f"{hour:02}:00", until=f"{hour + 1:02}:00"),
            st.integers(1, 30),
            st.integers(8, 12),
        ),
        "status": st.sampled_from(list(Status)),
        "title": st.fixed_dictionaries({"en": st.sampled_from(["A", "B", "A.", "A "])}),
        "topics": st.sampled_from([(), ("sme",)]),
        "format": st.sampled_from(["online", "hybrid"]),
        "notify": st.sampled_from(["", "now", "silent", "next-digest"]),
        "deadlines": st.sampled_from([(), (Deadline(what={"en": "x"}, by=date(2020, 8, 1)),)]),
    },
)


@given(st.lists(edits, max_size=8))
def test_sequence_and_revision_never_fall_whatever_is_edited(steps: list[dict[str, Any]]) -> None:
    snapshot = a_snapshot(a_meeting())
    for number, step in enumerate(steps):
        now = NOW + timedelta(minutes=number)
        new = changes.revise(snapshot, with_(snapshot.event, **step), now)
        if new is None:
            continue
        assert new.revision == snapshot.revision + 1
        raised = any(c.raises_sequence for c in changes.compare(snapshot.event, new.event, now))
        assert new.sequence == snapshot.sequence + raised
        assert new.revised_at >= snapshot.revised_at
        snapshot = new


@given(edits)
def test_undoing_a_published_change_raises_the_sequence_again(step: dict[str, Any]) -> None:
    first = a_snapshot(a_meeting())
    second = changes.revise(first, with_(first.event, **step), NOW)
    if second is None:
        return
    third = changes.revise(second, first.event, NOW)
    assert third is not None
    assert third.revision == 3
    assert third.sequence - second.sequence == second.sequence - first.sequence


@given(edits)
def test_comparing_is_blind_to_nothing_that_publishing_would_lose(step: dict[str, Any]) -> None:
    old = a_meeting()
    new = with_(old, **step)
    seen = {c.field for c in changes.compare(old, new, NOW)}
    if new.span != old.span:
        assert "when" in seen
    if new.status != old.status:
        assert seen & {"status", "moved"}
