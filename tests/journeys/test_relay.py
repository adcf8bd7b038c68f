"""`tick` as cron calls it, over a real SMTP server on this machine that is well, down, or in a bad mood."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from office import Office, an_office, ids
from smtp_server import FaultServer

from notifier.mail.outbox import EntryState
from notifier.subscribers.subscriber import Standing
from notifier.transports.catchall import CatchAll


def told(folder: Path, url: str, *, people: int = 3, pending: int = 0, config: str = "") -> Office:
    """An office after its baseline, with readers, that has just written a new event."""
    office = an_office(folder, url, config=config)
    office.people(people, pending=pending)
    assert office.here("tick").code == 0
    office.tell()
    return office


def states(office: Office) -> dict[EntryState, int]:
    app = office.app()
    try:
        return {state: n for state, n in app.store.outbox.counts().items() if n}
    finally:
        app.close()


@pytest.fixture
def retries_soon(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    return {"NOTIFIER__TRANSPORTS__RETRY": '["1s", "1s"]'}


def test_a_tick_delivers_to_everybody_who_agreed_and_says_nothing(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = told(tmp_path / "office", server.url, people=3, pending=2)

        ran = office.run("tick")

        assert (ran.code, ran.out, ran.err) == (0, "", "")
        assert sorted(c.recipient for c in server.caught) == [
            "r0@example.org",
            "r1@example.org",
            "r2@example.org",
        ]
        assert len({c.message_id for c in server.caught}) == 3
        for _ in range(2):
            assert office.run("tick") == ran
        assert len(server.caught) == 3


def test_with_the_relay_down_nothing_is_lost_and_all_arrives_when_it_is_up_again(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "first") as server:
        url, port = server.url, int(server.url.rpartition(":")[2])
    office = told(tmp_path / "office", url)

    down = office.run("tick")

    assert down.code == 14
    assert "sending paused" in down.err
    assert len(down.err.splitlines()) <= 12
    assert states(office) == {EntryState.PLANNED: 3}
    with CatchAll(tmp_path / "second", port=port) as server:
        assert office.run("tick").code == 0
        assert len(server.caught) == 3
    assert states(office) == {EntryState.ACCEPTED: 3}


def test_who_is_refused_for_now_is_tried_again_later(tmp_path: Path, retries_soon: dict[str, str]) -> None:
    with FaultServer({"rcpt": b"450 4.2.0 greylisted, come back\r\n"}, only_first=1) as server:
        office = told(tmp_path, server.url)

        refused = office.run("tick", env=retries_soon)

        assert refused.code == 3
        assert "3 recipients" in refused.err
        assert "450 4.2.0 greylisted, come back" in refused.err
        assert "next try" in refused.err
        assert states(office) == {EntryState.DEFERRED: 3}
        time.sleep(1.3)  # 1 s and up to 20 % more
        assert office.run("tick", env=retries_soon).code == 0
        assert server.accepted == 3
    assert states(office) == {EntryState.ACCEPTED: 3}


def test_a_mailbox_that_does_not_exist_is_never_written_to_again(tmp_path: Path) -> None:
    with FaultServer({"rcpt": b"550 5.1.1 user unknown\r\n"}, only_first=1) as server:
        office = told(tmp_path, server.url)

        refused = office.run("tick")

        assert refused.code == 3
        assert "not tried again" in refused.err
        app = office.app()
        assert app.store.subscribers.counts()[Standing.SUPPRESSED] == 3
        app.close()
        office.tell("second", title="Second meeting")
        assert office.run("tick").code == 0
        assert server.accepted == 0


@pytest.mark.parametrize("how", ["cut", "rst"])
def test_what_was_cut_after_its_content_is_in_doubt_and_repeated_once_with_the_same_id(
    tmp_path: Path, how: str
) -> None:
    # Given a server that takes a message and vanishes before it says so
    with FaultServer({"dot": how}, only_first=1) as server:  # type: ignore[dict-item]
        office = told(tmp_path, server.url)

        doubtful = office.run("tick")

        # Then that one is in doubt and the others arrived
        assert doubtful.code == 3
        assert states(office) == {EntryState.UNKNOWN: 1, EntryState.ACCEPTED: 2}
        assert "1, 1 in doubt" in office.here("outbox", "list", "--state", "unknown").out
        # And it is repeated once, with the id it had
        assert office.run("tick").code == 0
        assert states(office) == {EntryState.ACCEPTED: 3}
        seen = ids(server.contents)
        assert len(seen) == 4
        assert len(set(seen)) == 3
        assert seen[0] == seen[3]
        assert office.run("tick").code == 0
        assert len(server.contents) == 4


def test_a_server_that_always_cuts_is_not_fed_for_ever(tmp_path: Path) -> None:
    with FaultServer({"dot": "cut"}) as server:
        office = told(tmp_path, server.url, people=1)
        codes = [office.run("tick").code for _ in range(5)]
        assert len(server.contents) == 3
        assert len(set(ids(server.contents))) == 1
    assert states(office) == {EntryState.UNKNOWN: 1}
    # What stands from before is shown by status, and fails no later run
    assert codes == [3, 3, 3, 0, 0]
    assert "1 unknown" in office.here("status").out


def test_at_most_once_lists_what_is_in_doubt_and_never_repeats_it(tmp_path: Path) -> None:
    with FaultServer({"dot": "cut"}, only_first=1) as server:
        office = told(tmp_path, server.url, people=1)
        once = {"NOTIFIER__EDITIONS__ANNOUNCEMENT__MODE": "at-most-once"}
        assert office.run("tick", env=once).code == 3
        assert office.run("tick", env=once).code == 0
        assert len(server.contents) == 1
        # A person decides
        listed = office.here("--output-format", "json", "outbox", "list", "--state", "unknown").json
        entry = listed["data"]["entries"][0]
        name = f"{entry['edition']}:{entry['position']}"
        assert office.here("outbox", "settle", name, "--resend").code == 0
        assert office.run("tick", env=once).code == 0
        assert len(set(ids(server.contents))) == 1
        assert server.accepted == 1


def test_a_relay_that_wants_a_login_pauses_the_run_and_blames_nobody(tmp_path: Path) -> None:
    with FaultServer({"mail": b"530 5.7.0 authentication required\r\n"}) as server:
        office = told(tmp_path, server.url)
        ran = office.run("tick")
    assert ran.code == 14
    assert "authentication required" in ran.err
    assert states(office) == {EntryState.PLANNED: 3}
