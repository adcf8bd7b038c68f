"""`notifier check`: everything that can be wrong before anything is sent, and what a program may mend by itself."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from notifier import check
from notifier.cli import answer, exits, frames
from notifier.cli.project import Project, opened
from notifier.errors import Problem
from notifier.sources import mending


@click.command(
    epilog=exits.epilog(
        exits.FINDINGS,
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.UNREACHABLE,
        examples=("notifier check", "notifier check data/events/2020 --ignore W101 --strict"),
    )
)
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path), metavar="[PATH…]")
@click.option("--fix", is_flag=True, help="Mend what is certain: encoding, missing uids, start and end.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--strict", is_flag=True, help="Warnings are findings as well.")
@click.option(
    "--select", multiple=True, metavar="CODE", help="Only these codes, or all that begin so (E, M2)."
)
@click.option("--ignore", multiple=True, metavar="CODE", help="Not these codes, or none that begins so.")
@click.option("--language", metavar="LANG", help="Compose mails in this language only.")
@click.option(
    "--output-format", "form", type=click.Choice(["text", "json", "github"]), help="github: annotations."
)
@click.pass_obj
def command(
    shared: dict[str, Any],
    paths: tuple[Path, ...],
    fix: bool,
    diff: bool,
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    language: str | None,
    form: str | None,
) -> int:
    """Look at the settings, the events, templates, catalogues and calendar files, and compose a sample of every mail.

    With PATHs only what is wrong there is told. Without errors the exit code is 0; warnings count with --strict.
    """
    shared = shared | ({"output_format": form} if form else {})
    with opened(shared) as project:
        if language and language not in project.config.organisation.languages:
            known = ", ".join(project.config.organisation.languages)
            raise click.BadParameter(
                f'"{language}" is not among the languages {known}', param_hint="--language"
            )
        mended = list(_mended(project, paths)) if fix or diff else []
        if diff:
            return _show(shared, mended)
        for file in mended:
            file.write()
        found = check.run(project.app, project.now, language=language)
        problems = [p for p in found.problems if _is_asked_for(p, project, paths, select, ignore)]
        is_bad = any(p.is_error or strict for p in problems)
        lines = [f"mended {file.shown}" for file in mended]
        lines += _more(found) if project.verbose else []
        lines.append(frames.summary(problems, found.events, found.held))
        code = exits.FINDINGS if is_bad else exits.DONE
        if shared["output_format"] == "github":
            click.echo("\n".join([*map(_annotation, problems), lines[-1]]))
            return code
        data = {
            "summary": lines[-1],
            "events": found.events,
            "held": found.held,
            "composed": found.composed,
            "matrix": found.matrix,
            "notes": found.notes,
            "mended": [file.shown for file in mended],
        }
        return answer.give(shared, "check", data, lines, problems=problems, code=code)


@dataclass(frozen=True)
class Mended:
    """A file as it is, and as --fix would write it."""

    path: Path
    shown: str  # as problems name it
    before: bytes
    after: bytes

    def write(self) -> None:
        """All or nothing: a crash leaves the old file."""
        draft = self.path.with_name(f".{self.path.name}.mended")
        draft.write_bytes(self.after)
        draft.replace(self.path)

    def diff(self) -> str:
        old, new = (
            part.decode("utf-8", "replace").splitlines(keepends=True) for part in (self.before, self.after)
        )
        return "".join(difflib.unified_diff(old, new, self.shown, f"{self.shown} (mended)"))


def _mended(project: Project, paths: Sequence[Path]) -> Iterator[Mended]:
    """The files that would change."""
    problems = check.content(project.config)
    for path in sorted(project.config.data.glob("events/**/*.md")):
        shown = f"{project.config.paths.data}/{path.relative_to(project.config.data).as_posix()}"
        if not path.is_file() or path.is_symlink() or not _is_below(path, paths):
            continue
        before = path.read_bytes()
        after = mending.mend(before, [p for p in problems if p.file == shown])
        if after != before:
            yield Mended(path, shown, before, after)


def _show(shared: dict[str, Any], mended: Sequence[Mended]) -> int:
    lines = [file.diff().rstrip("\n") for file in mended] or ["nothing that a program may mend by itself"]
    data = [{"file": file.shown, "diff": file.diff()} for file in mended]
    return answer.give(shared, "check-diff", data, lines, code=exits.FINDINGS if mended else exits.DONE)


def _is_asked_for(
    problem: Problem, project: Project, paths: Sequence[Path], select: Sequence[str], ignore: Sequence[str]
) -> bool:
    if paths and not _is_below(project.config.root / problem.file, paths):
        return False
    code = problem.code
    return (not select or code.startswith(tuple(c.upper() for c in select))) and not (
        ignore and code.startswith(tuple(c.upper() for c in ignore))
    )


def _is_below(path: Path, paths: Sequence[Path]) -> bool:
    return not paths or any(path.resolve().is_relative_to(given.resolve()) for given in paths)


def _more(found: check.Findings) -> Iterator[str]:
    """What is good to know: translations, times in UTC, how much was composed."""
    yield f"{found.composed} mails were composed and linted."
    yield from found.notes
    if found.matrix:
        tags = list(next(iter(found.matrix.values())))
        yield "translations: T title, S summary, B body, - missing, ! older than the original"
        rows = [(slug, *(cells[tag] for tag in tags)) for slug, cells in found.matrix.items()]
        yield from answer.table(rows, ("", *tags))


def _annotation(problem: Problem) -> str:
    """One line as GitHub's workflow commands have it."""
    place = f"file={problem.file}" + (f",line={problem.line},col={problem.column}" if problem.line else "")
    text = f"{problem.text}" + (f" (fix: {problem.fix})" if problem.fix else "")
    return f"::{problem.severity} {place},title={problem.code}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
