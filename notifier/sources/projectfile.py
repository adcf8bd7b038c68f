"""Project and series files: what events belong to, and what they take from there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from notifier.events.event import Project, Series
from notifier.sources import inheritance, translations
from notifier.sources.base import ReadingSettings
from notifier.sources.bodytext import check_body
from notifier.sources.eventfile import Above
from notifier.sources.eventparts import MAX_TITLE, read_language
from notifier.sources.fields import Fields
from notifier.sources.frontmatter import Document
from notifier.sources.inheritance import INHERITED, Inherited
from notifier.sources.translations import Told, Translation

_PROJECT = ("name", "programme", "partners", "web", "funding", "logo", "language", *INHERITED)
_SERIES = ("title", "project", "language", "number", "repeat", *INHERITED)
_UNREADABLE = Above(Inherited(), is_broken=True)


@dataclass(frozen=True)
class ProjectFile:
    project: Project | None
    above: Above


@dataclass(frozen=True)
class SeriesFile:
    series: Series | None
    above: Above


def read_project(
    key: str, document: Document, beside: Sequence[Translation], settings: ReadingSettings
) -> ProjectFile:
    if not document.is_readable:
        return ProjectFile(None, _UNREADABLE)
    top = Fields(document.front, document.findings, _PROJECT, is_top=True)
    language = read_language(top, "language") or settings.languages[0]
    inherited = inheritance.read(top, language, settings)
    if "name" not in top:
        top.missing("name", f"name: {key}")
    told = _told(document, "name", top, key, language, beside)
    values = {
        "key": key,
        "name": told.title,
        "programme": top.text("programme"),
        "partners": top.words("partners"),
        "web": top.link("web"),
        "funding": top.texts("funding", language),
        "logo": top.text("logo"),
        "body": told.body,
        "visibility": inherited.visibility or "public",
    }
    is_broken = _is_broken(document, beside)
    return ProjectFile(
        None if is_broken else Project.model_validate(values), Above(inherited, is_broken=is_broken)
    )


def read_series(
    key: str,
    document: Document,
    beside: Sequence[Translation],
    settings: ReadingSettings,
    projects: Collection[str],
) -> SeriesFile:
    if not document.is_readable:
        return SeriesFile(None, _UNREADABLE)
    top = Fields(document.front, document.findings, _SERIES, is_top=True)
    language = read_language(top, "language") or settings.languages[0]
    inherited = inheritance.read(top, language, settings)
    if "title" not in top:
        top.missing("title", f"title: {key}")
    if "repeat" in top:
        text = '"repeat": recurrence is not read by this version yet; write one file for each date'
        top.findings.add("E018", top.place("repeat"), text, f"remove line {top.place('repeat').line}")
    project = top.key("project", projects, "project")
    told = _told(document, "title", top, key, language, beside)
    values = {
        "key": key,
        "title": told.title,
        "project": project,
        "body": told.body,
        "visibility": inherited.visibility or "",
    }
    is_broken = _is_broken(document, beside)
    return SeriesFile(
        None if is_broken else Series.model_validate(values), Above(inherited, project, is_broken=is_broken)
    )


def _told(
    document: Document, name: str, top: Fields, key: str, language: str, beside: Sequence[Translation]
) -> Told:
    told = Told(title=top.texts(name, language, MAX_TITLE))
    if body := document.body.strip():
        told.body[language] = body
        check_body(document)
    translations.add(told, document.findings, key, language, beside)
    return told


def _is_broken(document: Document, beside: Sequence[Translation]) -> bool:
    return any(each.findings.has_errors for each in (document, *(one.document for one in beside)))
