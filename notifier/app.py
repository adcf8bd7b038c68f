"""Wiring: settings -> App. The only place that looks names up: which store, which transport, which sources."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from notifier.config import Config
from notifier.configfile import credential, problem_at
from notifier.errors import ConfigError, Problem
from notifier.mail.links import Links
from notifier.sources import markdown
from notifier.sources.base import Reading, ReadingSettings
from notifier.store.base import Store
from notifier.transports.base import Transport

#: What `notifier serve` answers; links to anything else are left out of mails.
SERVED = frozenset({"unsubscribe", "event_ics", "feed", "scoped_feed", "atom", "next_ics"})

SCHEMES = frozenset({"smtp", "smtps", "lmtp", "maildir", "memory", "sendmail"})
WAYS_OUT = "write smtp://, smtps://, lmtp://, sendmail: or maildir:FOLDER"


@dataclass
class App:
    """Everything that the jobs need, opened when it is first asked for."""

    config: Config
    environ: Mapping[str, str] = field(default_factory=dict)
    #: What the sources tell now. A rehearsal passes its own, which knows only what was known at the time.
    read: Callable[[], Reading] | None = None
    made_store: Store | None = None
    made_transport: Transport | None = None
    made_keys: Mapping[int, bytes] | None = None

    def reading(self) -> Reading:
        return self.read() if self.read else read(self.config)

    @cached_property
    def store(self) -> Store:
        if self.made_store is not None:
            return self.made_store
        from notifier.store import open_store

        return open_store(self.config.store.url, self.config.state)

    @cached_property
    def transport(self) -> Transport:
        return (
            self.made_transport
            if self.made_transport is not None
            else make_transport(self.config, self.environ)
        )

    @cached_property
    def keys(self) -> Mapping[int, bytes]:
        return self.made_keys if self.made_keys is not None else {1: secret_key(self.config, self.environ)}

    @cached_property
    def links(self) -> Links:
        unsubscribe = self.config.mail.unsubscribe
        return Links(
            base_url=self.config.web.base_url,
            keys=self.keys,
            served=SERVED,
            unsubscribe_address=unsubscribe.address if unsubscribe else "",
        )

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever stored: commands that only look must not make a database."""
        if self.made_store is not None or "store" in self.__dict__:
            return False
        return self.config.store.url.startswith("sqlite") and not database_file(self.config).exists()

    def close(self) -> None:
        if "store" in self.__dict__:
            self.store.close()


def read(config: Config) -> Reading:
    """What the files of the data folder tell."""
    return markdown.read_folder(config.data, ReadingSettings.of(config))


def make_transport(config: Config, environ: Mapping[str, str]) -> Transport:
    """The way out that `[transports] url` names; several relays are tried in their order.

    Raises:
        ConfigError: E204, with what may be written.
    """
    settings = config.transports
    scheme = settings.urls[0].partition(":")[0]
    password = credential(settings.password, environ)
    try:
        if scheme in ("smtp", "smtps", "lmtp"):
            from notifier.transports import smtp

            return smtp.from_url(settings.urls, password=password, tls=settings.tls)
        if scheme == "maildir":
            from notifier.transports import maildir

            return maildir.from_url(settings.urls[0], root=config.root)
        if scheme == "memory":
            from notifier.transports import memory

            return memory.from_url(settings.urls[0])
        if scheme == "sendmail":
            from notifier.transports import sendmail

            return sendmail.from_url(settings.urls[0], root=config.root)
        raise ValueError(WAYS_OUT)
    except ValueError as error:
        raise ConfigError(
            problem_at(config.file, ("transports", "url"), f"transports.url: {error}")
        ) from error


def faults(config: Config) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """(key in config.toml, what is wrong with its value), for names that only this floor knows; imports no backend."""
    for url in config.transports.urls:
        if url.partition(":")[0] not in SCHEMES:
            yield ("transports", "url"), f"transports.url: {WAYS_OUT}"


def database_file(config: Config) -> Path:
    """The file of an SQLite store."""
    return config.state / config.store.url.removeprefix("sqlite:///")


def packaged(name: str) -> Path:
    """A folder or file that travels with the program: from the wheel, or from the checkout."""
    inside = Path(__file__).parent / "_files" / name
    return inside if inside.exists() else Path(__file__).parents[1] / name


def template_folders(config: Config) -> tuple[Path, ...]:
    """Where templates are looked for: the organisation's own first."""
    own = config.templates
    return (
        (own, packaged("templates"))
        if own.is_dir() and own != packaged("templates")
        else (packaged("templates"),)
    )


def secret_key(config: Config, environ: Mapping[str, str]) -> bytes:
    """The key of all links: a credential, or the file that the first run makes (mode 0600, part of every backup)."""
    if config.web.secret_key:
        return credential(config.web.secret_key, environ).encode()
    path = config.state / "secret_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(draft, path)  # whoever comes second keeps the first one's key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    if path.stat().st_mode & 0o077:
        raise ConfigError(
            Problem(
                str(path), 0, 0, "E206", "the key of all links can be read by others", f"chmod 0600 {path}"
            )
        )
    return bytes.fromhex(path.read_text().strip())
