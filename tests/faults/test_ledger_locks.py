"""Proof of life and the run lock: what the kernel frees, and what it does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from notifier.errors import LockedError
from notifier.store import senders
from notifier.store.lock import RunLock
from notifier.store.senders import Sender

NOW = datetime(2020, 4, 21, 6, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


def child(program: str, state: Path) -> subprocess.Popen[str]:
    """A process that has said a line and then sleeps."""
    begin = "import sys, time; from datetime import *; from pathlib import Path; state = Path(sys.argv[1])\n"
    started = subprocess.Popen(
        [sys.executable, "-c", f"{begin}{program}\nprint('up', flush=True); time.sleep(60)", str(state)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
    )
    assert started.stdout and started.stdout.readline() == "up\n"
    return started


def kill(process: subprocess.Popen[str]) -> None:
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


# Senders


def test_a_sender_lives_until_it_is_closed(tmp_path: Path) -> None:
    with Sender(tmp_path, NOW) as first, Sender(tmp_path, NOW) as second:
        assert senders.alive(tmp_path, NOW) == dict.fromkeys([first.token, second.token], True)
        second.close()
        assert senders.alive(tmp_path, NOW) == {first.token: True}

    assert senders.alive(tmp_path, NOW) == {}
    assert list((tmp_path / "senders").iterdir()) == []


def test_a_killed_sender_is_dead_at_once_and_stays_named_until_buried(tmp_path: Path) -> None:
    process = child(
        "from notifier.store.senders import Sender; s = Sender(state, datetime.now(UTC))", tmp_path
    )
    (token,) = senders.alive(tmp_path, NOW)
    senders.bury(tmp_path, [token])
    assert senders.alive(tmp_path, NOW) == {token: True}  # the living are not buried

    kill(process)

    assert senders.alive(tmp_path, NOW) == {token: False}
    senders.bury(tmp_path, [token, "somebody else"])
    assert senders.alive(tmp_path, NOW) == {}


def test_asking_does_not_kill(tmp_path: Path) -> None:
    with Sender(tmp_path, NOW) as sender:
        for _ in range(3):
            assert senders.alive(tmp_path, NOW) == {sender.token: True}


def test_a_sender_without_a_file_is_dead_if_the_ledger_names_it(tmp_path: Path) -> None:
    assert senders.alive(tmp_path, NOW, of=["gone"]) == {"gone": False}


def test_a_sender_that_is_being_born_is_not_seen(tmp_path: Path) -> None:
    with Sender(tmp_path, NOW) as sender:
        (tmp_path / "senders" / ".draft").touch()

        assert list(senders.alive(tmp_path, NOW)) == [sender.token]


def test_a_sender_of_another_host_lives_until_its_grace_is_over(tmp_path: Path) -> None:
    with Sender(tmp_path, NOW):
        pass
    path = tmp_path / "senders" / "elsewhere"
    path.write_text(json.dumps({"host": "another", "pid": 1, "since": NOW.isoformat()}))
    os.utime(path, (NOW.timestamp(), NOW.timestamp()))

    minutes = {m: senders.alive(tmp_path, NOW + timedelta(minutes=m))["elsewhere"] for m in (0, 9, 10)}

    assert minutes == {0: True, 9: True, 10: False}
    assert not senders.alive(tmp_path, NOW, host_grace=timedelta(0))["elsewhere"]


def test_a_beat_renews_the_sign_for_other_hosts(tmp_path: Path) -> None:
    with Sender(tmp_path, NOW) as sender:
        sender.beat(NOW + timedelta(hours=1))

        assert (tmp_path / "senders" / sender.token).stat().st_mtime == (NOW + timedelta(hours=1)).timestamp()


def test_a_torn_file_of_a_dead_sender_is_dead(tmp_path: Path) -> None:
    (tmp_path / "senders").mkdir()
    (tmp_path / "senders" / "torn").write_text('{"ho')

    assert senders.alive(tmp_path, NOW) == {"torn": False}


def test_only_the_owner_may_read_the_signs(tmp_path: Path) -> None:
    with Sender(tmp_path / "state", NOW) as sender:
        folder = tmp_path / "state" / "senders"

        assert folder.stat().st_mode & 0o777 == 0o700
        assert (folder / sender.token).stat().st_mode & 0o777 == 0o600
        assert json.loads((folder / sender.token).read_text())["pid"] == os.getpid()


# The run lock


def test_a_second_run_is_told_who_holds_the_lock(tmp_path: Path) -> None:
    process = child(
        "from notifier.store.lock import RunLock; RunLock.x = RunLock(state); RunLock.x.acquire()", tmp_path
    )

    with pytest.raises(
        LockedError, match=rf"another run holds .*notifier\.lock: process {process.pid} on "
    ) as caught:
        RunLock(tmp_path).acquire()

    assert caught.value.pid == process.pid and caught.value.host
    age = datetime.now(UTC) - datetime.fromisoformat(caught.value.since)
    assert timedelta(seconds=-2) < age < timedelta(minutes=5)
    kill(process)
    RunLock(tmp_path).acquire()  # a crash frees it at once


def test_the_lock_is_free_after_release_and_can_be_taken_again(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path), RunLock(tmp_path)
    for lock in (first, second, first):
        lock.acquire()
        lock.acquire()  # again is nothing
        lock.release()
        lock.release()

    with first, pytest.raises(LockedError):
        second.acquire()


def test_waiting_gets_the_lock_when_the_other_lets_go(tmp_path: Path) -> None:
    first, second = RunLock(tmp_path), RunLock(tmp_path)
    first.acquire()
    threading.Timer(0.2, first.release).start()

    second.acquire(wait_s=30)

    with pytest.raises(LockedError):
        first.acquire()
    second.release()


def test_waiting_ends(tmp_path: Path) -> None:
    with RunLock(tmp_path):
        began = time.monotonic()
        with pytest.raises(LockedError):
            RunLock(tmp_path).acquire(wait_s=0.3)
        assert time.monotonic() - began >= 0.3


def test_a_lock_that_is_not_signed_yet_is_a_lock(tmp_path: Path) -> None:
    with RunLock(tmp_path):
        (tmp_path / "notifier.lock").write_text("")

        with pytest.raises(LockedError, match="another process"):
            RunLock(tmp_path).acquire()


def test_the_lock_and_the_signs_cost_no_database_library() -> None:
    program = (
        "import sys, notifier.store.lock, notifier.store.senders, notifier.store;"
        "print([m for m in ('sqlalchemy', 'pydantic', 'sqlite3') if m in sys.modules])"
    )

    said = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert said.stdout == "[]\n"
