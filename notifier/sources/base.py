"""What every source gives, a Reading, and what it needs to know for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from notifier.config import Config
from notifier.errors import Problem
from notifier.events.event import Event, Project, Series, Texts
from notifier.events.span import Span


def _empty() -> Mapping[str, Texts]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Reading:
    """Everything a source told at one time, good and bad.

    An event with an error is absent from `events` and named as `subject` of the problem, so that only the editions
    that would contain it wait. A problem of another file names that file without ending ("projects/smarty",
    "series/smarty-rgi", "notes/events/2020-W16"); events that inherit from a broken one are broken too.
    `notes` maps "newsletter/slot" to the officer's word in each language (Markdown).
    """

    events: tuple[Event, ...] = ()
    problems: tuple[Problem, ...] = ()
    projects: Mapping[str, Project] = field(default_factory=dict)
    series: Mapping[str, Series] = field(default_factory=dict)
    notes: Mapping[str, Texts] = field(default_factory=_empty)
    #: Slugs of the events that could not be read.
    broken: tuple[str, ...] = ()
    #: Their days as far as they could be read: slug -> span; which editions to hold back.
    broken_spans: Mapping[str, Span] = field(default_factory=dict)


@dataclass(frozen=True)
class ReadingSettings:
    """What the organisation has decided and a file may rely on."""

    languages: tuple[str, ...] = ("en",)  # the first is that of a file which does not say
    timezone: str = "UTC"
    enquiries: str = ""  # the organisation's address for questions, or a name
    topics: tuple[str, ...] = ()  # keys
    regions: tuple[str, ...] = ()  # NUTS codes; none given: any code is taken
    uid_domain: str = "localhost"  # right of the @ in a uid that is proposed
    folder: str = "data"  # written before the path in every problem
    attachments: Mapping[str, int] = field(default_factory=dict)  # path under data/attachments -> bytes
    max_attachment_bytes: int = 25_000_000

    @classmethod
    def of(cls, config: Config) -> ReadingSettings:
        """As config.toml has it; uids are proposed in the domain of the web address, else of the sender."""
        host = urlsplit(config.web.base_url).hostname or ""
        is_local = host == "localhost" or re.fullmatch(r"[\d.:]+", host) is not None
        return cls(
            languages=config.organisation.languages,
            timezone=config.organisation.timezone,
            enquiries=config.organisation.enquiries,
            topics=tuple(config.subscribers.topics),
            regions=config.subscribers.regions,
            uid_domain=config.organisation.sender.rpartition("@")[2] if is_local or not host else host,
            folder=config.paths.data,
        )
