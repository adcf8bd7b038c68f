"""The data folder: projects, series, events with their translations, and the officer's notes -> Reading.

`read` is pure and takes the files as a mapping of path to bytes; only `read_folder` touches the disk. All problems of
all files come at once; what is wrong with one event never stops another.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import combinations
from pathlib import Path, PurePosixPath
from stat import S_ISREG

from notifier.errors import Problem
from notifier.events.event import Event, Status, Texts
from notifier.sources import eventfile, projectfile
from notifier.sources.base import Reading, ReadingSettings
from notifier.sources.bodytext import check_body
from notifier.sources.decoding import MAX_FILE_BYTES, decode
from notifier.sources.eventfile import EventFile, Surroundings, proposed_uid
from notifier.sources.findings import WHOLE_FILE, Findings, near
from notifier.sources.frontmatter import Document, Map, parse
from notifier.sources.translations import Translation

_FOLDERS = ("projects", "series", "events", "notes")
_TRANSLATED = re.compile(r"(.{1,200})\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2})")
_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,119}")
_IGNORED = ("README.md", "readme.md")


def read_folder(data: Path, settings: ReadingSettings, *, folders: Sequence[str] = _FOLDERS) -> Reading:
    """Everything under these folders of the data folder; what is not there is empty. Links that leave it are refused (E024)."""
    root = data.resolve()
    files: dict[str, bytes] = {}
    outside: list[str] = []
    for path in (found for folder in folders for found in (data / folder).rglob("*.md")):
        name = path.relative_to(data).as_posix()
        if _is_ignored(name):
            continue
        if not path.resolve().is_relative_to(root):
            outside.append(name)
        elif path.is_file():
            with suppress(FileNotFoundError), path.open("rb") as file:  # gone since it was listed
                files[name] = file.read(MAX_FILE_BYTES + 1)
    reading = read(files, replace(settings, attachments=attachment_sizes(data)))
    return _with(reading, (_leaves(name, settings) for name in outside))


def attachment_sizes(data: Path) -> dict[str, int]:
    """Path under data/attachments -> bytes; -1 for a link that leaves the folder."""
    folder = data / "attachments"
    root = folder.resolve()
    sizes = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # gone since it was listed
            status = path.stat()
            if S_ISREG(status.st_mode):
                is_inside = path.resolve().is_relative_to(root)
                sizes[path.relative_to(folder).as_posix()] = status.st_size if is_inside else -1
    return sizes


def read(files: Mapping[str, bytes], settings: ReadingSettings) -> Reading:
    """The reading of files by their path in the data folder ("events/2020/2020-07-14-smarty-rgi-2.md")."""
    shelves = {folder: _Shelf() for folder in _FOLDERS}
    for path in sorted(files):
        folder, _, _ = path.partition("/")
        if folder in shelves and path.endswith(".md") and not _is_ignored(path):
            shelves[folder].put(path, files[path], settings)
    projects = {
        key: projectfile.read_project(key, shelves["projects"].originals[key], beside, settings)
        for key, beside in shelves["projects"].with_translations()
    }
    series = {
        key: projectfile.read_series(key, shelves["series"].originals[key], beside, settings, projects)
        for key, beside in shelves["series"].with_translations()
    }
    events = shelves["events"]
    around = Surroundings(
        settings,
        {key: each.above for key, each in projects.items()},
        {key: each.above for key, each in series.items()},
        tuple(events.originals),
    )
    read_events = [
        eventfile.read(slug, events.originals[slug], beside, around)
        for slug, beside in events.with_translations()
    ]
    _check_uids(read_events, settings)
    _check_days(read_events)
    notes, note_findings = _notes(shelves["notes"], settings.languages[0])
    problems = [p for shelf in shelves.values() for each in shelf.findings() for p in each.problems]
    problems += [problem for each in note_findings for problem in each.problems]
    unnamed = [each.subject for each in events.others]
    return _reading(read_events, unnamed, problems, notes, projects, series)


def _reading(
    read_events: Sequence[EventFile],
    unnamed: Sequence[str],
    problems: Iterable[Problem],
    notes: Mapping[str, Texts],
    projects: Mapping[str, projectfile.ProjectFile],
    series: Mapping[str, projectfile.SeriesFile],
) -> Reading:
    problems = tuple(sorted(problems))
    held = {problem.subject for problem in problems if problem.is_error}
    good = [each.event for each in read_events if each.event and each.slug not in held]
    bad = [each for each in read_events if not each.event or each.slug in held]
    return Reading(
        events=tuple(sorted(good, key=lambda event: (event.span.first, event.slug))),
        problems=problems,
        projects={key: each.project for key, each in projects.items() if each.project},
        series={key: each.series for key, each in series.items() if each.series},
        notes=notes,
        broken=tuple(dict.fromkeys((*(each.slug for each in bad), *unnamed))),
        broken_spans={each.slug: each.span for each in bad if each.span},
    )


@dataclass
class _Shelf:
    """The files of one folder: originals by key, translations by key, and what belongs to none."""

    originals: dict[str, Document] = field(default_factory=dict)
    translations: dict[str, list[Translation]] = field(default_factory=lambda: defaultdict(list))
    notes: list[tuple[str, bytes, Findings]] = field(default_factory=list)
    others: list[Findings] = field(default_factory=list)

    def put(self, path: str, content: bytes, settings: ReadingSettings) -> None:
        shown = f"{settings.folder}/{path}"
        folder, name = path.split("/", 1)
        stem = PurePosixPath(path).stem
        if folder == "notes":
            self.notes.append(
                (name.removesuffix(".md"), content, Findings(shown, subject=path.removesuffix(".md")))
            )
            return
        translated = _TRANSLATED.fullmatch(stem)
        key = translated[1] if translated else stem
        subject = key if folder == "events" else f"{folder}/{key}"
        document = parse(shown, content, subject)
        if not _SLUG.fullmatch(key):
            text = "the file name must be made of letters a-z, digits, hyphens and underscores"
            document.findings.add("E009", WHOLE_FILE, text)
            self.others.append(document.findings)
        elif translated:
            self.translations[key].append(Translation(translated[2], document))
        elif key in self.originals:
            text = (
                f"the file name is also that of {self.originals[key].findings.file}: links would lead to both"
            )
            document.findings.add("E030", WHOLE_FILE, text)
            self.others.append(document.findings)
        else:
            self.originals[key] = document

    def with_translations(self) -> Iterable[tuple[str, Sequence[Translation]]]:
        return [(key, self.translations.get(key, ())) for key in self.originals]

    def findings(self) -> Iterable[Findings]:
        """Of every file; a translation without an original is told here."""
        for key, translations in self.translations.items():
            for translation in translations:
                if key not in self.originals:
                    close = near(key, self.originals)
                    text = f"translates {key}.md, which is not there"
                    fixes = [f"rename to {name}.{translation.language}.md" for name in close]
                    translation.document.findings.add("E020", WHOLE_FILE, text, fixes)
                yield translation.document.findings
        yield from (document.findings for document in self.originals.values())
        yield from self.others


def _check_uids(read_events: Sequence[EventFile], settings: ReadingSettings) -> None:
    """E030 for a uid that two files have; the one that it was made for keeps it."""
    by_uid: dict[str, list[EventFile]] = defaultdict(list)
    for each in read_events:
        if each.uid:
            by_uid[each.uid].append(each)
    for uid, owners in by_uid.items():
        if len(owners) == 1:
            continue
        for each in owners:
            proposed = proposed_uid(each.slug, each.span, settings)
            other = next(owner for owner in owners if owner is not each)
            if proposed.partition("@")[0] != uid.partition("@")[0]:
                text = f"uid also in {other.document.findings.file}:{other.uid_place.line}"
                each.document.findings.add("E030", each.uid_place, text, f"uid: {proposed}")


def _check_days(read_events: Sequence[EventFile]) -> None:
    """W106: two meetings of a project on the same day."""
    by_project: dict[str, list[tuple[Event, EventFile]]] = defaultdict(list)
    for each in read_events:
        if (
            each.event
            and each.event.project
            and each.event.status not in (Status.CANCELLED, Status.POSTPONED)
        ):
            by_project[each.event.project].append((each.event, each))
    for project, same in by_project.items():
        same.sort(key=lambda pair: (pair[0].span.first, pair[0].slug))
        for (one, _), (two, file) in combinations(same, 2):
            is_month = one.span.is_month or two.span.is_month
            if not is_month and one.span.first <= two.span.last and two.span.first <= one.span.last:
                node = file.document.front.get("when") or file.document.front
                file.document.findings.warn("W106", node, f"same day as {one.slug} of the project {project}")


def _notes(shelf: _Shelf, language_of_all: str) -> tuple[dict[str, Texts], list[Findings]]:
    notes: dict[str, dict[str, str]] = defaultdict(dict)
    for name, content, findings in shelf.notes:
        text = decode(content, findings)
        translated = _TRANSLATED.fullmatch(name)
        key, language = (translated[1], translated[2]) if translated else (name, language_of_all)
        check_body(Document(Map(1, 1, 1), text, 1, findings))
        if text.strip():
            notes[key][language] = text.strip()
    return dict(notes), [findings for _, _, findings in shelf.notes]


def _is_ignored(path: str) -> bool:
    parts = path.split("/")
    is_of_an_editor = parts[-1].startswith("#")  # it keeps there what is not saved yet
    return parts[-1] in _IGNORED or is_of_an_editor or any(part.startswith(".") for part in parts)


def _leaves(name: str, settings: ReadingSettings) -> Problem:
    slug = _TRANSLATED.sub(r"\1", PurePosixPath(name).stem)
    text = f"path leaves the data folder: {settings.folder}/{name} is a link out of it"
    return Problem(f"{settings.folder}/{name}", 0, 0, "E024", text, subject=slug)


def _with(reading: Reading, problems: Iterable[Problem]) -> Reading:
    more = tuple(problems)
    if not more:
        return reading
    broken = tuple(dict.fromkeys((*reading.broken, *(problem.subject for problem in more))))
    return replace(reading, problems=tuple(sorted(reading.problems + more)), broken=broken)
