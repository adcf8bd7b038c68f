"""What every store must do, whatever keeps it. How it stands up to faults: tests/faults/test_ledger_*.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from makers import a_snapshot, a_subscriber, an_edition, an_event

from notifier.editions.base import FINAL, Edition, Kind, Mention, State
from notifier.mail.outbox import Entry, EntryState
from notifier.store.base import Store
from notifier.subscribers.subscriber import Consent, Recipient, Standing, Variant

NOW = datetime(2020, 4, 21, 6, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
KEY = an_edition().key
EVERYBODY = Variant(("en",), ("20200428calabria@events.region.example",), "v1")


def people(store: Store, count: int = 3) -> list[Recipient]:
    store.subscribers.put(
        [a_subscriber(f"office{n}@example.org", public_id=f"{n:016x}") for n in range(count)], NOW
    )
    return [Recipient(s, EVERYBODY, "all events") for s in store.subscribers.all([Standing.CONFIRMED])]


def an_open_edition(store: Store, count: int = 3, **fields: object) -> Edition:
    edition = an_edition(**fields)
    store.editions.plan([edition], NOW)
    store.outbox.address(edition.key, people(store, count), NOW)
    stored = store.editions.get(edition.key)
    assert stored
    return stored


def states(store: Store, key: str = KEY) -> list[EntryState]:
    return [e.state for e in store.outbox.entries(edition=key)]


def state_of(store: Store, key: str = KEY) -> State:
    found = store.editions.get(key)
    assert found
    return found.state


def handed(store: Store, count: int = 1) -> list[Entry]:
    claimed = store.outbox.claim("sender", NOW, count)
    assert all(store.outbox.hand(e, NOW) for e in claimed)
    return claimed


# Events


def test_the_newest_snapshot_of_an_event_is_current_and_the_older_ones_are_kept(store: Store) -> None:
    first = a_snapshot()
    moved = a_snapshot(an_event(link="https://region.example/x"), revision=2, sequence=1)

    assert store.events.publish([first, moved]) == 2

    assert store.events.current() == {first.event.uid: moved}
    assert store.events.history(first.event.uid) == [first, moved]


def test_what_was_published_is_never_changed(store: Store) -> None:
    store.events.publish([a_snapshot()])

    assert store.events.publish([a_snapshot(an_event(link="https://region.example/x"))]) == 0

    assert store.events.history(an_event().uid) == [a_snapshot()]


def test_the_fingerprint_differs_after_a_publication_and_only_then(store: Store) -> None:
    empty = store.events.fingerprint()
    store.events.publish([a_snapshot()])
    first = store.events.fingerprint()
    store.events.publish([a_snapshot()])
    again = store.events.fingerprint()
    store.events.publish([a_snapshot(revision=2)])  # of the same instant

    assert again == first
    assert len({empty, first, store.events.fingerprint()}) == 3


def test_the_languages_of_an_event_keep_their_order(store: Store) -> None:
    store.events.publish([a_snapshot(an_event(title={"pl": "Spotkanie", "bg": "Среща", "en": "Meeting"}))])

    assert list(store.events.current()[an_event().uid].event.title) == ["pl", "bg", "en"]


# Editions


def test_planning_twice_plans_once(store: Store) -> None:
    plan = [an_edition(), an_edition("digest/events/2020-W16", kind=Kind.DIGEST, slot="2020-W16")]

    assert store.editions.plan(plan, NOW) == 2
    assert store.editions.plan([*plan, *plan], NOW) == 0

    assert len(store.editions.list()) == 2


def test_an_edition_comes_back_as_it_was_planned(store: Store) -> None:
    mentions = (Mention("b@x", 2, "20200427T220000Z", "changes"), Mention("a@x", 1))
    edition = an_edition(mentions=mentions, prepare_at=NOW, cadence="weekly", mode="at-most-once")

    store.editions.plan([edition], NOW)

    stored = store.editions.get(edition.key)
    assert stored and stored.id > 0
    assert replace(stored, id=0) == edition


def test_a_planned_edition_stays_as_it_is_when_planned_otherwise(store: Store) -> None:
    store.editions.plan([an_edition()], NOW)

    store.editions.plan([an_edition(due=NOW + 9 * MINUTE, mentions=())], NOW)

    stored = store.editions.get(KEY)
    assert stored and (stored.due, stored.mentions) == (an_edition().due, an_edition().mentions)


def test_planned_until_never_falls(store: Store) -> None:
    assert store.editions.planned_until() is None

    for until in (NOW, NOW + MINUTE, NOW - MINUTE, NOW.astimezone(timezone(timedelta(hours=-9)))):
        store.editions.plan([], until)

    assert store.editions.planned_until() == NOW + MINUTE


def test_editions_are_listed_by_due_time_and_a_limit_keeps_the_newest(store: Store) -> None:
    store.editions.plan([an_edition(f"announcement/{n}", due=NOW - n * MINUTE) for n in range(4)], NOW)

    assert [e.key[-1] for e in store.editions.list()] == ["3", "2", "1", "0"]
    assert [e.key[-1] for e in store.editions.list(limit=2)] == ["1", "0"]
    assert store.editions.list([State.HELD]) == []
    assert len(store.editions.list(kind="reminder", states=[State.PLANNED])) == 4
    assert store.editions.list(kind="digest") == []


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    with pytest.raises(Exception, match="without a zone"):
        store.editions.plan([an_edition(due=datetime(2020, 4, 21))], NOW)
    with pytest.raises(ValueError, match="without a zone"):
        store.editions.plan([], datetime(2020, 4, 21))

    assert store.editions.list() == []


def test_times_come_back_in_utc(store: Store) -> None:
    there = timezone(timedelta(hours=2))

    store.editions.plan([an_edition(due=datetime(2020, 4, 21, 7, 30, tzinfo=there))], NOW)

    stored = store.editions.get(KEY)
    assert stored and stored.due.isoformat() == "2020-04-21T05:30:00+00:00"


def test_an_edition_moves_only_from_the_states_named(store: Store) -> None:
    store.editions.plan([an_edition()], NOW)

    assert not store.editions.move(KEY, State.HELD, of=[State.WAITING], now=NOW)
    assert store.editions.move(
        KEY, State.HELD, of=[State.PLANNED], now=NOW, reason="a broken file", who="ana"
    )
    assert not store.editions.move("nothing", State.HELD, of=State, now=NOW)

    stored = store.editions.get(KEY)
    assert stored and (stored.state, stored.reason) == (State.HELD, "a broken file")
    assert [(a.who, a.what, a.about) for a in store.acts.list()] == [("ana", "held", KEY)]


@pytest.mark.parametrize("final", sorted(FINAL))
def test_a_final_edition_stays_as_it_is(store: Store, final: State) -> None:
    store.editions.plan([an_edition()], NOW)
    assert store.editions.move(KEY, final, of=[State.PLANNED], now=NOW)

    moved = [store.editions.move(KEY, to, of=State, now=NOW) for to in State]

    assert not any(moved)
    assert state_of(store) is final
    assert store.outbox.address(KEY, people(store), NOW) == 0


def test_only_address_opens_an_edition_for_the_first_time(store: Store) -> None:
    store.editions.plan([an_edition()], NOW)

    assert not store.editions.move(KEY, State.OPEN, of=State, now=NOW)

    store.outbox.address(KEY, people(store), NOW)
    assert store.editions.move(KEY, State.PAUSED, of=[State.OPEN], now=NOW)
    assert store.editions.move(KEY, State.OPEN, of=[State.PAUSED], now=NOW)


@pytest.mark.parametrize("to", [State.PLANNED, State.WAITING, State.HELD, State.DONE])
def test_an_open_edition_does_not_go_back_nor_end_before_its_entries(store: Store, to: State) -> None:
    an_open_edition(store)

    assert not store.editions.move(KEY, to, of=State, now=NOW)

    assert state_of(store) is State.OPEN


def test_approval_is_of_exactly_one_content(store: Store) -> None:
    store.editions.plan([an_edition(prepare_at=NOW, state=State.WAITING)], NOW)
    store.editions.freeze(KEY, [Mention("a@x", 1)], "hash-1", NOW)

    assert not store.editions.approve(KEY, "hash-0", "ana", NOW)
    assert not store.editions.approve(KEY, "", "ana", NOW)
    assert store.outbox.address(KEY, people(store), NOW) == 0
    assert store.editions.approve(KEY, "hash-1", "ana", NOW)

    stored = store.editions.get(KEY)
    assert stored and (stored.approved_by, stored.mentions) == ("ana", (Mention("a@x", 1),))
    assert [a.what for a in store.acts.list(about=KEY)] == ["approve"]
    assert store.outbox.address(KEY, people(store), NOW) == 3


def test_other_content_needs_another_approval(store: Store) -> None:
    store.editions.plan([an_edition(prepare_at=NOW, state=State.WAITING)], NOW)
    store.editions.freeze(KEY, [], "hash-1", NOW)
    store.editions.approve(KEY, "hash-1", "ana", NOW)

    store.editions.freeze(KEY, [], "hash-1", NOW)  # again, the same
    unchanged = store.editions.get(KEY)
    store.editions.freeze(KEY, [], "hash-2", NOW)
    changed = store.editions.get(KEY)

    assert unchanged and unchanged.approved_by == "ana"
    assert changed and changed.approved_by == ""


def test_a_held_edition_waits_again_when_approved(store: Store) -> None:
    store.editions.plan([an_edition(prepare_at=NOW)], NOW)
    store.editions.freeze(KEY, [], "hash-1", NOW)
    store.editions.move(KEY, State.HELD, of=[State.PLANNED], now=NOW, reason="approval")

    assert store.editions.approve(KEY, "hash-1", "ana", NOW)

    assert state_of(store) is State.WAITING
    assert store.outbox.address(KEY, people(store), NOW) == 3


def test_an_edition_sent_by_hand_is_due_and_approved_with_what_was_shown(store: Store) -> None:
    later = NOW + timedelta(days=1)
    store.editions.plan([an_edition(due=later, prepare_at=NOW, useful_until=later)], NOW)
    store.editions.freeze(KEY, [], "hash-1", NOW)
    shown = an_edition(due=NOW, mentions=(Mention("a@x", 2),), content_hash="hash-2", offset="hand")

    assert store.editions.hasten(shown, "ana", NOW)

    stored = store.editions.get(KEY)
    assert stored and (stored.due, stored.mentions, stored.content_hash) == (NOW, shown.mentions, "hash-2")
    assert (stored.state, stored.approved_by, stored.offset) == (State.WAITING, "ana", "hand")
    assert [(a.what, a.who) for a in store.acts.list(about=KEY)] == [("send", "ana")]
    assert store.outbox.address(KEY, people(store), NOW) == 3


def test_an_open_edition_is_not_sent_by_hand_again(store: Store) -> None:
    an_open_edition(store)

    assert not store.editions.hasten(an_edition(due=NOW, content_hash="hash-2"), "ana", NOW)

    assert state_of(store) is State.OPEN


def test_what_an_open_edition_speaks_of_does_not_change(store: Store) -> None:
    an_open_edition(store)

    store.editions.freeze(KEY, [], "hash-2", NOW)

    stored = store.editions.get(KEY)
    assert stored and (stored.mentions, stored.content_hash) == (an_edition().mentions, "")
    assert not store.editions.approve(KEY, "", "ana", NOW)


def test_an_edition_keeps_the_pages_that_it_was_opened_with(store: Store) -> None:
    store.editions.plan([an_edition()], NOW)

    store.outbox.address(KEY, people(store), NOW, pages={"v1": b"one", "v0": b"\x00\xff"})
    store.outbox.address(KEY, people(store), NOW, pages={"v1": b"two"})

    assert store.editions.page(KEY, "v1") == b"one"
    assert store.editions.page(KEY, "v2") is None
    assert store.editions.pages(KEY) == {"v0": b"\x00\xff", "v1": b"one"}


# The outbox: the way out


def test_address_fills_the_outbox_once_and_opens_the_edition(store: Store) -> None:
    store.editions.plan([an_edition()], NOW)
    chosen = people(store)

    assert store.outbox.address(KEY, [*chosen, chosen[0]], NOW) == 3
    assert store.outbox.address(KEY, chosen, NOW + MINUTE) == 0

    stored = store.editions.get(KEY)
    assert stored and (stored.state, stored.date) == (State.OPEN, NOW)
    entries = store.outbox.entries(edition=KEY)
    assert [(e.position, e.subscriber) for e in entries] == [
        (n, r.subscriber.id) for n, r in enumerate(chosen, start=1)
    ]
    assert {(e.state, e.variant, e.reason, e.edition_id) for e in entries} == {
        (EntryState.PLANNED, "v1", "all events", stored.id)
    }


def test_an_edition_for_nobody_is_done_at_once(store: Store) -> None:
    store.editions.plan([an_edition()], NOW)

    assert store.outbox.address(KEY, [], NOW) == 0

    assert state_of(store) is State.DONE


def test_who_left_since_the_audience_was_chosen_gets_nothing(store: Store) -> None:
    store.editions.plan([an_edition()], NOW)
    chosen = people(store)
    store.subscribers.leave(chosen[1].subscriber.public_id, NOW, how="one-click")

    store.outbox.address(KEY, chosen, NOW)

    assert states(store) == [EntryState.PLANNED, EntryState.SUPERSEDED, EntryState.PLANNED]


def test_each_entry_goes_to_one_sender_under_a_token_of_its_own(store: Store) -> None:
    an_open_edition(store, 5)

    first, second, third = (store.outbox.claim(s, NOW, 2) for s in ("a", "b", "a"))

    assert [e.position for e in first + second + third] == [1, 2, 3, 4, 5]
    assert len({first[0].token, second[0].token, third[0].token}) == 3
    assert store.outbox.claim("c", NOW, 2) == []
    assert store.outbox.senders() == ["a", "b"]
    assert {(e.state, e.attempt) for e in first} == {(EntryState.CLAIMED, 1)}
    assert store.outbox.entries(edition=KEY, limit=2) == first


@pytest.mark.parametrize("state", [State.PAUSED, State.DRAINING, *sorted(FINAL - {State.DONE})])
def test_only_open_editions_are_claimed_and_handed_over(store: Store, state: State) -> None:
    an_open_edition(store)
    claimed = store.outbox.claim("a", NOW, 1)

    assert store.editions.move(KEY, state, of=[State.OPEN], now=NOW)

    assert store.outbox.claim("a", NOW, 5) == []
    assert not store.outbox.hand(claimed[0], NOW)


def test_nothing_is_claimed_or_handed_over_once_it_is_useless(store: Store) -> None:
    edition = an_open_edition(store)
    claimed = store.outbox.claim("a", NOW, 1)

    assert store.outbox.claim("a", edition.useful_until, 5) == []
    assert not store.outbox.hand(claimed[0], edition.useful_until)
    assert store.outbox.hand(claimed[0], edition.useful_until - MINUTE)


def test_hold_stops_everything_until_resume(store: Store) -> None:
    an_open_edition(store)
    claimed = store.outbox.claim("a", NOW, 1)

    store.hold_all("wrong date in the digest", NOW)

    assert store.hold == "wrong date in the digest"
    assert store.outbox.claim("a", NOW, 5) == []
    assert not store.outbox.hand(claimed[0], NOW)
    store.hold_all(None, NOW)
    assert store.hold is None
    assert store.outbox.hand(claimed[0], NOW)
    assert len(store.outbox.claim("a", NOW, 5)) == 2


def test_who_left_is_not_claimed_and_not_handed_over(store: Store) -> None:
    an_open_edition(store)
    claimed = store.outbox.claim("a", NOW, 1)
    for recipient in people(store)[:2]:
        assert store.subscribers.leave(recipient.subscriber.public_id, NOW, how="one-click")

    assert states(store) == [EntryState.CLAIMED, EntryState.SUPERSEDED, EntryState.PLANNED]
    assert not store.outbox.hand(claimed[0], NOW)
    assert [e.position for e in store.outbox.claim("a", NOW, 5)] == [3]
    store.outbox.release("a", NOW)
    assert [e.position for e in store.outbox.claim("a", NOW, 5)] == [3]
    store.outbox.release("a", NOW)
    store.outbox.finish(NOW)
    assert states(store) == [EntryState.SUPERSEDED, EntryState.SUPERSEDED, EntryState.PLANNED]


def test_only_the_holder_of_the_claim_may_hand_over_and_only_once(store: Store) -> None:
    an_open_edition(store, 1)
    (stale,) = store.outbox.claim("a", NOW, 1)
    store.outbox.recover({"a": False}, NOW)
    (fresh,) = store.outbox.claim("b", NOW, 1)

    assert not store.outbox.hand(stale, NOW)
    assert store.outbox.hand(fresh, NOW, message_id="<1@region.example>")
    assert not store.outbox.hand(fresh, NOW)


@pytest.mark.parametrize("state", [EntryState.ACCEPTED, EntryState.FAILED, EntryState.UNKNOWN])
def test_the_outcome_is_noted_with_the_servers_words(store: Store, state: EntryState) -> None:
    an_open_edition(store, 1)
    (entry,) = handed(store)

    assert store.outbox.settle(entry, state, NOW + MINUTE, reply="250 2.0.0 queued as 1")

    (after,) = store.outbox.entries()
    assert (after.state, after.reply, after.attempt) == (state, "250 2.0.0 queued as 1", 1)
    assert after.updated_at == NOW + MINUTE
    assert after.doubt == (1 if state is EntryState.UNKNOWN else 0)


@pytest.mark.parametrize("state", EntryState)
def test_only_the_token_settles(store: Store, state: EntryState) -> None:
    an_open_edition(store, 1)
    (entry,) = handed(store)

    for wrong in ("", "0" * 16):
        assert not store.outbox.settle(replace(entry, token=wrong), state, NOW, not_before=NOW)

    assert states(store) == [EntryState.HANDED]


@pytest.mark.parametrize(
    "final", [EntryState.ACCEPTED, EntryState.FAILED, EntryState.SUPERSEDED, EntryState.EXPIRED]
)
def test_a_final_entry_stays_as_it_is(store: Store, final: EntryState) -> None:
    an_open_edition(store, 1)
    (entry,) = store.outbox.claim("sender", NOW, 1)
    if final is EntryState.ACCEPTED:
        store.outbox.hand(entry, NOW)
    assert store.outbox.settle(entry, final, NOW)

    again = [store.outbox.settle(entry, s, NOW, not_before=NOW) for s in EntryState]
    store.outbox.recover({"sender": False}, NOW)
    store.outbox.release("sender", NOW)
    store.outbox.resend_unknown(NOW)
    store.subscribers.leave("0" * 16, NOW, how="one-click")
    store.editions.move(KEY, State.CANCELLED, of=[State.OPEN], now=NOW)
    store.outbox.finish(NOW + timedelta(days=99))

    assert not any(again) and not store.outbox.hand(entry, NOW)
    assert states(store) == [final]


def test_nothing_is_accepted_or_in_doubt_before_it_was_handed_over(store: Store) -> None:
    an_open_edition(store, 1)
    (entry,) = store.outbox.claim("sender", NOW, 1)

    assert not store.outbox.settle(entry, EntryState.ACCEPTED, NOW)
    assert not store.outbox.settle(entry, EntryState.UNKNOWN, NOW)

    assert states(store) == [EntryState.CLAIMED]


def test_a_deferred_entry_is_due_again_at_its_time(store: Store) -> None:
    an_open_edition(store, 1)
    (entry,) = handed(store)
    later = NOW + 5 * MINUTE

    assert store.outbox.settle(entry, EntryState.DEFERRED, NOW, reply="451 later", not_before=later)

    assert store.outbox.next_retry() == later
    assert store.outbox.claim("a", later - MINUTE, 1) == []
    (again,) = store.outbox.claim("a", later, 1)
    assert (again.attempt, again.doubt, again.reply) == (2, 0, "451 later")
    assert store.outbox.next_retry() is None


def test_a_deferred_entry_needs_a_time(store: Store) -> None:
    an_open_edition(store, 1)
    (entry,) = handed(store)

    with pytest.raises(ValueError, match="next attempt"):
        store.outbox.settle(entry, EntryState.DEFERRED, NOW)


def test_what_came_back_unharmed_was_not_an_attempt(store: Store) -> None:
    an_open_edition(store, 2)
    first, second = store.outbox.claim("a", NOW, 2)

    store.outbox.settle(first, EntryState.PLANNED, NOW)
    assert store.outbox.release("a", NOW) == 1

    assert [(e.state, e.attempt) for e in store.outbox.entries()] == [(EntryState.PLANNED, 0)] * 2
    assert not store.outbox.hand(first, NOW)
    assert not store.outbox.hand(second, NOW)


def test_release_leaves_alone_what_was_handed_over_and_what_others_hold(store: Store) -> None:
    an_open_edition(store, 3)
    handed(store)
    store.outbox.claim("sender", NOW, 1)
    store.outbox.claim("other", NOW, 1)

    assert store.outbox.release("sender", NOW) == 1

    assert states(store) == [EntryState.HANDED, EntryState.PLANNED, EntryState.CLAIMED]


# The outbox: what went wrong


def test_recovery_gives_back_claims_and_doubts_what_was_handed_over(store: Store) -> None:
    an_open_edition(store, 3)
    handed(store)
    store.outbox.claim("sender", NOW, 1)
    store.outbox.claim("alive", NOW, 1)

    assert store.outbox.recover({"sender": False, "alive": True}, NOW) == (1, 1)
    assert store.outbox.recover({"sender": False}, NOW) == (0, 0)

    assert [(e.state, e.attempt, e.doubt) for e in store.outbox.entries()] == [
        (EntryState.UNKNOWN, 1, 1),
        (EntryState.PLANNED, 0, 0),
        (EntryState.CLAIMED, 1, 0),
    ]


def test_recovery_leaves_alone_whom_nobody_asked_about(store: Store) -> None:
    an_open_edition(store)
    store.outbox.claim("newborn", NOW, 3)

    assert store.outbox.recover({}, NOW) == (0, 0)
    assert store.outbox.recover({"another": False}, NOW) == (0, 0)

    assert states(store) == [EntryState.CLAIMED] * 3


def test_a_late_reply_proves_what_became_of_an_unknown_entry(store: Store) -> None:
    an_open_edition(store, 2)
    stalled, resent = handed(store, 2)
    store.outbox.recover({"sender": False}, NOW)

    assert store.outbox.settle(stalled, EntryState.ACCEPTED, NOW)
    store.outbox.resend_unknown(NOW)

    assert not store.outbox.settle(resent, EntryState.ACCEPTED, NOW)  # it is on its way again
    assert states(store) == [EntryState.ACCEPTED, EntryState.DEFERRED]


def test_an_unknown_entry_is_sent_again_twice_and_then_listed(store: Store) -> None:
    an_open_edition(store, 1)
    for _ in range(9):
        for entry in handed(store):
            store.outbox.settle(entry, EntryState.UNKNOWN, NOW)
        store.outbox.resend_unknown(NOW)

    assert [(e.state, e.doubt, e.attempt) for e in store.outbox.entries()] == [(EntryState.UNKNOWN, 3, 3)]
    assert store.outbox.finish(NOW) == [KEY]
    assert state_of(store) is State.DONE


def test_a_doubt_is_counted_once_however_it_is_settled(store: Store) -> None:
    an_open_edition(store, 1)
    (entry,) = handed(store)

    store.outbox.settle(entry, EntryState.DEFERRED, NOW, not_before=NOW, counts_as_doubt=True)

    (after,) = store.outbox.entries()
    assert (after.state, after.doubt) == (EntryState.DEFERRED, 1)


def test_at_most_once_never_sends_an_unknown_entry_again_by_itself(store: Store) -> None:
    an_open_edition(store, 1, mode="at-most-once")
    (entry,) = handed(store)
    store.outbox.settle(entry, EntryState.UNKNOWN, NOW)

    assert store.outbox.resend_unknown(NOW) == 0

    assert store.outbox.finish(NOW) == [KEY]
    assert states(store) == [EntryState.UNKNOWN]


def test_an_unknown_entry_waits_for_its_time_and_not_beyond_its_use(store: Store) -> None:
    edition = an_open_edition(store, 1)
    (entry,) = handed(store)
    store.outbox.settle(entry, EntryState.UNKNOWN, NOW)

    assert store.outbox.resend_unknown(NOW, not_before=edition.useful_until) == 0
    assert store.outbox.resend_unknown(NOW, not_before=NOW + MINUTE) == 1

    assert store.outbox.next_retry() == NOW + MINUTE


@pytest.mark.parametrize("as_sent", [True, False])
def test_a_person_settles_an_unknown_entry_and_it_is_noted(store: Store, as_sent: bool) -> None:
    an_open_edition(store, 1, mode="at-most-once")
    (entry,) = handed(store)
    store.outbox.settle(entry, EntryState.UNKNOWN, NOW)
    store.outbox.finish(NOW)

    assert store.outbox.settle_unknown(KEY, 1, as_sent=as_sent, who="ana", now=NOW)
    assert not store.outbox.settle_unknown(KEY, 1, as_sent=as_sent, who="ana", now=NOW)

    assert [(a.who, a.about, a.detail) for a in store.acts.list()] == [("ana", KEY, "entry 1")]
    again = handed(store)
    assert [e.position for e in again] == ([] if as_sent else [1])
    if again:
        assert store.outbox.settle(again[0], EntryState.ACCEPTED, NOW)
    assert (states(store), state_of(store)) == ([EntryState.ACCEPTED], State.DONE)


def test_a_person_cannot_send_again_what_is_useless(store: Store) -> None:
    edition = an_open_edition(store, 1)
    (entry,) = handed(store)
    assert not store.outbox.settle_unknown(KEY, 1, as_sent=True, who="ana", now=NOW)  # not unknown yet
    store.outbox.settle(entry, EntryState.UNKNOWN, NOW)

    assert not store.outbox.settle_unknown(KEY, 1, as_sent=False, who="ana", now=edition.useful_until)
    assert not store.outbox.settle_unknown("nothing", 1, as_sent=True, who="ana", now=NOW)
    assert not store.outbox.settle_unknown(KEY, 2, as_sent=True, who="ana", now=NOW)

    assert store.acts.list() == ()


# The outbox: the end


def test_an_edition_is_done_when_nothing_is_left_to_send(store: Store) -> None:
    an_open_edition(store, 2)
    first, second = handed(store, 2)
    store.outbox.settle(first, EntryState.ACCEPTED, NOW)
    assert store.outbox.finish(NOW) == []
    store.outbox.settle(second, EntryState.UNKNOWN, NOW)
    assert store.outbox.finish(NOW) == []  # it will be sent again

    store.outbox.settle(second, EntryState.FAILED, NOW)

    assert store.outbox.finish(NOW) == [KEY]
    assert store.outbox.finish(NOW) == []
    assert state_of(store) is State.DONE


def test_what_is_useless_expires(store: Store) -> None:
    edition = an_open_edition(store)
    never = an_edition("announcement/never", useful_until=edition.useful_until)
    store.editions.plan([never], NOW)
    store.outbox.claim("a", NOW, 1)

    assert store.outbox.finish(edition.useful_until - MINUTE) == []
    assert store.outbox.finish(edition.useful_until) == ["announcement/never", KEY]

    assert states(store) == [EntryState.CLAIMED, EntryState.EXPIRED, EntryState.EXPIRED]
    assert state_of(store, "announcement/never") is State.EXPIRED
    store.outbox.recover({"a": False}, NOW)
    store.outbox.finish(edition.useful_until)
    assert states(store) == [EntryState.EXPIRED] * 3
    assert state_of(store) is State.DONE


@pytest.mark.parametrize(
    ("to", "ends_as"),
    [
        (State.CANCELLED, EntryState.SUPERSEDED),
        (State.SUPERSEDED, EntryState.SUPERSEDED),
        (State.EXPIRED, EntryState.EXPIRED),
    ],
)
def test_unclaimed_entries_end_with_their_edition(store: Store, to: State, ends_as: EntryState) -> None:
    an_open_edition(store, 3)
    (deferred,) = handed(store)
    store.outbox.settle(deferred, EntryState.DEFERRED, NOW, not_before=NOW + MINUTE)
    store.outbox.claim("a", NOW, 1)

    store.editions.move(KEY, to, of=[State.OPEN], now=NOW)
    assert states(store) == [ends_as, EntryState.CLAIMED, ends_as]
    store.outbox.release("a", NOW)
    store.outbox.finish(NOW)

    assert states(store) == [ends_as] * 3


def test_a_draining_edition_is_superseded_when_nobody_holds_any_of_it(store: Store) -> None:
    an_open_edition(store, 1)
    (entry,) = handed(store)
    store.editions.move(KEY, State.DRAINING, of=[State.OPEN], now=NOW)
    assert store.outbox.finish(NOW) == []

    store.outbox.settle(entry, EntryState.ACCEPTED, NOW)

    assert store.outbox.finish(NOW) == [KEY]
    assert state_of(store) is State.SUPERSEDED


# The outbox: questions


def test_entries_are_found_by_edition_state_and_subscriber(store: Store) -> None:
    an_open_edition(store, 2)
    an_open_edition(store, 2, key="announcement/x")
    handed(store)
    someone = people(store)[1].subscriber.id

    assert len(store.outbox.entries()) == 4
    assert [e.edition for e in store.outbox.entries(subscriber=someone)] == [KEY, "announcement/x"]
    assert [e.position for e in store.outbox.entries(states=[EntryState.HANDED])] == [1]
    assert [e.position for e in store.outbox.entries(edition=KEY, subscriber=someone)] == [2]


def test_counts_name_every_state(store: Store) -> None:
    an_open_edition(store, 2)
    an_open_edition(store, 2, key="announcement/x")
    handed(store)

    assert set(store.outbox.counts()) == set(EntryState)
    assert store.outbox.counts()[EntryState.PLANNED] == 3
    assert store.outbox.counts(KEY)[EntryState.HANDED] == 1
    assert sum(store.outbox.counts("nothing").values()) == 0


def test_the_oldest_waiting_entry_is_known_by_when_it_was_due(store: Store) -> None:
    assert store.outbox.oldest_waiting() is None
    an_open_edition(store, 1, due=NOW - 9 * MINUTE)
    an_open_edition(store, 1, key="announcement/x", due=NOW)

    assert store.outbox.oldest_waiting() == NOW - 9 * MINUTE
    (entry,) = handed(store)
    store.outbox.settle(entry, EntryState.ACCEPTED, NOW)
    assert store.outbox.oldest_waiting() == NOW


def test_what_a_person_was_told_is_what_may_have_reached_them(store: Store) -> None:
    mentions = (Mention("a@x", 1, "20200427T220000Z"), Mention("b@x", 2, "", "deadlines"))
    an_open_edition(store, 3, mentions=mentions)
    accepted, unknown, failed = store.outbox.claim("a", NOW, 3)
    for entry, state in (
        (accepted, EntryState.ACCEPTED),
        (unknown, EntryState.UNKNOWN),
        (failed, EntryState.FAILED),
    ):
        store.outbox.hand(entry, NOW, message_id=f"<{entry.position}@region.example>")
        store.outbox.settle(entry, state, NOW)

    told = store.outbox.told(accepted.subscriber)
    assert [(t.edition, t.kind, t.mention, t.message_id, t.at) for t in told] == [
        (KEY, "reminder", m, "<1@region.example>", NOW) for m in mentions
    ]
    assert [t.state for t in store.outbox.told(unknown.subscriber, ["b@x"])] == [EntryState.UNKNOWN]
    assert store.outbox.told(failed.subscriber) == []
    assert store.outbox.told(accepted.subscriber, []) == []


def test_the_message_id_may_come_with_the_outcome(store: Store) -> None:
    an_open_edition(store, 1)
    (entry,) = handed(store)

    store.outbox.settle(entry, EntryState.ACCEPTED, NOW, message_id="<1@region.example>")

    assert [t.message_id for t in store.outbox.told(entry.subscriber)] == ["<1@region.example>"]


# Subscribers


def test_a_subscriber_comes_back_as_stored(store: Store) -> None:
    given = a_subscriber(
        languages=("pl", "en"),
        name="Biuro",
        newsletters=("events",),
        projects=("smarty",),
        series=("a",),
        topics=("industry-4-0",),
        regions=("PL92",),
        kinds=("digest",),
        groups=("board", "press"),
        frequency="each",
        timezone="Europe/Sofia",
        country="BG",
        wants_invitations=True,
    )

    assert store.subscribers.put([given], NOW) == (1, 0)

    stored = store.subscribers.by_address("office@example.org")
    assert stored and stored.id > 0
    assert replace(stored, id=given.id) == given
    assert store.subscribers.get(stored.id) == stored
    assert store.subscribers.by_public_id(given.public_id) == stored
    assert list(store.subscribers.all()) == [stored]


def test_nobody_is_nobody(store: Store) -> None:
    assert store.subscribers.get(7) is None
    assert store.subscribers.by_address("x@example.org") is None
    assert store.subscribers.by_public_id("x") is None
    assert not store.subscribers.leave("x", NOW, how="one-click")


def test_a_second_import_changes_choices_and_keeps_the_public_id(store: Store) -> None:
    store.subscribers.put([a_subscriber()], NOW)

    assert store.subscribers.put([a_subscriber(public_id="", id=0)], NOW) == (0, 0)
    assert store.subscribers.put([a_subscriber(topics=("energy",), public_id="ff")], NOW) == (0, 1)

    stored = store.subscribers.by_address("office@example.org")
    assert stored and (stored.topics, stored.public_id) == (("energy",), "00112233aabbccdd")


def test_an_import_is_stored_as_a_whole_or_not_at_all(store: Store) -> None:
    twins = [a_subscriber(f"{n}@example.org", public_id="same") for n in "ab"]

    with pytest.raises(Exception, match=r"(?i)unique"):
        store.subscribers.put(twins, NOW)

    assert list(store.subscribers.all()) == []


def test_a_public_id_is_made_where_none_is_given(store: Store) -> None:
    store.subscribers.put([a_subscriber(f"{n}@example.org", public_id="") for n in "ab"], NOW)

    ids = {s.public_id for s in store.subscribers.all()}
    assert len(ids) == 2 and all(len(i) == 16 and int(i, 16) >= 0 for i in ids)


def test_nobody_is_confirmed_without_a_consent(store: Store) -> None:
    store.subscribers.put([a_subscriber(consent=None)], NOW)

    assert [s.standing for s in store.subscribers.all()] == [Standing.PENDING]


def test_a_list_without_consent_makes_nobody_pending_again(store: Store) -> None:
    store.subscribers.put([a_subscriber()], NOW)

    store.subscribers.put([a_subscriber(standing=Standing.PENDING, consent=None)], NOW)

    (stored,) = store.subscribers.all()
    assert (stored.standing, stored.consent) == (Standing.CONFIRMED, a_subscriber().consent)


def test_a_pending_subscriber_is_confirmed_by_a_consent(store: Store) -> None:
    store.subscribers.put([a_subscriber(standing=Standing.PENDING, consent=None)], NOW)

    assert store.subscribers.put([a_subscriber()], NOW) == (0, 1)

    assert store.subscribers.counts()[Standing.CONFIRMED] == 1


@pytest.mark.parametrize("gone", [Standing.LEFT, Standing.SUPPRESSED])
def test_whoever_is_gone_stays_gone(store: Store, gone: Standing) -> None:
    store.subscribers.put([a_subscriber(standing=gone)], NOW)

    assert store.subscribers.put([a_subscriber(topics=("energy",))], NOW) == (0, 0)

    (stored,) = store.subscribers.all()
    assert (stored.standing, stored.topics) == (gone, ("*",))
    assert not store.subscribers.leave(stored.public_id, NOW, how="one-click")


def test_the_record_of_consent_is_only_ever_added_to(store: Store) -> None:
    first = a_subscriber()
    newer = Consent(at=NOW, basis="consent", source="web form", text="form-v2")
    store.subscribers.put([first], NOW)
    store.subscribers.put([first], NOW)
    store.subscribers.put([replace(first, consent=newer)], NOW)

    assert store.subscribers.leave(first.public_id, NOW + MINUTE, how="one-click")
    assert not store.subscribers.leave(first.public_id, NOW + MINUTE, how="one-click")

    (stored,) = store.subscribers.all()
    assert (stored.standing, stored.consent) == (Standing.LEFT, newer)
    assert store.subscribers.consents(stored.id) == [
        ("given", first.consent),
        ("given", newer),
        ("withdrawn", Consent(NOW + MINUTE, "", "one-click", "")),
    ]


def test_leaving_supersedes_what_waits_and_nothing_else(store: Store) -> None:
    recipient = people(store, 1)[0]
    for n in range(3):
        an_open_edition(store, 1, key=f"announcement/{n}")
    deferred, sent = handed(store, 2)
    store.outbox.settle(deferred, EntryState.DEFERRED, NOW, not_before=NOW + MINUTE)

    store.subscribers.leave(recipient.subscriber.public_id, NOW, how="one-click")

    found = {e.edition[-1]: e.state for e in store.outbox.entries()}
    assert found == {"0": EntryState.SUPERSEDED, "1": EntryState.HANDED, "2": EntryState.SUPERSEDED}
    assert store.outbox.settle(sent, EntryState.ACCEPTED, NOW)


def test_suppressing_somebody_supersedes_what_waits(store: Store) -> None:
    an_open_edition(store, 2)
    victim = people(store)[0].subscriber

    store.subscribers.put([replace(victim, standing=Standing.SUPPRESSED)], NOW)

    assert states(store) == [EntryState.SUPERSEDED, EntryState.PLANNED]


def test_a_suppressed_subscriber_hears_nothing_more_and_cannot_be_revived(store: Store) -> None:
    an_open_edition(store, 2)
    victim = people(store)[0].subscriber

    assert store.subscribers.suppress(victim.id, "no such mailbox", NOW)
    assert not store.subscribers.suppress(victim.id, "no such mailbox", NOW)
    assert not store.subscribers.suppress(99, "nobody", NOW)

    assert states(store) == [EntryState.SUPERSEDED, EntryState.PLANNED]
    assert not store.subscribers.leave(victim.public_id, NOW, how="one-click")
    assert store.subscribers.put([victim], NOW) == (0, 0)
    assert [what for what, _ in store.subscribers.consents(victim.id)] == ["given", "withdrawn"]


def test_subscribers_are_counted_and_read_by_standing(store: Store) -> None:
    store.subscribers.put(
        [
            a_subscriber(f"{s.value}{n}@example.org", standing=s, public_id=f"{s.value}{n}")
            for n, s in enumerate([*Standing, Standing.PENDING])
        ],
        NOW,
    )

    assert store.subscribers.counts() == dict.fromkeys(Standing, 1) | {Standing.PENDING: 2}
    assert len(list(store.subscribers.all([Standing.PENDING, Standing.LEFT]))) == 3


def test_many_subscribers_are_read_in_order_and_none_is_missed(store: Store) -> None:
    store.subscribers.put(
        [a_subscriber(f"p{n}@example.org", public_id=str(n), consent=None) for n in range(2001)], NOW
    )

    assert [s.id for s in store.subscribers.all()] == list(range(1, 2002))


# Notes, acts, runs


def test_notes_are_kept_replaced_and_forgotten(store: Store, reopen: Callable[[], Store]) -> None:
    store.note("last_tick", "one")
    store.note("last_tick", "two")
    assert reopen().noted("last_tick") == "two"

    store.note("last_tick", None)

    assert store.noted("last_tick") is None


def test_acts_are_listed_newest_first(store: Store) -> None:
    for n in range(3):
        store.acts.note("ana", "hold", NOW + n * MINUTE, about=f"digest/{n}", detail="why")

    assert [a.about for a in store.acts.list(limit=2)] == ["digest/2", "digest/1"]
    (act,) = store.acts.list(about="digest/0")
    assert (act.at, act.who, act.what, act.detail) == (NOW, "ana", "hold", "why")


def test_a_run_that_did_not_end_can_be_told_from_one_that_did(store: Store) -> None:
    killed = store.acts.begin_run(NOW, host="mail", pid=7)
    ended = store.acts.begin_run(NOW + MINUTE, host="mail", pid=8)

    store.acts.end_run(ended, NOW + 2 * MINUTE, {"accepted": 12})
    store.acts.end_run(ended, NOW + 3 * MINUTE, {})

    newest, oldest = store.acts.runs()
    assert (newest.number, newest.ended, newest.summary) == (ended, NOW + 2 * MINUTE, {"accepted": 12})
    assert (oldest.number, oldest.ended, oldest.summary, oldest.pid) == (killed, None, {}, 7)


def test_what_was_done_is_there_after_reopening(store: Store, reopen: Callable[[], Store]) -> None:
    an_open_edition(store)
    store.close()

    again = reopen()

    assert again.instance_id == store.instance_id
    assert states(again) == [EntryState.PLANNED] * 3


def test_an_edition_opens_only_with_the_content_it_is_frozen_with(store: Store) -> None:
    # Given an edition that another run has frozen anew
    edition = an_edition()
    store.editions.plan([edition], NOW)
    store.editions.freeze(edition.key, edition.mentions, "newer", NOW)
    recipients = people(store)
    # Then who looked at the older content opens nothing and leaves no page
    assert store.outbox.address(edition.key, recipients, NOW, pages={"v1": b"old"}, content_hash="older") == 0
    assert store.editions.pages(edition.key) == {}
    # And the right content opens it with its pages
    assert store.outbox.address(
        edition.key, recipients, NOW, pages={"v1": b"new"}, content_hash="newer"
    ) == len(recipients)
    assert store.editions.pages(edition.key) == {"v1": b"new"}
    assert store.outbox.has_due(NOW)


def test_what_is_frozen_may_be_of_use_for_a_shorter_time(store: Store) -> None:
    edition = an_edition()
    store.editions.plan([edition], NOW)
    sooner = edition.useful_until - timedelta(days=1)
    store.editions.freeze(edition.key, edition.mentions, "h", NOW, useful_until=sooner)
    assert store.editions.get(edition.key).useful_until == sooner  # type: ignore[union-attr]


def test_planning_may_be_turned_back_by_a_person_only(store: Store) -> None:
    store.editions.plan([], NOW + timedelta(days=365))
    store.editions.plan([], NOW)
    assert store.editions.planned_until() == NOW + timedelta(days=365)
    store.editions.turn_back(NOW)
    assert store.editions.planned_until() == NOW
    store.editions.turn_back(NOW + timedelta(days=1))
    assert store.editions.planned_until() == NOW
