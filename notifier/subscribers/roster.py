"""subscribers.csv <-> subscribers: for import and export; what runs the mail never reads it (spec: content, section 9)."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TypeVar

from notifier.config import Config
from notifier.errors import ContentError, Problem
from notifier.subscribers import cells, sheet
from notifier.subscribers.address import normalise
from notifier.subscribers.headings import COLUMNS, column_of
from notifier.subscribers.subscriber import EVERYTHING, KINDS, Consent, Standing, Subscriber

FILE = "subscribers.csv"

T = TypeVar("T")


@dataclass(frozen=True)
class Roster:
    """What a file tells: the rows that can be used, and what is wrong with the others.

    Subscribers come without `id` and `public_id`: the store gives both.
    """

    subscribers: tuple[Subscriber, ...]
    problems: tuple[Problem, ...] = ()
    encoding: str = "utf-8"
    separator: str = ";"


def read(
    raw: bytes,
    settings: Config,
    *,
    projects: Collection[str] | None = None,
    series: Collection[str] | None = None,
    accept_consent: bool = False,
    file: str = FILE,
) -> Roster:
    """The subscribers of a CSV file, in its order.

    `projects` and `series` are the keys that exist; None leaves them unchecked. A row is confirmed only with all four
    consent fields and `accept_consent`; else it is pending, and silent. A row with an error is left out and told in
    `problems`, addressed by the line it starts on and the number of its column.
    """
    try:
        found = sheet.read(raw, file)
        columns = _columns(found.header, file)
    except ContentError as error:
        return Roster((), tuple(error.problems))
    known = _Known(
        newsletters=[n.name for n in settings.newsletter],
        topics=settings.subscribers.topics,
        regions=settings.subscribers.regions or None,
        projects=projects,
        series=series,
        frequencies=settings.subscribers.frequencies,
        language=settings.organisation.languages[0],
    )
    reading = _Reading(file, columns, len(found.header.cells), known, accept_consent=accept_consent)
    subscribers = tuple(s for row in found.rows if (s := reading.subscriber(row)))
    problems = (*_unread_columns(found.header, columns, file), *reading.problems)
    return Roster(subscribers, tuple(sorted(problems)), found.encoding, found.separator)


def write(subscribers: Iterable[Subscriber], *, is_raw: bool = False) -> bytes:
    """The same columns; `read(write(s), accept_consent=True)` gives the confirmed and the pending ones again.

    Who left or is suppressed is left out: no column says so, and a fresh store would take them for willing readers.
    `is_raw` is `sheet.write`'s.
    """
    rows = (_cells(s) for s in subscribers if s.standing in (Standing.CONFIRMED, Standing.PENDING))
    return sheet.write((COLUMNS, *rows), is_raw=is_raw)


def _columns(header: sheet.Row, file: str) -> dict[str, int]:
    """column -> its place in a row, from 0."""
    columns: dict[str, int] = {}
    problems = []
    for place, heading in enumerate(header.cells):
        name = column_of(heading)
        if name in columns:
            text = f'"{heading}" is given twice, first as column {columns[name] + 1}'
            problems.append(Problem(file, header.line, place + 1, "E006", text))
        elif name:
            columns[name] = place
    if "email" not in columns:
        problems.append(
            Problem(
                file,
                header.line,
                1,
                "E403",
                'the column "email" is missing',
                "email;" + ";".join(header.cells),
            )
        )
    if problems:
        raise ContentError(problems)
    return columns


def _unread_columns(header: sheet.Row, columns: Mapping[str, int], file: str) -> Iterator[Problem]:
    for place, heading in enumerate(header.cells):
        if heading and place not in columns.values():
            near = difflib.get_close_matches(heading.casefold(), COLUMNS, 1)
            text, fix = f'unknown column "{heading}" is not read', f"did you mean {near[0]}" if near else ""
            yield Problem(file, header.line, place + 1, "E002", text, fix, severity="warning")


@dataclass(frozen=True)
class _Known:
    """What may be chosen, and what is chosen by an empty cell; None: not known here, so any key goes."""

    newsletters: Collection[str]
    topics: Collection[str]
    regions: Collection[str] | None
    projects: Collection[str] | None
    series: Collection[str] | None
    frequencies: Collection[str]
    language: str


class _Reading:
    """The rows of one file, one after the other; what is wrong gathers in `problems`."""

    def __init__(
        self, file: str, columns: Mapping[str, int], width: int, known: _Known, *, accept_consent: bool
    ) -> None:
        self._file, self._columns, self._width, self._known = file, columns, width, known
        self._accept_consent = accept_consent
        self._lines: dict[str, int] = {}  # normalised address -> line of its first row
        self.problems: list[Problem] = []

    def subscriber(self, row: sheet.Row) -> Subscriber | None:
        """The subscriber of a row; None if something is wrong with it."""
        before, known = len(self.problems), self._known
        if any(row.cells[self._width :]):
            self._add(row, self._width, "E405", f"{len(row.cells)} cells under {self._width} headings")
        email, address = self._address(row)
        consent = self._consent(row)
        found = Subscriber(
            email=email,
            address=address,
            name=self._text(row, "name"),
            languages=self._get(row, "languages", cells.languages, (known.language,)),
            newsletters=self._keys(row, "newsletters", "newsletter", known.newsletters),
            projects=self._keys(row, "projects", "project", known.projects),
            series=self._keys(row, "series", "series", known.series),
            topics=self._keys(row, "topics", "topic", known.topics),
            regions=self._get(row, "regions", lambda cell: cells.regions(cell, known.regions), EVERYTHING),
            frequency=self._get(row, "frequency", self._frequency, "biweekly"),
            kinds=self._get(row, "kinds", cells.kinds, KINDS),
            timezone=self._get(row, "timezone", cells.zone, ""),
            country=self._get(row, "country", cells.country, ""),
            groups=tuple(dict.fromkeys(self._text(row, "groups").split())),
            wants_invitations=self._get(row, "invitations", cells.yes_or_no, False),
            standing=Standing.CONFIRMED if consent and self._accept_consent else Standing.PENDING,
            consent=consent,
        )
        return found if len(self.problems) == before else None

    def _address(self, row: sheet.Row) -> tuple[str, str]:
        try:
            found = normalise(self._text(row, "email"))
        except ValueError as error:
            self._add(row, self._columns["email"], "E408", f"address invalid: {error}")
            return "", ""
        first = self._lines.setdefault(found.normalised, row.line)
        if first != row.line:
            self._add(row, self._columns["email"], "E404", f"the row repeats row {first}")
        return found.typed, found.normalised

    def _consent(self, row: sheet.Row) -> Consent | None:
        at = self._get(row, "consent_at", cells.moment, None)
        basis, source, text = (
            self._text(row, column) for column in ("consent_basis", "consent_source", "consent_text")
        )
        return Consent(at, basis, source, text) if at and basis and source and text else None

    def _keys(self, row: sheet.Row, column: str, word: str, known: Collection[str] | None) -> tuple[str, ...]:
        return self._get(row, column, lambda cell: cells.keys(cell, word, known), EVERYTHING)

    def _frequency(self, cell: str) -> str:
        return cells.one_of(cell, self._known.frequencies, "frequency")

    def _get(self, row: sheet.Row, column: str, reader: Callable[[str], T], default: T) -> T:
        cell = self._text(row, column)
        try:
            return reader(cell) if cell else default
        except cells.CellError as error:
            self._add(row, self._columns[column], error.code, f"{column}: {error}", error.fix)
            return default

    def _text(self, row: sheet.Row, column: str) -> str:
        place = self._columns.get(column, len(row.cells))
        return row.cells[place] if place < len(row.cells) else ""

    def _add(self, row: sheet.Row, place: int, code: str, text: str, fix: str = "") -> None:
        self.problems.append(Problem(self._file, row.line, place + 1, code, text, fix))


def _cells(subscriber: Subscriber) -> tuple[str, ...]:
    """In the order of COLUMNS."""
    consent = subscriber.consent
    return (
        subscriber.email,
        subscriber.name,
        " ".join(subscriber.languages),
        *(
            " ".join(chosen) or cells.NOTHING
            for chosen in (
                subscriber.newsletters,
                subscriber.projects,
                subscriber.series,
                subscriber.topics,
                subscriber.regions,
            )
        ),
        subscriber.frequency,
        " ".join(subscriber.kinds) or cells.NOTHING,
        subscriber.timezone,
        subscriber.country,
        " ".join(subscriber.groups),
        "yes" if subscriber.wants_invitations else "no",
        *((_written(consent.at), consent.basis, consent.source, consent.text) if consent else ("",) * 4),
    )


def _written(at: datetime) -> str:
    """A day where it was read from one, else the instant in UTC."""
    instant = at.astimezone(UTC)
    return f"{instant:%Y-%m-%d}" if instant.time() == time(0) else instant.isoformat()
