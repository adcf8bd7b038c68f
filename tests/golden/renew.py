"""The approved samples: every kind in every language, from the real events, as of 1 April 2020.

`python tests/golden/renew.py` writes them anew. Look at the difference before you commit it: these files are what
people get.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from notifier import jobs
from notifier.app import App
from notifier.cli import preview, reading
from notifier.config import Paths
from notifier.configfile import load
from notifier.editions.base import Kind
from notifier.facts import look

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
NOW = datetime(2020, 4, 1, 6, 0, tzinfo=UTC)
KINDS = (Kind.DIGEST, Kind.ANNOUNCEMENT, Kind.REMINDER)
LANGUAGES = ("pl", "en", "de", "bg")
EVENT = "20200428-cohes3ion-calabria@events.region.example"
SUFFIXES = (".html", ".txt", ".eml", ".ics")


def desk() -> jobs.Desk:
    """The example project as it is in the repository, with a key of its own and without a database."""
    config = load(ROOT / "config.toml", {}).config
    config = config.model_copy(update={"paths": Paths(state="build/no-state")})
    app = App(config, made_keys={1: b"k" * 32})
    return jobs.Desk(app, look(app, NOW), jobs.Outcomes())


def made() -> Iterator[tuple[str, bytes]]:
    """(file name, content) of all samples."""
    at = desk()
    for kind in KINDS:
        is_digest = kind is Kind.DIGEST
        edition = (
            preview.digest_now(at, "events", NOW) if is_digest else preview.of_event(at, EVENT, kind, NOW)
        )
        for language in LANGUAGES:
            reader = reading.sample_reader((language,), at.app.config.organisation.sender)
            page = at.press.page(edition, preview.variant_of(at, edition, reader))
            html, text = at.press.filled(page, reader)
            name = f"{kind.value}.{language}"
            yield f"{name}.html", html.encode()
            yield f"{name}.txt", text.encode()
            yield f"{name}.eml", preview.message(at, edition, reader, page)
            for attachment in page.attachments:
                yield f"{name}.ics", attachment.content


def main() -> None:
    for name, content in made():
        (FOLDER / name).write_bytes(content)
        print(name, len(content))


if __name__ == "__main__":
    main()
