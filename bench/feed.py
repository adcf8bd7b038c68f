"""What the feed of 10,000 events costs: from kept entries, from scratch, and when the client has it."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, MutableMapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench import report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

EVENTS, ROUNDS, ASKED = 10_000, 7, 50


def main() -> None:
    """In CPU time of this process; the store is read once before, where nothing else is said."""
    from makers import a_config, a_snapshot, a_span, an_event

    from notifier.app import App
    from notifier.events import calendar
    from notifier.press import calendar_settings, content_languages
    from notifier.web import site
    from notifier.web.documents import document

    first, now = an_event().span.first, a_snapshot().revised_at
    snapshots = [
        a_snapshot(
            an_event(
                f"e{n}",
                title={"en": f"Meeting {n} of clusters", "pl": f"Spotkanie {n} klastrów"},
                summary={"pl": "Potrzeby klastrów w regionie i w Europie, i o tym, co dalej."},
                body={"pl": "Klastry z dwóch regionów porównują, czego się nauczyły. " * 12},
                topics=("clusters", "sme"),
                span=_span(a_span, str(first + timedelta(days=n % 650)), is_timed=bool(n % 2)),
            )
        )
        for n in range(EVENTS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        app = App(a_config(Path(folder)), made_keys={1: b"k" * 32})
        settings, order = calendar_settings(app.config, app.links), content_languages(app.config, "pl")

        def made_anew() -> bytes:
            return calendar.feed(snapshots, order, settings=settings, now=now)

        shown = calendar.in_window(snapshots, now=now, settings=settings)
        vevents = [calendar.vevent_bytes(snapshot, order, settings) for snapshot in shown]
        raw = made_anew()
        assert len(shown) == EVENTS
        assert calendar.feed_of(vevents, order, settings=settings) == raw
        rows = [
            (
                f"feed of {EVENTS:,} from kept entries (goal 20)",
                _timed(lambda: calendar.feed_of(vevents, order, settings=settings)),
                "ms",
            ),
            (
                "which of them are shown today, and in what order",
                _timed(lambda: calendar.in_window(snapshots, now=now, settings=settings)),
                "ms",
            ),
            (f"feed of {EVENTS:,} from scratch (goal 1000)", _timed(made_anew), "ms"),
            (
                f"validators and gzip of its {len(raw) / 1e6:.1f} MB",
                _timed(lambda: document(raw, "", "")),
                "ms",
            ),
        ]
        app.store.events.publish(snapshots)
        asked = _Client(site.make(app, lambda: now), "/feed/pl/all.ics")
        first_answer = _once(asked.ask)
        validators = [(b"if-none-match", asked.answered[b"etag"])]
        rows += [
            (f"first answer after a start, {EVENTS:,} events read from the store", [first_answer], "ms"),
            ("the same bytes asked for again", _timed(asked.ask), "ms"),
            (
                "answer 304 (goal 5)",
                [each / ASKED for each in _timed(lambda: asked.ask(validators, ASKED))],
                "ms",
            ),
        ]
        assert asked.status == 304
        app.close()
    report("feed", rows)


class _Client:
    """Asks the site in process, without a client library's own time."""

    def __init__(self, app: Any, path: str) -> None:
        self.app, self.path = app, path
        self.status, self.answered = 0, dict[bytes, bytes]()

    def ask(self, headers: list[tuple[bytes, bytes]] | None = None, times: int = 1) -> None:
        asyncio.run(self._ask([(b"host", b"events.region.example"), *(headers or ())], times))

    async def _ask(self, headers: list[tuple[bytes, bytes]], times: int) -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.status, self.answered = message["status"], dict(message["headers"])

        for _ in range(times):
            scope = {
                "type": "http",
                "http_version": "1.1",
                "method": "GET",
                "scheme": "https",
                "path": self.path,
                "raw_path": self.path.encode(),
                "query_string": b"",
                "headers": headers,
            }
            await self.app(scope, receive, send)


def _span(make: Callable[..., Any], day: str, *, is_timed: bool) -> Any:
    return make(day, at="10:00", until="12:30") if is_timed else make(day)


def _timed(act: Callable[[], object]) -> list[float]:
    return [_once(act) for _ in range(ROUNDS)]


def _once(act: Callable[[], object]) -> float:
    begin = time.process_time()
    act()
    return (time.process_time() - begin) * 1000


if __name__ == "__main__":
    main()
