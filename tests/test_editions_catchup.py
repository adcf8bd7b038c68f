"""What becomes of editions that are due late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import an_edition

from notifier.editions.base import Edition, Kind, State
from notifier.editions.catchup import catch_up

NOW = datetime(2020, 4, 21, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVENT = "reminder/x@events.region.example/20200427T220000Z"


def a_digest(
    slot: str, ago: timedelta, cadence: str = "weekly", newsletter: str = "events", **fields: object
) -> Edition:
    due = NOW - ago
    defaults = {"kind": Kind.DIGEST, "due": due, "useful_until": due + 2 * DAY, "slot": slot, "cadence": cadence, "offset": "", "newsletter": newsletter}  # fmt: skip
    return an_edition(f"digest/{newsletter}/{slot}", **(defaults | fields))


def a_reminder(offset: str, ago: timedelta, **fields: object) -> Edition:
    return an_edition(
        f"{EVENT}/{offset}", **({"due": NOW - ago, "offset": offset, "useful_until": NOW + DAY} | fields)
    )


def states(*editions: Edition, last_tick: datetime | None = None) -> list[str]:
    return [e.state.value for e in catch_up(editions, NOW, last_tick=last_tick, hold_after=DAY)]


def test_what_is_due_in_time_stays_as_it_is() -> None:
    editions = (a_digest("2020-W17", HOUR), a_reminder("P7D", HOUR))
    assert catch_up(editions, NOW) == editions


def test_what_lies_ahead_stays_as_it_is_even_if_it_would_coalesce() -> None:
    editions = (a_digest("2020-W17", HOUR), a_digest("2020-W18", -7 * DAY))
    assert catch_up(editions, NOW) == editions


def test_what_is_of_no_use_any_more_expires_with_a_reason() -> None:
    late = a_digest("2020-W16", 2 * DAY)
    (settled,) = catch_up([late], NOW)
    assert (settled.state, settled.reason) == (State.EXPIRED, "it could not be sent while it was of use")


def test_of_several_missed_digests_of_a_cadence_the_latest_stays() -> None:
    # Given three of one newsletter and cadence, all still of use, and one of each other newsletter and cadence
    editions = (
        a_digest("2020-W15", 3 * HOUR),
        a_digest("2020-W17", HOUR),
        a_digest("2020-W16", 2 * HOUR),
        a_digest("2020-04", 3 * HOUR, "monthly"),
        a_digest("2020-W15", 3 * HOUR, newsletter="other"),
    )
    # Then only the elder of the three are superseded, and name what comes in their place
    assert states(*editions) == ["superseded", "planned", "superseded", "planned", "planned"]
    assert catch_up(editions, NOW)[0].reason == "digest/events/2020-W17 was due before this one was sent"


def test_an_expired_digest_supersedes_nothing() -> None:
    useful = a_digest("2020-W16", 3 * HOUR)
    expired = a_digest("2020-W17", HOUR, useful_until=NOW)
    assert states(useful, expired) == ["planned", "expired"]


def test_of_several_missed_reminders_of_an_event_the_nearest_stays() -> None:
    other = an_edition("reminder/y@events.region.example/20200427T220000Z/P7D", due=NOW - 9 * DAY)
    assert states(a_reminder("P7D", 6 * DAY), a_reminder("P1D", HOUR), other) == [
        "superseded",
        "planned",
        "planned",
    ]


def test_a_nearer_reminder_counts_even_when_it_was_sent() -> None:
    assert states(a_reminder("P7D", 6 * DAY), a_reminder("P1D", HOUR, state=State.DONE)) == [
        "superseded",
        "done",
    ]


def test_a_nearer_reminder_that_a_person_cancelled_does_not_count() -> None:
    cancelled = a_reminder("P1D", HOUR, state=State.CANCELLED)
    assert states(a_reminder("P7D", 6 * DAY), cancelled) == ["planned", "cancelled"]


def test_a_reminder_of_an_event_that_began_expires() -> None:
    assert states(a_reminder("P1D", HOUR, useful_until=NOW)) == ["expired"]


@pytest.mark.parametrize("state", [s for s in State if s not in (State.PLANNED, State.WAITING, State.HELD)])
def test_what_is_open_or_final_is_left_alone(state: State) -> None:
    assert states(a_digest("2020-W16", 9 * DAY, state=state)) == [state.value]


def test_after_a_gap_digests_and_announcements_wait_for_a_person_and_reminders_go() -> None:
    # Given one of each that fell due while nothing ran for more than a day
    announcement = an_edition(
        "announcement/x", kind=Kind.ANNOUNCEMENT, due=NOW - HOUR, useful_until=NOW + DAY
    )
    editions = (a_digest("2020-W17", HOUR), announcement, a_reminder("P1D", HOUR))
    # Then the first two are held, and it is said since when nothing ran
    last = NOW - DAY - HOUR
    assert states(*editions, last_tick=last) == ["held", "held", "planned"]
    assert "2020-04-20 11:00" in catch_up(editions, NOW, last_tick=last)[0].reason
    # And nothing is, if it was a day at most
    assert states(*editions, last_tick=NOW - DAY) == ["planned"] * 3


def test_what_was_due_before_the_gap_is_not_held_by_it() -> None:
    waiting = a_digest("2020-W17", 30 * HOUR, state=State.WAITING)
    assert states(waiting, last_tick=NOW - 26 * HOUR) == ["waiting"]


def test_a_hold_by_a_person_keeps_its_reason() -> None:
    held = a_digest("2020-W17", HOUR, state=State.HELD, reason="wrong place")
    assert catch_up([held], NOW, last_tick=NOW - 9 * DAY) == (held,)


@given(
    st.lists(
        st.builds(
            a_digest,
            st.sampled_from(["2020-W14", "2020-W15", "2020-W16"]),
            st.integers(-50, 90).map(lambda hours: HOUR * hours),
            st.sampled_from(["weekly", "monthly"]),
            state=st.sampled_from(State),
        )
        | st.builds(a_reminder, st.sampled_from(["P7D", "P1D"]), st.integers(-50, 90).map(lambda hours: HOUR * hours)),
        max_size=6,
        unique_by=lambda e: e.key,
    ),
    st.none() | st.integers(0, 90).map(lambda hours: NOW - HOUR * hours),
)  # fmt: skip
def test_applying_the_policy_twice_changes_nothing_more(
    editions: list[Edition], last_tick: datetime | None
) -> None:
    once = catch_up(editions, NOW, last_tick=last_tick)
    assert catch_up(once, NOW, last_tick=last_tick) == once
    assert [e.key for e in once] == [e.key for e in editions]
