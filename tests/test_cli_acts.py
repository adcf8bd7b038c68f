"""What a command means when things change while somebody looks: approvals, holds, sending by hand, what wakes a tick."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from office import HEADINGS, Office, Ran, an_office

from notifier import jobs
from notifier.cli import exits, failure, stamp
from notifier.cli.project import clock, opened
from notifier.cli.tick import fingerprint, is_idle
from notifier.cli.ticking import failure_lines
from notifier.editions.base import Edition, State
from notifier.facts import refresh
from notifier.sending import Sent
from notifier.subscribers.address import masked

KEY = "announcement/meeting@events.region.example"
SHARED = {"at": None, "verbose": 0, "quiet": False, "output_format": "text", "color": "auto"}


@pytest.fixture
def office(tmp_path: Path) -> Office:
    """Two readers, and a first tick behind it: what is told from now on is news. Announcements are approved."""
    made = an_office(tmp_path)
    made.config.write_text(
        made.config.read_text().replace(
            '[editions.announcement]\napproval = "none"', '[editions.announcement]\napproval = "required"'
        )
    )
    made.people(2)
    assert made.here("tick").code == 0
    return made


def messages(office: Office) -> list[EmailMessage]:
    """What arrived, by address."""
    files = (office.folder / "outbox/new").glob("*")
    found = [message_from_bytes(f.read_bytes(), policy=policy.default) for f in files]
    return sorted((m for m in found if isinstance(m, EmailMessage)), key=lambda m: str(m["To"]))


def text_of(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def edition(office: Office, key: str = KEY) -> Edition:
    app = office.app()
    found = app.store.editions.get(key)
    app.close()
    assert found is not None
    return found


def said(ran: Ran, code: int = 0) -> str:
    assert ran.code == code, ran
    return ran.out + ran.err


# What wakes a tick


def test_an_approval_while_a_tick_is_under_way_wakes_the_next_one(office: Office) -> None:
    office.tell()
    with opened({**SHARED, "config": str(office.config)}) as project:
        before = fingerprint(stamp.watched(project.config))
        assert office.here("tick").code == 0

        assert office.here("editions", "approve", KEY, "--yes").code == 0
        stamp.leave(project.config, None, fingerprint=before)  # by the tick that read before

    assert office.stamp.exists()
    assert not is_idle(office.config)
    assert office.here("tick").code == 0
    assert len(messages(office)) == 2


def test_a_link_into_nowhere_that_an_editor_leaves_disturbs_no_tick(office: Office) -> None:
    office.tell()
    (office.folder / "data/events/.#2030-04-28-x.md").symlink_to("user@host.123:99")
    office.write("data/events/#2030-04-28-x.md#.md", "not saved yet")

    assert said(office.here("tick")) == ""
    assert is_idle(office.config)


def test_the_heartbeat_of_idle_ticks_is_no_gap(office: Office) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=2)
    app = office.app()
    app.store.note("last_tick", long_ago.isoformat())
    app.store.editions.turn_back(long_ago)
    app.close()
    office.tell()

    assert said(office.here("tick")) == ""

    assert not edition(office).reason.startswith(jobs.BY_GAP)


def test_a_clock_that_jumped_is_accepted_by_a_person(office: Office) -> None:
    app = office.app()
    boot, offset = str(app.store.noted("clock")).split(" ")
    app.store.note("clock", f"{boot} {float(offset) + 4000}")
    app.close()
    office.stamp.unlink()
    assert "notifier tick --accept-clock" in said(office.here("tick"), code=5)

    assert said(office.here("tick", "--accept-clock")) == ""

    assert said(office.here("tick")) == ""
    assert office.stamp.exists()


def test_an_address_is_masked_everywhere_alike() -> None:
    assert masked("office@example.org") == "o…@example.org"
    assert masked("") == ""


# Approving what was shown


def asked(office: Office, title: str = "First title") -> Path:
    """A meeting whose announcement waits for an approval."""
    file = office.tell(title=title)
    assert office.here("tick").code == 0
    assert edition(office).state.value in ("waiting", "held")
    return file


def retitle(file: Path, title: str) -> None:
    file.write_text(re.sub("(?m)^title: .*$", f"title: {title}", file.read_text()))


def content_of(shown: str) -> str:
    return shown.split("  content    ")[1].split()[0]


def test_what_changed_since_it_was_asked_about_is_not_approved_unseen(office: Office) -> None:
    retitle(asked(office), "Changed behind her back")

    refused = office.here("editions", "approve", KEY, "--yes")

    assert refused.code == 5
    assert "it changed since you were asked" in refused.err and "Changed behind her back" in refused.err
    assert edition(office).approved_by == ""
    assert office.here("tick").code == 0 and messages(office) == []


def test_changed_content_is_approved_by_its_name_alone(office: Office) -> None:
    file = asked(office)
    retitle(file, "Second title")
    second = content_of(said(office.here("editions", "show", KEY)))
    retitle(file, "Third title")
    assert "Third title" in said(office.here("editions", "approve", KEY, "--yes", "--hash", second), code=5)
    retitle(file, "Second title")

    said(office.here("editions", "approve", KEY, "--yes", "--hash", second[:12]))

    assert office.here("tick").code == 0
    assert ["Second title" in str(m["Subject"]) for m in messages(office)] == [True, True]


def test_at_a_terminal_the_text_is_shown_before_the_question(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(office)
    typed = iter(["1", "2"])
    monkeypatch.setattr("notifier.cli.confirm.sys.stdin", Terminal(typed))

    no = office.here("editions", "approve", KEY)
    yes = office.here("editions", "approve", KEY)

    assert no.code == 5 and "nothing was done" in no.err
    assert no.err.index("We meet.") < no.err.index("Approve")
    assert "goes out now to 2" in said(yes)


class Terminal:
    """A keyboard on which these lines are typed."""

    def __init__(self, lines: object) -> None:
        self.lines = lines

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        return f"{next(self.lines)}\n"  # type: ignore[call-overload]


def test_an_edition_that_nobody_was_asked_about_yet_can_be_approved(office: Office) -> None:
    office.config.write_text(office.config.read_text().replace('delay = "0s"', 'delay = "3h"'))
    office.tell()
    assert office.here("tick").code == 0
    key = next(e["key"] for e in office.here("--output-format", "json", "editions", "list").json["data"])
    app = office.app()
    app.store.editions.move(key, State.PLANNED, of={State.WAITING}, now=datetime.now(UTC))
    app.close()

    assert f"approved: {key}" in said(office.here("editions", "approve", key, "--yes"))

    assert (edition(office, key).state.value, bool(edition(office, key).approved_by)) == ("waiting", True)


# What a person holds


@pytest.mark.parametrize("verb", ["hold", "pause"])
def test_no_machine_lets_go_on_what_a_person_holds_whatever_the_reason_says(
    office: Office, verb: str
) -> None:
    asked(office)
    if verb == "pause":
        opened_but_unsent(office)

    said(office.here("editions", verb, KEY, "--reason", "content: wrong place"))

    assert edition(office).reason == "person: content: wrong place"
    assert office.here("tick").code == 0 and messages(office) == []
    for looking in (("editions", "list"), ("editions", "show", KEY), ("status",)):
        shown = said(office.here(*looking))
        assert "content: wrong place" in shown and "person:" not in shown
    said(office.here("editions", "resume", KEY))
    if verb == "hold":
        said(office.here("editions", "approve", KEY, "--yes"))
    assert office.here("tick").code == 0 and len(messages(office)) == 2


def opened_but_unsent(office: Office) -> None:
    """The edition is approved and its outbox filled, but nobody has sent it yet."""
    said(office.here("editions", "approve", KEY, "--yes"))
    app = office.app()
    now = datetime.now(UTC)
    desk = jobs.Desk(app, refresh(app, now), jobs.Outcomes())
    jobs.address(desk, now)
    app.close()


def test_what_a_machine_holds_a_person_can_hold_as_well_and_it_is_not_approved_before_it_goes_on(
    office: Office,
) -> None:
    asked(office)
    assert edition(office).state.value == "held"

    said(office.here("editions", "hold", KEY, "--reason", "wrong date"))

    refused = said(office.here("editions", "approve", KEY, "--yes"), code=4)
    assert 'held by a person: "wrong date"' in refused and f"notifier editions resume {KEY}" in refused
    assert office.here("tick").code == 0 and messages(office) == []


# Looking


def test_a_preview_makes_no_database(tmp_path: Path) -> None:
    made = an_office(tmp_path)
    slug = made.tell().stem

    said(made.here("preview", slug, "--out", str(tmp_path / "preview"), "--no-open"))

    assert made.app().is_new


def test_an_edition_that_is_paused_is_on_the_page_of_status_with_its_reason(office: Office) -> None:
    asked(office)
    opened_but_unsent(office)

    said(office.here("editions", "pause", KEY, "--reason", "wrong place"))

    assert f"paused: {KEY}: wrong place" in said(office.here("status"))
    assert office.here("--output-format", "json", "status").json["data"]["paused"][0]["key"] == KEY


LOOKING = [
    (("status",), 0, "no tick has run yet"),
    ((), 0, "no tick has run yet"),
    (("editions", "list"), 0, "no editions yet"),
    (("editions", "show", KEY), 2, "nothing was planned yet"),
    (("editions", "approve", KEY, "--yes"), 2, "nothing was planned yet"),
    (("outbox", "list"), 0, "the outbox is empty"),
    (("outbox", "show", f"{KEY}:1"), 2, f"no entry {KEY}:1"),
    (("explain", "E010"), 0, "E010"),
    (("explain", "--to", "office@example.org"), 2, "nobody is subscribed with office@example.org"),
    (("subscribers", "list"), 0, "nobody yet"),
    (("subscribers", "show", "office@example.org"), 2, "nobody is subscribed with office@example.org"),
    (("subscribers", "export"), 0, "consent_basis"),
    (("subscribers", "import", "{people}", "--dry-run"), 0, "nothing was changed"),
    (("plan",), 0, "Cluster meeting"),
    (("tick", "--dry-run"), 0, "nothing due"),
]


@pytest.mark.parametrize(
    ("words", "code", "answer"), LOOKING, ids=[" ".join(w) or "bare" for w, *_ in LOOKING]
)
def test_who_only_looks_makes_no_database(
    tmp_path: Path, words: tuple[str, ...], code: int, answer: str
) -> None:
    made = an_office(tmp_path)
    made.tell()
    people = made.write("people.csv", f"{HEADINGS}\nr1@example.org;;en;each;;;;\n")

    ran = made.here(*(word.format(people=people) for word in words))

    assert answer in said(ran, code)
    assert not made.state.exists()


# Sending by hand


def test_sending_what_waits_for_an_approval_is_that_approval_and_says_so(office: Office) -> None:
    slug = asked(office).stem

    sent = said(office.here("send", slug, "--yes"))

    assert "sent to 2 people" in sent
    assert len(messages(office)) == 2
    assert (edition(office).state.value, edition(office).approved_by != "") == ("done", True)
    app = office.app()
    assert [a.what for a in app.store.acts.list(about=KEY)] == ["send"]
    app.close()


def test_what_a_person_holds_is_not_sent_by_hand(office: Office) -> None:
    slug = asked(office).stem
    said(office.here("editions", "hold", KEY, "--reason", "wrong place"))

    assert "resume it first" in said(office.here("send", slug, "--yes"), code=4)

    assert messages(office) == []


def test_while_everything_is_on_hold_sending_says_that_it_waits(office: Office) -> None:
    slug = office.tell().stem
    said(office.here("hold", "--all", "wrong logo"))

    waits = said(office.here("send", slug, "--yes"), code=4)

    assert 'not sent yet: everything is on hold: "wrong logo' in waits and messages(office) == []
    said(office.here("resume"))
    said(office.here("tick"))
    assert len(messages(office)) == 2


def test_what_changes_after_it_was_sent_by_hand_and_before_it_leaves_is_held(office: Office) -> None:
    file = office.tell()
    said(office.here("hold", "--all", "wrong logo"))
    said(office.here("send", file.stem, "--yes"), code=4)
    retitle(file, "Nobody confirmed this")
    said(office.here("resume"))

    assert office.here("tick").code == 0

    assert messages(office) == []
    assert edition(office).reason == "approval: it changed after it was approved"


def test_json_of_sending_says_to_how_many(office: Office) -> None:
    slug = office.tell().stem

    ran = office.here("--output-format", "json", "send", slug, "--yes")

    assert ran.json["schema"] == "notifier/send/1"
    assert ran.json["data"] == {"key": KEY, "state": "done", "sent": 2, "outbox": {"accepted": 2}}


CADENCES = ("weekly", "biweekly", "monthly", "each")


@pytest.fixture
def readers(tmp_path: Path) -> Office:
    """One reader of each frequency; a meeting ahead that everybody knew of; a note for whichever digest is next."""
    made = an_office(tmp_path)
    rows = (f"{f}@example.org;;en;{f};2020-01-07;consent;paper form;form-v1" for f in CADENCES)
    people = made.write("people.csv", "\n".join([HEADINGS, *rows]) + "\n")
    said(made.here("subscribers", "import", str(people), "--accept-consent"))
    made.tell(days=20)
    said(made.here("tick"))
    planned = made.here("--output-format", "json", "-v", "plan").json["data"]["editions"]
    for key in (row["key"] for row in planned if row["kind"] == "digest"):
        made.write(f"data/notes/{key.removeprefix('digest/')}.md", "A word from the officer.\n")
    return made


def test_a_digest_sent_by_hand_is_what_was_previewed_for_all_who_want_digests(readers: Office) -> None:
    out = readers.folder / "preview"
    said(readers.here("preview", "events", "--lang", "en", "--out", str(out), "--no-open"))
    assert "would send" in said(readers.here("send", "events", "--dry-run"))

    assert "sent to 3 people" in said(readers.here("send", "events", "--yes"))

    got = messages(readers)
    assert [str(m["To"]).partition("@")[0] for m in got] == ["biweekly", "monthly", "weekly"]
    assert all("A word from the officer." in text_of(m) for m in got)
    assert "A word from the officer." in (out / "digest.en.txt").read_text()


def test_a_digest_sent_by_hand_may_be_for_one_cadence(readers: Office) -> None:
    assert "sent to 1 person" in said(readers.here("send", "events", "--cadence", "monthly", "--yes"))

    assert [str(m["To"]) for m in messages(readers)] == ["monthly@example.org"]
    today = datetime.now(UTC).date()
    assert edition(readers, f"digest/events/{today}").cadence == "monthly"
    assert "went out before" in said(readers.here("send", "events", "--yes"), code=4)


def test_a_digest_that_was_planned_for_later_is_sent_by_its_key_as_of_now(readers: Office) -> None:
    settings = readers.config.read_text()
    asks_early = '[editions.digest]\napproval = "required"\nprepare = "28d"'
    readers.config.write_text(settings.replace('[editions.digest]\napproval = "none"', asks_early))
    readers.tell("tomorrow", days=1, title="Tomorrow already")
    said(readers.here("tick"))
    waiting = readers.here("--output-format", "json", "editions", "list", "--kind", "digest").json["data"]
    key = max((e for e in waiting if e["cadence"] == "weekly"), key=lambda e: str(e["due"]))["key"]
    before = messages(readers)

    assert "sent to 1 person" in said(readers.here("send", key, "--yes"))

    sent = [m for m in messages(readers) if str(m["To"]) == "weekly@example.org"]
    assert len(sent) == 1 + sum(str(m["To"]) == "weekly@example.org" for m in before)
    assert any("Tomorrow already" in text_of(m) for m in sent if str(m["Subject"]).startswith("Coming up"))


def test_a_reminder_sent_by_hand_is_a_reminder_though_none_is_planned_any_more(office: Office) -> None:
    begins = datetime.now(UTC) + timedelta(hours=14)
    slug = f"{begins.date()}-soon"
    head = f"uid: soon@events.region.example\ntitle: Soon\nwhen: {begins:%Y-%m-%d %H:00}\ntimezone: UTC"
    office.write(f"data/events/{begins.year}/{slug}.md", f"---\n{head}\ntype: meeting\n---\nWe meet.\n")

    said(office.here("send", slug, "--kind", "reminder", "--yes"))

    start = f"{begins:%Y%m%dT%H0000Z}"
    assert edition(office, f"reminder/soon@events.region.example/{start}/P1D").state.value == "done"
    assert [str(m["Subject"]).partition(":")[0] for m in messages(office)] == ["Reminder"] * 2


# What a tick says


def test_a_tick_that_somebody_watches_says_what_it_did_not_send_and_why(office: Office) -> None:
    office.tell()

    watched = office.here("-v", "tick")

    assert f"not sent: {KEY}: approval: nobody has approved it yet" in said(watched)


def test_only_what_ended_is_not_tried_again_and_only_a_server_said_it() -> None:
    failures: list[tuple[str, str, datetime | None]] = [
        ("a", "550 5.1.1 no such user", None),
        ("b", "the connection was lost", None),
    ]
    sent = Sent(failed=1, unknown=1, failures=failures)

    lines = failure_lines(jobs.Outcomes(sent=sent), {("a", "550 5.1.1 no such user")})

    assert lines[:2] == [
        'a: 1 recipient: the server said "550 5.1.1 no such user"; not tried again',
        "b: 1 recipient: the connection was lost",
    ]


def test_a_proof_can_be_passed_on_because_it_opens_nobody_s_subscription(office: Office) -> None:
    office.tell("meeting")
    office.here("tick")
    shown = office.here("editions", "show", KEY).out
    with opened({**SHARED, "config": str(office.config)}) as project:
        people = list(project.app.store.subscribers.all())
        tokens = [project.app.links.token(s.public_id, "unsubscribe") for s in people]
    assert "/u/" in shown
    assert not [s.email for s in people if s.email in shown]
    assert not [token for token in tokens if token in shown]


def test_status_says_what_is_approved_and_does_not_ask_again(office: Office) -> None:
    office.tell("meeting")
    office.here("tick")
    assert "nobody has approved it yet" in office.here("status").out
    office.here("editions", "approve", KEY, "--as", "officer", "--yes")
    told = office.here("status").out
    assert f"approved by officer: {KEY}" in told and "waits" not in told and "nobody" not in told


def test_status_says_what_nobody_approved_in_time(office: Office) -> None:
    office.tell("meeting")
    office.here("tick")
    app = office.app()
    app.store.editions.freeze(
        KEY, edition(office).mentions, "h", clock(), useful_until=clock() - timedelta(hours=1)
    )
    app.store.outbox.finish(clock())
    app.close()
    assert f"missed: {KEY}, expired" in office.here("status").out


@pytest.mark.parametrize(
    "words",
    [
        ("hold", "--all", "x"),
        ("resume",),
        ("editions", "approve", KEY),
        ("outbox", "settle", f"{KEY}:1", "--resend"),
    ],
)
def test_what_changes_something_takes_no_frozen_clock(office: Office, words: tuple[str, ...]) -> None:
    done = office.here("--at", "2020-04-01 08:00", *words)
    assert done.code == 2 and "--at" in done.err


@pytest.mark.parametrize("instant", ["9999-12-31 23:59", "0001-01-01", "yesterday"])
def test_an_instant_that_no_calendar_has_is_refused_in_words(office: Office, instant: str) -> None:
    refused = office.here("--at", instant, "plan")
    assert refused.code == 2 and instant in refused.err


def test_the_settings_are_shown_as_config_toml_writes_them(office: Office) -> None:
    shown = {
        row["key"]: row["value"]
        for row in office.here("--output-format", "json", "config", "show").json["data"]
    }
    assert (shown["engines.hold_after"], shown["editions.reminder.before"]) == ("1d", ["7d", "1d"])
    assert "engines.hold_after" in office.here("config", "show").out


def test_a_folder_that_may_not_be_written_is_no_bug(office: Office) -> None:
    error = PermissionError(13, "Permission denied", "/var/lib/notifier/notifier.lock")
    assert failure.report(error, ["tick"]) == exits.UNREACHABLE


def test_settings_nested_without_end_are_refused_at_once(office: Office) -> None:
    office.config.write_text(office.config.read_text() + "[" + ".".join("a" * 3000) + "]\n")
    refused = office.here("check")
    assert refused.code == 12 and "nested" in refused.err


def test_while_the_relay_is_away_tick_and_status_say_who_waits(tmp_path: Path) -> None:
    # Given a relay that nobody answers for
    office = an_office(tmp_path, "smtp://127.0.0.1:9")
    office.people(2)
    assert office.here("tick").code == 0
    office.tell("meeting")
    failed = office.here("tick")
    assert failed.code == 14
    assert "2 messages wait; the next tick tries again" in failed.err
    told = office.here("status").out
    assert "SENDING IS PAUSED" in told and "oldest waiting: due" in told
    # When it is back, nothing speaks of it any more
    office.config.write_text(office.config.read_text().replace("smtp://127.0.0.1:9", "maildir:outbox"))
    assert office.here("tick").code == 0
    told = office.here("status").out
    assert "PAUSED" not in told and "oldest waiting" not in told
