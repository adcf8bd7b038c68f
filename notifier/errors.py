"""One root for every error that this package raises on purpose.

NotifierError
  UserError            .problems: list[Problem], shown as file:line:column with the fix; never a traceback
    ConfigError        config.toml
    ContentError       event files, notes, subscribers
    SourceError        an imported file or page
    TemplateError      a template or a message catalogue
  DeliveryError        .temporary .code .enhanced .server: what the other side said
  LinkError            a token that does not open what it was shown for
  WhenError            a date or time that cannot be read; .code .reason .fixes (events/when.py)
  StoreError           the database is missing, locked, damaged, newer, or another host's
    LockedError        another run holds the lock; .host .pid .since
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, order=True)
class Problem:
    """One finding about something a person wrote, with its place and its cure.

    `line` and `column` count from 1 in characters; 0 means that the place is the file as a whole.
    `length` is the number of characters to underline. `source` is the text of the line, where there is one.
    `fix` can be pasted; several lines in it are alternatives.
    """

    file: str
    line: int
    column: int
    code: str
    text: str
    fix: str = ""
    length: int = 1
    severity: Severity = "error"
    source: str = ""
    #: What the problem holds back: an event's slug, a file without ending ("projects/smarty"), or empty for the whole.
    subject: str = ""
    #: The line above `source`, so that a person sees where she is.
    before: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity == "error"


class NotifierError(Exception):
    """The root; catch it to catch everything that this package raises on purpose."""


class UserError(NotifierError):
    """Something a person can mend; all of it at once in `problems`."""

    def __init__(self, problems: Iterable[Problem] | Problem) -> None:
        self.problems: list[Problem] = [problems] if isinstance(problems, Problem) else sorted(problems)
        super().__init__("; ".join(f"{p.file}:{p.line}: {p.code} {p.text}" for p in self.problems))


class ConfigError(UserError):
    """config.toml cannot be used."""


class ContentError(UserError):
    """Events, notes or subscribers cannot be used."""


class SourceError(UserError):
    """An imported file or page cannot be used."""


class TemplateError(UserError):
    """A template or a message catalogue cannot be used."""


class DeliveryError(NotifierError):
    """The other side of the wire, or the way to it, refused the work as a whole.

    `code` is the SMTP reply (0 when there was none), `enhanced` its enhanced status code ("" when there was none).
    """

    def __init__(
        self, text: str, *, temporary: bool, code: int = 0, enhanced: str = "", server: str = ""
    ) -> None:
        self.temporary, self.code, self.enhanced, self.server = temporary, code, enhanced, server
        super().__init__(text)


class LinkError(NotifierError):
    """A token is forged, truncated, of another purpose, or too old (`expired_at`)."""

    def __init__(self, text: str, *, expired_at: datetime | None = None) -> None:
        self.expired_at = expired_at
        super().__init__(text)


class StoreError(NotifierError):
    """The database cannot be used; the text says what to do."""


class LockedError(StoreError):
    """Another run holds the lock."""

    def __init__(self, text: str, *, host: str = "", pid: int = 0, since: str = "") -> None:
        self.host, self.pid, self.since = host, pid, since
        super().__init__(text)
