"""The settings as frozen values; `configfile` reads them from config.toml.

Sections carry the names of the folders of this package, plus organisation, newsletter, paths, alerts and logging.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

MAX_BYTES = 1_000_000
VERSION = 1
#: Keys, and sections with all their keys, that can be written and do nothing yet.
NOT_YET = (
    "organisation.logo",
    "sources",
    "editions.update.horizon",
    "editions.update.approval",
    "editions.update.mode",
    "editions.cancellation",
    "editions.followup",
    "editions.confirm",
    "subscribers.double_opt_in",
    "subscribers.confirm_valid",
    "subscribers.keep_deliveries",
    "subscribers.max_per_day",
    "mail.bounces.mailbox",
    "transports.pipelining",
    "transports.connections",
    "transports.rate",
    "transports.per_domain",
    "store.password",
    "store.backup",
    "web.trusted_proxies",
    "alerts",
)
_DURATION = re.compile(r"(\d+)\s*(s|m|h|d|w|months?)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "month": 30 * 86400, "months": 30 * 86400}
_SIZE = re.compile(r"(\d+)\s*(B|kB|MB)")


def parse_duration(text: object) -> timedelta:
    """`15m 4h 7d 2w` (several may be joined) as a timedelta."""
    if isinstance(text, timedelta):
        return text
    if not isinstance(text, str) or not re.fullmatch(rf"(\s*{_DURATION.pattern}\s*)+", text):
        raise ValueError(f'not a duration: {text!r}; write for example "15m", "4h" or "7d"')
    return timedelta(seconds=sum(int(n) * _UNITS[u] for n, u in _DURATION.findall(text)))


def parse_size(text: object) -> int:
    """`95kB` as a number of bytes (1 kB = 1000 bytes)."""
    if isinstance(text, int):
        return text
    if not isinstance(text, str) or not (found := _SIZE.fullmatch(text.strip())):
        raise ValueError(f'not a size: {text!r}; write for example "95kB"')
    return int(found[1]) * {"B": 1, "kB": 1000, "MB": 1_000_000}[found[2]]


def parse_rate(text: object) -> float:
    """`10/s`, `300/m` or `5000/h` as messages per second."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*/\s*(s|m|h)", text.strip()) if isinstance(text, str) else None
    if not found:
        raise ValueError(f'not a rate: {text!r}; write for example "10/s"')
    return float(found[1]) / {"s": 1, "m": 60, "h": 3600}[found[2]]


def parse_zone(text: object) -> str:
    """An IANA zone name that exists."""
    try:
        if not isinstance(text, str) or ("/" not in text and text != "UTC"):
            raise ValueError  # CET, EST5EDT and the like are no places: their rules are not those of a country
        ZoneInfo(text)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(f'unknown time zone {text!r}; write an IANA name such as "Europe/Warsaw"') from error
    return text


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
Rate = Annotated[float, BeforeValidator(parse_rate)]
Zone = Annotated[str, BeforeValidator(parse_zone)]


def _texts(value: object) -> object:
    return {"": value} if isinstance(value, str) else value


Names = Annotated[dict[str, str], BeforeValidator(_texts)]
"""A text, or a map of languages; a plain text stands under the empty language and serves all."""


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Paths(Section):
    data: str = "data"
    templates: str = "templates"
    state: str = "data/state"


class Organisation(Section):
    name: Names
    sender: str
    postal_address: str
    reply_to: str = ""  # empty: the sender
    languages: tuple[str, ...] = ("en",)
    timezone: Zone = "UTC"
    enquiries: str = ""
    logo: str = ""
    privacy_url: str = ""

    @model_validator(mode="after")
    def _sound(self) -> Organisation:
        if "@" not in self.sender:
            raise ValueError("sender: not a mail address")
        if not self.languages:
            raise ValueError("languages: name at least one")
        return self


class Newsletter(Section):
    name: str = "events"
    title: Names = Field(default_factory=dict)
    projects: tuple[str, ...] = ("*",)
    topics: tuple[str, ...] = ("*",)
    series: tuple[str, ...] = ("*",)
    regions: tuple[str, ...] = ("*",)
    #: cadence (weekly, biweekly, monthly) -> when: "Tue 07:30", "every 2 weeks on Tue at 07:30", "1st Tue at 07:30", "cron: 30 7 * * TUE"
    schedule: dict[str, str] = Field(
        default_factory=lambda: {
            "weekly": "Tue 07:30",
            "biweekly": "every 2 weeks on Tue at 07:30",
            "monthly": "1st Tue at 07:30",
        }
    )
    exceptions: tuple[str, ...] = Field(
        default=(), alias="except"
    )  # days without a digest: "2026-12-24..2027-01-02"


class Events(Section):
    on_invalid: Literal["hold", "skip"] = "hold"
    keep_cancelled: Duration = timedelta(days=30)
    feed_refresh: str = "PT6H"


class Engines(Section):
    type: Literal["local"] = "local"
    tick: Duration = timedelta(seconds=60)
    hold_after: Duration = timedelta(days=1)


class EditionSettings(Section):
    mode: Literal["at-least-once", "at-most-once"] = "at-least-once"
    approval: str = "none"  # none | required | over:N

    @property
    def approval_over(self) -> int | None:
        """More recipients than this need an approval; None: nobody is asked."""
        if self.approval == "none":
            return None
        return int(self.approval.split(":")[1]) if self.approval.startswith("over:") else -1

    @model_validator(mode="after")
    def _approval(self) -> EditionSettings:
        if not re.fullmatch(r"none|required|over:\d+", self.approval):
            raise ValueError('approval: write "none", "required" or "over:500"')
        return self


class FadingSettings(EditionSettings):
    """Kinds that grow stale; the others end with their event or link (spec: delivery, section 6)."""

    useful_until: Duration = timedelta(hours=48)


class DigestSettings(FadingSettings):
    approval: str = "required"
    window: Duration = timedelta(days=60)
    sections: tuple[Literal["changes", "events", "deadlines", "recent"], ...] = (
        "changes",
        "events",
        "deadlines",
        "recent",
    )
    empty: Literal["skip", "send"] = "skip"
    prepare: Duration = timedelta(days=1)
    max_size: Size = 95_000
    recent: Duration = timedelta(days=30)  # how far back "recent" looks


class AnnouncementSettings(FadingSettings):
    approval: str = "required"
    burst: int = 3


class ReminderSettings(EditionSettings):
    before: tuple[Duration, ...] = (timedelta(days=7), timedelta(days=1))
    at: str = "07:30"
    quiet_hours: str = "20:00-07:00"


class UpdateSettings(EditionSettings):
    delay: Duration = timedelta(minutes=15)
    horizon: Duration = timedelta(days=30)
    fields: dict[str, Literal["now", "next-digest", "silent"]] = Field(default_factory=dict)


class FollowupSettings(FadingSettings):
    empty: Literal["skip", "send"] = "skip"


class Editions(Section):
    digest: DigestSettings = DigestSettings()
    announcement: AnnouncementSettings = AnnouncementSettings()
    reminder: ReminderSettings = ReminderSettings()
    update: UpdateSettings = UpdateSettings()
    cancellation: EditionSettings = EditionSettings()
    followup: FollowupSettings = FollowupSettings()
    confirm: EditionSettings = EditionSettings()


class Subscribers(Section):
    double_opt_in: bool = True
    confirm_valid: Duration = timedelta(days=7)
    keep_deliveries: Duration = timedelta(days=390)
    frequencies: tuple[str, ...] = ("each", "weekly", "biweekly", "monthly")
    max_per_day: int = 3
    topics: dict[str, Names] = Field(default_factory=dict)
    regions: tuple[str, ...] = ()


class Unsubscribe(Section):
    address: str


class Bounces(Section):
    address: str
    mailbox: str = ""


class Mail(Section):
    completeness: Literal["warn", "block"] = "warn"
    feedback_id: str = "notifier"
    link_hosts: tuple[str, ...] = ()
    bounces: Bounces | None = None
    unsubscribe: Unsubscribe | None = None

    @model_validator(mode="after")
    def _sender_id(self) -> Mail:
        if not re.fullmatch(r"[A-Za-z0-9-]{5,15}", self.feedback_id):
            raise ValueError("feedback_id: 5 to 15 letters, digits or hyphens")
        return self


class Transports(Section):
    url: str | tuple[str, ...] = "maildir:outbox"
    password: str = ""
    tls: Literal["required", "none"] = "required"
    pipelining: Literal["off", "commands", "full"] = "commands"
    connections: int = 4
    rate: Rate | None = None
    per_domain: dict[str, Rate] = Field(default_factory=dict)
    retry: tuple[Duration, ...] = tuple(parse_duration(d) for d in ("5m", "15m", "1h", "3h", "6h"))

    @property
    def urls(self) -> tuple[str, ...]:
        return (self.url,) if isinstance(self.url, str) else self.url


class Backup(Section):
    every: Duration = timedelta(days=1)
    keep: int = 14


class StoreSettings(Section):
    url: str = "sqlite:///notifier.db"
    password: str = ""
    backup: Backup = Backup()


class Web(Section):
    base_url: str = "http://127.0.0.1:8060"
    listen: str = "127.0.0.1:8060"
    trusted_proxies: tuple[str, ...] = ("127.0.0.1",)
    secret_key: str = ""

    @model_validator(mode="after")
    def _url(self) -> Web:
        if not re.fullmatch(r"https?://[^/\s?#]+(/[^\s?#]*)?", self.base_url):
            raise ValueError("base_url: write https://HOST without query")
        return self


class Logging(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Source(Section):
    type: str
    location: str
    allow_private: tuple[str, ...] = ()


class Alerts(Section):
    mail: tuple[str, ...] = ()
    after: str = "3 failures or 1h"
    ping_url: str = ""
    monthly_report: bool = False


class Config(Section):
    """All settings. `file` is where they came from; relative paths are relative to its folder."""

    file: Path = Path("config.toml")
    config_version: int = VERSION
    organisation: Organisation
    newsletter: tuple[Newsletter, ...] = (Newsletter(),)
    paths: Paths = Paths()
    events: Events = Events()
    engines: Engines = Engines()
    sources: tuple[Source, ...] = ()
    editions: Editions = Editions()
    subscribers: Subscribers = Subscribers()
    mail: Mail = Mail()
    transports: Transports = Transports()
    store: StoreSettings = StoreSettings()
    web: Web = Web()
    logging: Logging = Logging()
    alerts: Alerts = Alerts()

    @property
    def root(self) -> Path:
        return self.file.resolve().parent

    @property
    def data(self) -> Path:
        return self.root / self.paths.data

    @property
    def templates(self) -> Path:
        return self.root / self.paths.templates

    @property
    def state(self) -> Path:
        return self.root / self.paths.state
