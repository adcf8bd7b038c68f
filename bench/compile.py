"""What a page costs to compile, and a message to fill: digests of 1, 20 and 60 events."""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bench import report

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


def main() -> None:
    """Five rounds each, in CPU time of this process."""
    from makers import a_config, a_snapshot, a_span, a_subscriber, an_event

    from notifier.app import App
    from notifier.editions.base import Edition, Kind, mention
    from notifier.facts import Facts
    from notifier.mail.outbox import Entry
    from notifier.press import Press
    from notifier.sources.base import Reading
    from notifier.subscribers.subscriber import Variant

    rows: list[tuple[str, list[float], str]] = []
    with tempfile.TemporaryDirectory() as folder:
        app = App(a_config(Path(folder)), made_keys={1: b"k" * 32})
        for count in (1, 20, 60):
            first = an_event().span.first
            events = [
                an_event(
                    f"e{n}",
                    title={"en": f"Meeting {n}", "pl": f"Spotkanie {n}"},
                    span=a_span(str(first + timedelta(days=n))),
                )
                for n in range(count)
            ]
            snapshots = {e.uid: a_snapshot(e) for e in events}
            now = a_snapshot().revised_at
            edition = Edition(
                "digest/events/bench",
                Kind.DIGEST,
                "events",
                now,
                now + timedelta(days=2),
                tuple(mention(s) for s in snapshots.values()),
                date=now,
            )
            compiled: list[float] = []
            filled: list[float] = []
            for round_ in range(5):
                facts = Facts(snapshots, Reading())
                press = Press(app.config, app.links, facts.reading, facts.snapshots)
                press.templates._blocks.clear()
                variant = Variant(("pl", "en", "de", "bg"), tuple(snapshots), f"v{round_}")
                begin = time.process_time()
                page = press.page(edition, variant)
                compiled.append((time.process_time() - begin) * 1000)
                raw, reader = page.dumps(), a_subscriber()
                entry = Entry(edition.key, 1, 1, 1, variant.key)
                press.prepare(edition, entry, raw)
                begin = time.process_time()
                for position in range(200):
                    press.message(edition, replace(entry, position=position), reader)
                filled.append((time.process_time() - begin) / 200 * 1e6)
            rows += [
                (f"compile a digest of {count}", compiled, "ms"),
                (f"fill a message of {count}", filled, "us"),
            ]
    report("compile", rows)


if __name__ == "__main__":
    main()
