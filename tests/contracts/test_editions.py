"""What every kind of edition that follows from events and time must keep, whichever it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from makers import a_snapshot, a_span, an_event, an_office

from notifier.config import Config, Editions, Newsletter
from notifier.editions import announcement, digest, planning, reminder
from notifier.editions.base import Edition, Kind, Plan
from notifier.events.event import Snapshot, Status

START, END = datetime(2020, 3, 1, tzinfo=UTC), datetime(2020, 6, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BACKENDS = {Kind.DIGEST: digest.plan, Kind.ANNOUNCEMENT: announcement.plan, Kind.REMINDER: reminder.plan}


@pytest.fixture(params=BACKENDS.items(), ids=lambda item: item[0].value)
def backend(request: pytest.FixtureRequest) -> tuple[Kind, Plan]:
    kind, plan = request.param
    return kind, plan


@pytest.fixture
def known() -> list[Snapshot]:
    """Three events: whole days, with hours, and one with a UID from elsewhere."""
    return [
        a_snapshot(),
        a_snapshot(an_event("2020-04-07-timed", span=a_span("2020-04-07", at="10:00", until="12:00"))),
        a_snapshot(an_event("2020-05-12-foreign", uid="a/b c@partner.example", span=a_span("2020-05-12"))),
    ]


def asked(approval: str) -> Config:
    rules = {kind: {"approval": approval} for kind in ("digest", "announcement", "reminder")}
    return an_office(editions=Editions.model_validate(rules))


def all_of(plan: Plan, known: list[Snapshot], settings: Config | None = None) -> list[Edition]:
    return sorted(plan(known, START, END, settings or asked("none")), key=lambda e: e.key)


def test_every_backend_is_part_of_the_plan() -> None:
    assert set(planning.KINDS) == set(BACKENDS.values())


def test_keys_are_unique_begin_with_the_kind_and_are_plain(
    backend: tuple[Kind, Plan], known: list[Snapshot]
) -> None:
    kind, plan = backend
    keys = [e.key for e in all_of(plan, known)]
    assert keys
    assert len(set(keys)) == len(keys)
    assert all(key.startswith(f"{kind.value}/") and key.isascii() and " " not in key for key in keys)


def test_instants_are_aware_and_in_order(backend: tuple[Kind, Plan], known: list[Snapshot]) -> None:
    for edition in all_of(backend[1], known):
        assert edition.due.utcoffset() == timedelta(0)
        assert START < edition.due < edition.useful_until


def test_mentions_name_known_events_at_their_revision(
    backend: tuple[Kind, Plan], known: list[Snapshot]
) -> None:
    revisions = {s.event.uid: s.revision for s in known}
    for edition in all_of(backend[1], known):
        assert edition.mentions
        assert all(revisions[m.uid] == m.revision for m in edition.mentions)


def test_the_order_of_events_does_not_matter(backend: tuple[Kind, Plan], known: list[Snapshot]) -> None:
    assert all_of(backend[1], known) == all_of(backend[1], known[::-1])


def test_the_since_is_exclusive_and_the_until_inclusive(
    backend: tuple[Kind, Plan], known: list[Snapshot]
) -> None:
    plan = backend[1]
    for edition in all_of(plan, known):
        until = {e.key for e in plan(known, edition.due - MINUTE, edition.due, asked("none"))}
        since = {e.key for e in plan(known, edition.due, edition.due + MINUTE, asked("none"))}
        assert edition.key in until - since


def test_what_needs_approval_is_known_from_its_preparation_until_it_is_due(
    backend: tuple[Kind, Plan], known: list[Snapshot]
) -> None:
    plan = backend[1]
    for edition in all_of(plan, known, asked("required")):
        assert edition.prepare_at is not None
        assert edition.prepare_at < edition.due
        for until, is_given in ((edition.prepare_at - MINUTE, False), (edition.prepare_at, True), (edition.due, True)):  # fmt: skip
            keys = {e.key for e in plan(known, until - MINUTE, until, asked("required"))}
            assert (edition.key in keys) is is_given


def test_approval_changes_nothing_else(backend: tuple[Kind, Plan], known: list[Snapshot]) -> None:
    plain = {e.key: e.due for e in all_of(backend[1], known)}
    for approval in ("required", "over:500"):
        wanted = {e.key: e.due for e in all_of(backend[1], known, asked(approval)) if e.due <= END}
        assert wanted == plain


def test_what_no_newsletter_covers_is_not_spoken_of(
    backend: tuple[Kind, Plan], known: list[Snapshot]
) -> None:
    settings = asked("none").model_copy(update={"newsletter": (Newsletter(projects=("other",)),)})
    assert all_of(backend[1], known, settings) == []


def test_nothing_is_planned_without_events(backend: tuple[Kind, Plan]) -> None:
    assert all_of(backend[1], []) == []


def test_a_meeting_cancelled_from_the_first_is_not_spoken_of(backend: tuple[Kind, Plan]) -> None:
    assert all_of(backend[1], [a_snapshot(an_event(status=Status.CANCELLED))]) == []


def test_the_zone_of_the_caller_does_not_matter(backend: tuple[Kind, Plan], known: list[Snapshot]) -> None:
    here, plan = ZoneInfo("Asia/Tokyo"), backend[1]
    moved = list(plan(known, START.astimezone(here), END.astimezone(here), asked("none")))
    assert sorted(moved, key=lambda e: e.key) == all_of(plan, known)


@pytest.mark.parametrize("mode", ["at-least-once", "at-most-once"])
def test_the_mode_is_the_one_of_the_kind(
    backend: tuple[Kind, Plan], known: list[Snapshot], mode: str
) -> None:
    kind, plan = backend
    settings = an_office(editions=Editions.model_validate({kind.value: {"mode": mode, "approval": "none"}}))
    assert {e.mode for e in all_of(plan, known, settings)} == {mode}
