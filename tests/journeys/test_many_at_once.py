"""However many processes tick at once, with the run lock or without it: everybody gets each edition once."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from office import Office, an_office, clean

from notifier.transports.catchall import CatchAll

PEOPLE = 20
PROCESSES = 6
#: The jobs themselves, without the command's lock, in six processes that go off together.
UNLOCKED = f"""\
import os, time
from datetime import UTC, datetime
from pathlib import Path
from notifier import jobs, press, sending
from notifier.app import App
from notifier.configfile import load
from notifier.transports import smtp

config, go = load(Path("config.toml"), {{}}).config, time.monotonic() + 0.5
children = []
for _ in range({PROCESSES}):
    if child := os.fork():
        children.append(child)
        continue
    app = App(config)
    app.store
    while time.monotonic() < go:
        time.sleep(0.0005)
    outcomes, _ = jobs.tick(app, lambda: datetime.now(UTC))
    app.close()
    os._exit(bool(outcomes.stopped))
raise SystemExit(max(os.waitpid(child, 0)[1] for child in children))
"""


def with_news(folder: Path, server: CatchAll) -> Office:
    office = an_office(folder, server.url)
    office.people(PEOPLE)
    assert office.here("tick").code == 0
    office.tell()
    office.tell("other", days=40, title="Other meeting")
    return office


def everybody_got_each_edition_once(server: CatchAll) -> None:
    received = Counter(c.recipient for c in server.caught)
    assert received == {f"r{n}@example.org": 2 for n in range(PEOPLE)}
    assert server.duplicates == 0


def test_six_ticks_at_once_send_each_edition_once_and_those_who_find_the_lock_taken_say_so(
    tmp_path: Path,
) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)

        runs = [office.start("tick") for _ in range(PROCESSES)]
        said = [run.communicate(timeout=120) for run in runs]

        codes = [run.returncode for run in runs]
        assert set(codes) <= {0, 11}
        assert 0 in codes
        for code, (out, err) in zip(codes, said, strict=True):
            assert out == ""
            assert ("another run holds" in err) if code == 11 else err == ""
        assert office.run("tick").code == 0
        everybody_got_each_edition_once(server)


def test_with_wait_all_of_them_get_their_turn(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)
        runs = [office.start("tick", "--wait", "60s") for _ in range(3)]
        assert [(run.communicate(timeout=120), run.returncode) for run in runs] == [(("", ""), 0)] * 3
        everybody_got_each_edition_once(server)


def test_without_the_lock_six_senders_share_the_work_and_send_each_edition_once(tmp_path: Path) -> None:
    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)

        done = subprocess.run(
            [sys.executable, "-c", UNLOCKED],
            cwd=office.folder,
            env=clean(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

        assert (done.returncode, done.stderr) == (0, "")
        assert office.run("tick").code == 0
        everybody_got_each_edition_once(server)


def test_send_leaves_the_work_to_the_run_that_holds_the_lock(tmp_path: Path) -> None:
    from notifier.store.lock import RunLock

    with CatchAll(tmp_path / "caught") as server:
        office = with_news(tmp_path / "office", server)
        slug = next((office.folder / "data/events").rglob("*-meeting.md")).stem
        with RunLock(office.state):
            ran = office.run("send", slug, "--yes")
            assert (ran.code, server.caught) == (0, [])
            assert "stored" in ran.out and "another run holds" in ran.out
        assert office.run("tick").code == 0
        everybody_got_each_edition_once(server)
