"""Who gets an edition, which of its events, and the words for why or why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers import a_snapshot, a_subscriber, an_edition, an_event, an_office

from notifier.config import Config, Newsletter
from notifier.editions.base import Edition, Kind, Mention
from notifier.events.event import Event
from notifier.subscribers import audience
from notifier.subscribers.audience import Decision
from notifier.subscribers.subscriber import KINDS, Standing, Subscriber

CALABRIA = an_event(topics=("clusters",), regions=("ITF6",), series="visits")
SEMINAR = an_event("2020-09-08-seminar", project="smarty", topics=("sme", "industry-4-0"), regions=("PL92",))
LOOSE = an_event("2020-05-05-loose", project="")
HIDDEN = an_event("2020-06-01-hidden", visibility="group:board")


def a_reminder(event: Event = CALABRIA, kind: Kind = Kind.REMINDER, **fields: Any) -> Edition:
    return an_edition(f"{kind.value}/{event.uid}", kind=kind, mentions=(Mention(event.uid, 1),), **fields)


def a_digest(*events: Event, cadence: str = "biweekly", **fields: Any) -> Edition:
    mentions = tuple(Mention(event.uid, 1) for event in events)
    return an_edition("digest/events/2020-W15-2w", **({"kind": Kind.DIGEST, "mentions": mentions, "cadence": cadence} | fields))  # fmt: skip


def decide(edition: Edition, *readers: Subscriber, settings: Config | None = None, told: tuple[int, ...] = ()) -> list[Decision]:  # fmt: skip
    snapshots = {event.uid: a_snapshot(event) for event in (CALABRIA, SEMINAR, LOOSE, HIDDEN)}
    return list(audience.choose(edition, snapshots, readers, settings or an_office(), told=told))


def the(edition: Edition, reader: Subscriber, **fields: Any) -> Decision:
    (decision,) = decide(edition, reader, **fields)
    return decision


def test_a_confirmed_reader_of_everything_gets_it() -> None:
    decision = the(a_reminder(), a_subscriber())
    assert (decision.is_included, decision.reason, decision.uids) == (True, "chosen", (CALABRIA.uid,))
    assert decision.words == "gets reminders, and the meeting matches their choices: everything"


@pytest.mark.parametrize(
    ("edition", "fields", "reason", "words"),
    [
        (a_reminder(), {"standing": Standing.PENDING}, "pending", "has not confirmed the subscription"),
        (a_reminder(), {"standing": Standing.LEFT}, "left", "has unsubscribed"),
        (a_reminder(), {"standing": Standing.SUPPRESSED}, "suppressed", "mail came back"),
        (a_reminder(), {"kinds": ("digest",)}, "kind", "gets no reminders: chose digest"),
        (a_digest(CALABRIA), {"kinds": ("reminder",)}, "kind", "gets no digests: chose reminder"),
        (a_reminder(), {"newsletters": ("other",)}, "newsletter", "does not read events: chose other"),
        (a_reminder(), {"newsletters": ()}, "newsletter", "does not read events: chose none"),
        (a_digest(CALABRIA, cadence="weekly"), {}, "frequency", "gets no weekly digest: chose the biweekly digest"),
        (a_digest(CALABRIA), {"frequency": "each"}, "frequency", "chose notices only, no digest"),
        (a_reminder(), {"projects": ("smarty",)}, "project", "the meeting's project is cohes3ion: chose smarty"),
        (a_reminder(LOOSE), {"projects": ("smarty",)}, "project", "the meeting's project is none: chose smarty"),
        (a_reminder(), {"series": ("smarty-rgi",)}, "series", "the meeting's series is visits: chose smarty-rgi"),
        (a_reminder(LOOSE), {"series": ("smarty-rgi",)}, "series", "the meeting's series is none"),
        (a_reminder(SEMINAR), {"topics": ("clusters",)}, "topic", "topic is sme, industry-4-0: chose clusters"),
        (a_reminder(SEMINAR), {"regions": ("ITF6", "DEA5")}, "region", "region is PL92: chose ITF6, DEA5"),
        (a_reminder(HIDDEN), {}, "visibility", "is not in the group board, for which the meeting is"),
        (a_reminder(HIDDEN), {"groups": ("staff",)}, "visibility", "is not in the group board"),
        (
            a_digest(SEMINAR, LOOSE),
            {"projects": ("cohes3ion",)},
            "nothing",
            "nothing in it concerns their choices: projects cohes3ion",
        ),
        (a_reminder(kind=Kind.UPDATE), {}, "not-told", "was not told of the meeting before"),
    ],
)  # fmt: skip
def test_each_reason_to_leave_someone_out_is_said(
    edition: Edition, fields: dict[str, Any], reason: str, words: str
) -> None:
    # Given a reader who chose otherwise
    decision = the(edition, a_subscriber(**fields))
    # Then the reader is out, and it is said why
    assert (decision.is_included, decision.reason, decision.uids) == (False, reason, ())
    assert words in decision.words
    # And no other kind of reader is
    assert the(edition, a_subscriber(frequency=edition.cadence or "biweekly", groups=("board",)), told=(1,)).is_included  # fmt: skip


@pytest.mark.parametrize("frequency", ["weekly", "biweekly", "monthly"])
@pytest.mark.parametrize("cadence", ["weekly", "biweekly", "monthly"])
def test_a_digest_goes_to_those_of_its_cadence(frequency: str, cadence: str) -> None:
    decision = the(a_digest(CALABRIA, cadence=cadence), a_subscriber(frequency=frequency))
    assert decision.is_included is (frequency == cadence)


def test_frequency_concerns_digests_only() -> None:
    assert the(a_reminder(), a_subscriber(frequency="each")).is_included


def test_the_current_digest_for_a_late_joiner_has_no_cadence() -> None:
    decision = the(a_digest(CALABRIA, cadence=""), a_subscriber(frequency="monthly"))
    assert decision.words.startswith("gets the current digest once of events; 1 of its 1 meetings")


def test_who_wants_notices_only_gets_no_digest_sent_by_hand_either() -> None:
    decision = the(a_digest(CALABRIA, cadence=""), a_subscriber(frequency="each"))
    assert (decision.reason, decision.words) == ("frequency", "gets no digest: chose notices only, no digest")


def test_a_reader_of_one_project_gets_only_its_events_of_a_digest() -> None:
    edition = a_digest(SEMINAR, CALABRIA, LOOSE)
    decision = the(edition, a_subscriber(projects=("smarty",)))
    assert decision.uids == (SEMINAR.uid,)
    assert decision.words == (
        "gets the biweekly digest of events; 1 of its 3 meetings match their choices: projects smarty"
    )


def test_all_dimensions_must_match_and_one_key_in_each_is_enough() -> None:
    both = a_subscriber(projects=("smarty", "cohes3ion"), topics=("sme", "clusters"))
    assert the(a_digest(CALABRIA, SEMINAR, LOOSE), both).uids == (CALABRIA.uid, SEMINAR.uid)
    crossed = a_subscriber(projects=("smarty",), topics=("clusters",))
    assert the(a_digest(CALABRIA, SEMINAR, LOOSE), crossed).uids == ()


def test_a_group_sees_its_events_and_others_the_rest() -> None:
    board, other = a_subscriber(groups=("board",)), a_subscriber("press@example.org", groups=())
    first, second = decide(a_digest(CALABRIA, HIDDEN), board, other)
    assert first.uids == (CALABRIA.uid, HIDDEN.uid)
    assert second.uids == (CALABRIA.uid,)


def test_an_event_for_subscribers_is_for_everyone_who_is_written_to() -> None:
    members = an_event(visibility="subscribers")
    snapshots = {members.uid: a_snapshot(members)}
    (decision,) = audience.choose(a_reminder(members), snapshots, [a_subscriber()], an_office())
    assert decision.is_included


def test_an_event_in_two_sections_counts_once() -> None:
    mentions = (Mention(CALABRIA.uid, 1, "", "events"), Mention(CALABRIA.uid, 1, "", "deadlines"))
    assert the(a_digest(mentions=mentions), a_subscriber()).uids == (CALABRIA.uid,)


def test_an_empty_digest_that_is_sent_all_the_same_goes_to_its_readers() -> None:
    assert the(a_digest(), a_subscriber(projects=("smarty",))).is_included


def test_a_digest_whose_events_are_gone_goes_to_nobody() -> None:
    gone = a_digest(mentions=(Mention("gone@events.region.example", 1),))
    assert the(gone, a_subscriber()).reason == "nothing"


def test_a_notice_reaches_readers_of_every_newsletter_that_covers_its_event() -> None:
    # Given a notice that belongs to the first of two newsletters that cover the event
    settings = an_office(
        newsletter=(Newsletter(name="events"), Newsletter(name="visits", projects=("cohes3ion",)))
    )
    reader = a_subscriber(newsletters=("visits",))
    # Then a reader of the second gets it, but not the first one's digest, nor what the second does not cover
    assert the(a_reminder(), reader, settings=settings).is_included
    assert the(a_digest(CALABRIA), reader, settings=settings).reason == "newsletter"
    assert the(a_reminder(SEMINAR), reader, settings=settings).reason == "newsletter"


@pytest.mark.parametrize("kind", [Kind.UPDATE, Kind.CANCELLATION])
def test_a_change_reaches_who_was_told_whatever_they_choose_now(kind: Kind) -> None:
    # Given someone told before who since chose other things, one never told, and one told who left
    told = a_subscriber(id=1, kinds=("digest",), projects=("smarty",), newsletters=("other",))
    never, left = a_subscriber(id=2), a_subscriber(id=3, standing=Standing.LEFT)
    # When the event changes
    decisions = decide(a_reminder(kind=kind), told, never, left, told=(1, 3))
    # Then only the first is told
    assert [d.reason for d in decisions] == ["told", "not-told", "left"]
    assert decisions[0].uids == (CALABRIA.uid,)


def test_decisions_come_in_the_order_of_the_subscribers_and_for_each() -> None:
    readers = [
        a_subscriber(f"office{n}@example.org", id=n, standing=Standing(s)) for n, s in enumerate(Standing)
    ]
    assert [d.subscriber for d in decide(a_reminder(), *readers)] == readers


@pytest.mark.parametrize(
    ("choice", "edition"),
    [
        ({"standing": Standing.PENDING}, a_reminder()),
        ({"newsletters": ("other",)}, a_reminder()),
        ({"projects": ("smarty",)}, a_reminder()),
        ({"series": ("smarty-rgi",)}, a_reminder()),
        ({"topics": ("sme",)}, a_reminder()),
        ({"regions": ("PL92",)}, a_reminder()),
        ({"kinds": ("digest",)}, a_reminder()),
        ({"frequency": "weekly"}, a_digest(CALABRIA)),
        ({"groups": ()}, a_reminder(HIDDEN)),
        ({"id": 7}, a_reminder(kind=Kind.UPDATE)),
    ],
)
def test_two_who_differ_in_one_choice_are_told_apart(choice: dict[str, Any], edition: Edition) -> None:
    insider = a_subscriber(groups=("board",))
    assert [d.is_included for d in decide(edition, insider, replace(insider, **choice), told=(1,))] == [
        True,
        False,
    ]


CHOICES = st.sampled_from([("*",), (), ("smarty",), ("cohes3ion",), ("smarty", "cohes3ion")])


@given(
    st.lists(
        st.builds(
            a_subscriber,
            projects=CHOICES,
            kinds=st.sampled_from([KINDS, ("digest",), ("reminder",)]),
            frequency=st.sampled_from(["each", "weekly", "biweekly"]),
            standing=st.sampled_from(Standing),
            groups=st.sampled_from([(), ("board",)]),
            newsletters=st.sampled_from([("*",), ("events",), ("other",)]),
        ),
        max_size=8,
    ),
    st.sampled_from([a_reminder(), a_reminder(HIDDEN), a_digest(CALABRIA, SEMINAR, HIDDEN)]),
)
def test_a_decision_does_not_depend_on_who_else_is_asked(readers: list[Subscriber], edition: Edition) -> None:
    together = decide(edition, *readers)
    assert together == [the(edition, reader) for reader in readers]
    for decision in together:
        assert decision.is_included or not decision.uids
        assert not decision.is_included or decision.subscriber.standing is Standing.CONFIRMED


def test_recipients_who_read_and_are_concerned_alike_share_a_variant() -> None:
    # Given readers of Polish, of German, and of Polish for one project only
    edition = a_digest(CALABRIA, SEMINAR)
    readers = [
        a_subscriber("a@example.org", languages=("pl",)),
        a_subscriber("b@example.org", languages=("de", "en")),
        a_subscriber("c@example.org", languages=("pl",)),
        a_subscriber("d@example.org", languages=("pl",), projects=("smarty",)),
        a_subscriber("e@example.org", standing=Standing.PENDING),
    ]
    # When the audience is chosen
    found = audience.recipients(decide(edition, *readers), ("pl", "en"))
    # Then languages are the reader's, then the organisation's, each once
    assert [r.variant.languages for r in found] == [
        ("pl", "en"),
        ("de", "en", "pl"),
        ("pl", "en"),
        ("pl", "en"),
    ]
    assert found[0].variant is found[2].variant
    assert len({r.variant.key for r in found}) == 3
    assert [r.subscriber.address[0] for r in found] == ["a", "b", "c", "d"]
    assert found[3].reason.endswith("projects smarty")


def test_the_key_of_a_variant_is_the_same_on_every_host() -> None:
    assert audience.variant_key(("pl", "en"), ("a@x", "b@x")) == "a80238511fc0c59e"
    assert audience.variant_key(("pl",), ("en", "a@x", "b@x")) != audience.variant_key(
        ("pl", "en"), ("a@x", "b@x")
    )


def test_a_reader_whom_only_what_is_over_concerns_gets_no_digest() -> None:
    # Given a digest of one meeting ahead and one that is over, of another project
    mentions = (Mention(CALABRIA.uid, 1), Mention(SEMINAR.uid, 1, "", "recent"))
    edition = a_digest(mentions=mentions)
    # Then the readers of the other project have no news, and the others read of both
    decision = the(edition, a_subscriber(projects=("smarty",)))
    assert (decision.is_included, decision.reason) == (False, "nothing")
    assert the(edition, a_subscriber()).uids == (CALABRIA.uid, SEMINAR.uid)
