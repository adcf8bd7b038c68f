"""`notifier check`: everything that can be wrong before anything is sent. (First the content; mails and calendars below.)"""

from __future__ import annotations

from notifier.app import read
from notifier.config import Config
from notifier.errors import Problem


def content(config: Config) -> list[Problem]:
    """What is wrong with events, projects, series, notes."""
    return list(read(config).problems)
