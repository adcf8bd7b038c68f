"""How a command ends: one test for every exit code, one JSON document whatever happens, and few words on failure."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from office import Office, Ran, an_office, here, run

from notifier.cli import exits, plan
from notifier.cli.ticking import MAX_LINES, failure_lines
from notifier.jobs import Outcomes
from notifier.sending import Sent
from notifier.store.lock import RunLock
from notifier.transports.catchall import CatchAll


@pytest.fixture(autouse=True)
def _settings_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("NOTIFIER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return an_office(tmp_path / "office")


@pytest.fixture
def relayed(tmp_path: Path) -> Iterator[Office]:
    """An office after its baseline, with three readers and a relay that works."""
    with CatchAll(tmp_path / "caught") as server:
        made = an_office(tmp_path / "office", server.url)
        made.people(3)
        assert made.here("tick").code == 0
        yield made


def document(ran: Ran) -> Any:
    """The one document on stdout, which carries the exit code."""
    found = json.loads(ran.out)
    assert list(found) == ["schema", "version", "exit", "data", "problems"]
    assert found["exit"] == ran.code
    return found


# One test per code


def test_0_nothing_is_due(office: Office) -> None:
    assert office.here("tick") == Ran(0, "", "")


def test_1_a_bug_says_so_and_saves_a_report_without_addresses(
    office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # There is no other way to have a bug at hand than to make one
    def broken(*_: object) -> None:
        raise ZeroDivisionError(
            "for office@example.org at https://events.region.example/u/100112233aabbccddfeed"
        )

    monkeypatch.setattr(plan, "look", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = office.here("plan")
    assert ran.code == exits.UNEXPECTED
    assert "Traceback" not in ran.err
    report = Path(ran.err.split()[-1]).read_text()
    assert "ZeroDivisionError" in report
    assert "office@example.org" not in report
    assert "00112233" not in report
    assert "Traceback" in office.here("-vv", "plan").err


@pytest.mark.parametrize(
    "words",
    [
        ("fly",),
        ("plan", "--never"),
        ("plan", "--within", "soon"),
        ("--at", "tomorrow", "plan"),
        ("--at", "2020-04-01 08:00", "tick"),
        ("--at", "2020-04-01 08:00", "send", "events"),
        ("--at", "2020-04-01 08:00", "run"),
        ("editions", "list", "--state", "flying"),
        ("editions", "show", "digest/events/2030-W01"),
        ("explain",),
        ("explain", "E999"),
        ("outbox", "show", "nothing"),
        ("hold", "no reason"),
        ("subscribers", "import", "nowhere.csv"),
        ("preview", "nothing-like-it", "--no-open"),
        ("tick", "--limit", "0"),
    ],
    ids=" ".join,
)
def test_2_wrong_usage(office: Office, words: tuple[str, ...]) -> None:
    ran = office.here(*words)
    assert ran.code == exits.USAGE
    assert ran.out == ""
    assert ran.err.startswith(("Usage", "Error"))


def test_2_a_configuration_that_was_named_and_is_not_there(tmp_path: Path) -> None:
    assert here("--config", tmp_path / "nowhere.toml", "plan").code == exits.USAGE


def test_tick_takes_another_clock_to_say_what_it_would_do(office: Office) -> None:
    assert office.here("--at", "2020-04-01 08:00", "tick", "--dry-run").code == 0


def test_3_some_were_refused_for_now(tmp_path: Path) -> None:
    sys.path.insert(0, str(Path(__file__).parent / "faults"))
    from smtp_server import FaultServer

    with FaultServer({"rcpt": b"450 4.2.0 later\r\n"}) as server:
        office = an_office(tmp_path, server.url)
        office.people(2)
        office.here("tick")
        office.tell()
        assert document(office.here("--output-format", "json", "tick"))["exit"] == exits.IN_PART


def test_4_status_is_late(office: Office) -> None:
    assert office.here("status", "--max-age", "15m", "-q").code == exits.FINDINGS
    assert office.here("tick").code == 0
    assert office.here("status", "--max-age", "15m", "-q") == Ran(0, "", "")
    os.utime(office.stamp, (time.time() - 3600,) * 2)
    app = office.app()
    app.store.note("last_tick", "2020-04-01T06:00:00+00:00")
    app.close()
    late = office.here("status", "--max-age", "15m", "-q")
    assert late.code == exits.FINDINGS
    assert "LATE" in late.out


def test_5_sending_asks_and_there_is_no_terminal(relayed: Office) -> None:
    slug = relayed.tell().stem
    ran = relayed.run("send", slug)
    assert ran.code == exits.NEEDS_CONFIRMATION
    assert '"' in ran.err and "to 3 people" in ran.err and "--yes" in ran.err


def test_5_the_clock_jumped(office: Office) -> None:
    assert office.here("tick").code == 0
    app = office.app()
    boot, offset = (app.store.noted("clock") or "").split(" ")
    app.store.note("clock", f"{boot} {float(offset) - 3600}")
    app.close()
    office.stamp.unlink()
    ran = office.here("tick")
    assert ran.code == exits.NEEDS_CONFIRMATION
    assert "the clock moved by 1:00:00" in ran.err


def test_10_there_is_no_project_here(tmp_path: Path) -> None:
    for words in ((), ("plan",), ("tick",), ("status",)):
        ran = run(*words, cwd=tmp_path)
        assert ran.code == exits.NO_PROJECT
        assert "notifier init" in ran.err
    assert "Usage: notifier" in run(cwd=tmp_path).out
    assert list(tmp_path.iterdir()) == []


def test_11_another_run_holds_the_lock(office: Office) -> None:
    with RunLock(office.state):
        ran = office.here("tick")
        waited = office.here("tick", "--wait", "1s")
    assert ran.code == waited.code == exits.LOCKED
    assert f"process {os.getpid()} on" in ran.err and "since" in ran.err
    assert office.here("tick").code == 0


def test_12_the_configuration_is_invalid(office: Office) -> None:
    office.config.write_text(office.config.read_text() + "[maill]\n")
    ran = office.here("tick")
    assert ran.code == exits.CONFIG
    assert 'did you mean "mail"?' in ran.err


def test_12_also_where_the_idle_stamp_is_looked_for(office: Office) -> None:
    for text in ("paths = 3\n", "paths = [\n", "[paths]\nstate = 3\n"):
        office.config.write_text(text)
        assert office.here("tick").code == exits.CONFIG


def test_13_nothing_could_be_sent_for_its_content(relayed: Office) -> None:
    file = relayed.tell()
    relayed.here("hold", "--all", "not yet")
    assert relayed.here("tick").code == 0
    file.write_text(file.read_text().replace("title: Cluster meeting\n", ""))
    relayed.here("resume")
    ran = relayed.run("tick")
    assert ran.code == exits.CONTENT
    assert "held: announcement/meeting@events.region.example" in ran.err
    assert "notifier check" in ran.err
    # What stands from before fails no later run
    assert relayed.run("tick").code == 0


def test_13_a_list_with_a_mistake_is_not_imported(office: Office) -> None:
    file = office.write("people.csv", "email;languages\nnobody;en\nok@example.org;en\n")
    ran = office.here("subscribers", "import", str(file))
    assert ran.code == exits.CONTENT
    assert "people.csv:2" in ran.err
    assert "nobody yet" in office.here("subscribers", "list").out


def test_14_the_relay_is_down(tmp_path: Path) -> None:
    office = an_office(tmp_path, "smtp://127.0.0.1:1")
    office.people(1)
    office.here("tick")
    office.tell()
    assert office.here("tick").code == exits.UNREACHABLE


def test_14_the_database_is_damaged(office: Office) -> None:
    office.write("data/state/notifier.db", "this is no database " * 100)
    for words in (("tick",), ("status",), ("editions", "list")):
        ran = office.here(*words)
        assert ran.code == exits.UNREACHABLE
        assert "notifier.db" in ran.err


def test_the_gravest_code_is_the_one_reported() -> None:
    assert exits.first([]) == exits.DONE
    assert exits.first([exits.DONE, exits.FINDINGS]) == exits.FINDINGS
    order = [1, 12, 14, 13, 3, 5, 4]
    for at in range(len(order)):
        assert exits.first(reversed(order[at:])) == order[at]


# Words


def test_a_failure_takes_at_most_twelve_lines() -> None:
    many = Sent(failures=[(f"digest/events/{n}", f"450 {n}", None) for n in range(40)])
    lines = failure_lines(Outcomes(sent=many, stopped="421 busy", held={"digest/x": "broken"}))
    assert len(lines) == MAX_LINES
    assert lines[0] == "sending paused: 421 busy"
    assert any("more" in line for line in lines)
    assert lines[-1].startswith("look closer: notifier outbox list")


def test_help_ends_with_two_examples_and_the_exit_codes() -> None:
    from notifier.cli.main import COMMANDS

    for name in COMMANDS:
        ran = here(name, "--help")
        assert ran.code == 0
        if "Commands:" in ran.out:
            continue
        assert ran.out.count("\n    notifier ") + ran.out.count("\n    */5") == 2, name
        assert "any other non-zero code is a failure" in ran.out, name


# JSON

ALWAYS = [
    ("status",),
    ("plan",),
    ("tick",),
    ("tick", "--dry-run"),
    ("events", "list"),
    ("events", "show", "{slug}"),
    ("events", "new", "--title", "Seminar", "--when", "2030-01-02"),
    ("events", "translate", "{slug}", "pl"),
    ("subscribers", "list"),
    ("subscribers", "show", "r0@example.org"),
    ("subscribers", "export"),
    ("subscribers", "import", "{people}", "--dry-run"),
    ("editions", "list"),
    ("editions", "show", "{edition}"),
    ("editions", "approve", "{edition}", "--yes"),
    ("editions", "hold", "{edition}"),
    ("editions", "resume", "{edition}"),
    ("editions", "cancel", "{edition}"),
    ("outbox", "list"),
    ("outbox", "show", "{edition}:1"),
    ("outbox", "settle", "{edition}:1", "--resend"),
    ("explain", "E010"),
    ("explain", "--to", "r0@example.org"),
    ("config", "show"),
    ("config", "show", "--origin"),
    ("config", "schema"),
    ("config", "templates", "list"),
    ("hold", "--all", "wait"),
    ("resume",),
    ("preview", "{slug}", "--kind", "announcement", "--out", "{out}"),
    ("send", "{slug}", "--dry-run"),
    ("send", "{slug}", "--test", "office@example.org"),
    ("send", "{slug}", "--yes"),
    (),
    # and what goes wrong
    ("send", "{slug}"),
    ("events", "new"),
    ("fly",),
    ("editions", "show", "nothing"),
    ("explain", "E999"),
    ("subscribers", "import", "nowhere.csv"),
]


@pytest.mark.parametrize("words", ALWAYS, ids=" ".join)
def test_json_is_exactly_one_document_with_the_exit_code(
    relayed: Office, tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())  # no terminal
    file = relayed.tell()
    if "{edition}" in " ".join(words):
        assert relayed.here("tick").code == 0
    names = {
        "slug": file.stem,
        "edition": "announcement/meeting@events.region.example",
        "people": str(relayed.folder / "people.csv"),
        "out": str(tmp_path / "preview"),
    }

    found = document(relayed.here("--output-format", "json", *(w.format(**names) for w in words)))

    assert found["schema"].startswith("notifier/")
    assert "\x1b" not in json.dumps(found)
    for problem in found["problems"]:
        assert set(problem) == {"code", "severity", "file", "line", "column", "length", "text", "fix"}


def test_json_of_failures_that_come_before_the_command(office: Office, tmp_path: Path) -> None:
    json_please = ("--output-format=json",)
    assert document(run(*json_please, "plan", cwd=tmp_path))["exit"] == exits.NO_PROJECT
    assert document(run(*json_please, cwd=tmp_path))["exit"] == exits.NO_PROJECT
    with RunLock(office.state):
        locked = document(office.here(*json_please, "tick"))
    assert locked["exit"] == exits.LOCKED
    assert "another run holds" in locked["problems"][0]["text"]
    office.config.write_text("nonsense")
    broken = document(office.here(*json_please, "tick"))
    assert (broken["exit"], broken["problems"][0]["code"]) == (exits.CONFIG, "E200")
