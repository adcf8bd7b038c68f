"""`notifier editions`: what was planned, what waits, what went out; approve, hold, go on."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from notifier import jobs
from notifier.cli import answer, confirm, exits
from notifier.cli.project import Project, clock, opened, written
from notifier.cli.stamp import forget
from notifier.editions.base import Edition, State

if TYPE_CHECKING:
    from notifier.cli.reading import Seen  # with the audience and the page; most commands here need neither

_BY_MACHINE = (jobs.BY_CONTENT, jobs.BY_APPROVAL, jobs.BY_GAP)
UNSENT = frozenset({State.PLANNED, State.WAITING, State.HELD})
CODES = (exits.FINDINGS, exits.NEEDS_CONFIRMATION, exits.NO_PROJECT, exits.CONFIG, exits.UNREACHABLE)


@click.group(name="editions")
def command() -> None:
    """Planned sendings: list, show, approve, hold, resume, cancel."""


@command.command(
    "list",
    epilog=exits.epilog(
        *CODES, examples=("notifier editions list", "notifier editions list --state held,waiting")
    ),
)
@click.option("--state", "states", metavar="STATE[,STATE]", help="Only these states.")
@click.option("--kind", help="Only this kind.")
@click.option(
    "-n", "limit", type=click.IntRange(1), default=40, show_default=True, help="At most so many, the newest."
)
@click.pass_obj
def listing(shared: dict[str, Any], states: str | None, kind: str | None, limit: int) -> int:
    """Editions by due time."""
    with opened(shared) as project:
        wanted = _states(states)
        is_new = project.app.is_new
        editions = [] if is_new else project.app.store.editions.list(wanted, kind=kind, limit=limit)
        rows = [
            (project.local(e.due), e.state.value, e.kind.value, e.key, e.reason.removeprefix(jobs.BY_PERSON))
            for e in editions
        ]
        text = (
            answer.table(rows, ("due", "state", "kind", "key", "why"))
            if rows
            else [
                "no editions"
                + (" in these states" if wanted else " yet; `notifier plan` shows what will come")
            ]
        )
        return answer.give(shared, "editions", editions, text)


def _states(text: str | None) -> set[State] | None:
    if not text:
        return None
    try:
        return {State(part.strip()) for part in text.split(",")}
    except ValueError:
        raise click.BadParameter(
            f'"{text}": the states are {", ".join(s.value for s in State)}', param_hint="--state"
        ) from None


@command.command(
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier editions show digest/events/2020-W15-2w",
            "notifier editions show announcement/UID --lang de",
        ),
    )
)
@click.argument("key")
@click.option("--lang", help="The text in this language; else in all that will go out.")
@click.pass_obj
def show(shared: dict[str, Any], key: str, lang: str | None) -> int:
    """What an edition is, why it waits, who will get it, and its text as it will be read."""
    from notifier.cli import reading

    with opened(shared) as project:
        edition = find(project, key)
        seen = reading.of_edition(project, edition, lang)
        return answer.give(shared, "edition", seen.data, seen.lines)


def find(project: Project, key: str) -> Edition:
    """The edition of this key, or a clear word with near ones."""
    import difflib

    if project.app.is_new:
        raise click.UsageError(
            f'no edition "{key}": nothing was planned yet; `notifier plan` shows what will come'
        )
    edition = project.app.store.editions.get(key)
    if edition is None:
        near = difflib.get_close_matches(
            key, [e.key for e in project.app.store.editions.list()], n=3, cutoff=0.4
        )
        raise click.UsageError(
            f'no edition "{key}"'
            + (f"; did you mean {' or '.join(near)}?" if near else "; see `notifier editions list`")
        )
    return edition


@command.command(
    epilog=exits.epilog(
        *CODES,
        examples=(
            "notifier editions approve digest/events/2020-W15-2w",
            "notifier editions approve KEY --as officer --yes",
        ),
    )
)
@click.argument("key")
@click.option("--as", "who", metavar="ADMIN", help="In whose name; else the account's.")
@click.option(
    "--hash",
    "content",
    metavar="HASH",
    help="Only this content, as `editions show` names it (8 digits or more).",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def approve(shared: dict[str, Any], key: str, who: str | None, content: str | None, yes: bool) -> int:
    """Let exactly this content go out when it is due. A later change of an event or template makes the approval void."""
    from notifier.cli import reading

    with written(shared) as project:
        edition = find(project, key)
        if words := _against_approval(edition):
            return answer.give(shared, "approve", {"key": key, "approved": False}, words, code=exits.FINDINGS)
        seen = reading.of_edition(project, edition, None)
        _show_what_is_approved(edition, seen, content, yes=yes)
        people = seen.data["recipients"]
        confirm.ask("Approve", f'"{seen.data["subject"]}" to {confirm.people(people)}', people, yes=yes)
        done = _approved(project, edition, seen, who or getpass.getuser())
        forget(project.config)
        words = (
            f"approved: {key} goes out {'now' if edition.due <= project.now else project.local(edition.due)} to {people}"
            if done
            else f"{key} changed meanwhile; look at it again"
        )
        return answer.give(
            shared,
            "approve",
            {"key": key, "approved": done, "recipients": people, "content": seen.content_hash},
            words,
            code=exits.DONE if done else exits.FINDINGS,
        )


def _against_approval(edition: Edition) -> str:
    """Why there is nothing to approve; "" if there is."""
    if edition.state not in UNSENT:
        return f"{edition.key} is {edition.state.value}: there is nothing to approve"
    return words_of_hold(edition) if is_held_by_person(edition) else ""


def is_held_by_person(edition: Edition) -> bool:
    """Held, and by nobody who would let it go on by himself."""
    return edition.state is State.HELD and not edition.reason.startswith(_BY_MACHINE)


def words_of_hold(edition: Edition) -> str:
    """That a person holds it, why, and how it goes on."""
    held = f'{edition.key} is held by a person: "{edition.reason.removeprefix(jobs.BY_PERSON)}"'
    return f"{held}; resume it first: notifier editions resume {edition.key}"


def _show_what_is_approved(edition: Edition, seen: Seen, content: str | None, *, yes: bool) -> None:
    """The text before the question; with --yes nothing is approved that is not what was asked about, or named.

    Raises:
        NotConfirmed: it changed since it was asked about, or is not the content that was named.
    """
    is_named = content is not None and len(content) >= 8 and seen.content_hash.startswith(content)
    has_changed = bool(edition.content_hash) and edition.content_hash != seen.content_hash
    has_changed |= edition.reason.startswith(f"{jobs.BY_APPROVAL}it changed")
    is_in_doubt = not is_named if content is not None else has_changed
    if is_in_doubt or sys.stdin.isatty():
        click.echo("\n".join(seen.text), err=True)
    if not is_in_doubt:
        return
    words = "it changed since you were asked" if content is None else f"it is not {content}"
    if yes or content is not None:
        raise confirm.NotConfirmed(
            f"{edition.key}: {words}; this is how it reads now. If it may go out so: --yes --hash {seen.content_hash}"
        )
    click.echo(f"\n{words}", err=True)


def _approved(project: Project, edition: Edition, seen: Seen, who: str) -> bool:
    """Freeze what was seen, and approve just this; also of an edition that nobody was asked about yet."""
    editions, now = project.app.store.editions, clock()
    editions.freeze(edition.key, seen.mentions, seen.content_hash, now)
    editions.move(edition.key, State.WAITING, of={State.PLANNED}, now=now)
    return editions.approve(edition.key, seen.content_hash, who, now)


def _change(name: str, doc: str, to: Callable[[Edition], State], of: set[State], past: str) -> None:
    @command.command(
        name,
        help=doc,
        epilog=exits.epilog(
            *CODES,
            examples=(
                f"notifier editions {name} digest/events/2020-W15-2w",
                f'notifier editions {name} KEY --reason "wrong place"',
            ),
        ),
    )
    @click.argument("key")
    @click.option("--reason", default="", help="Why, in words that `status` shows.")
    @click.pass_obj
    def change(shared: dict[str, Any], key: str, reason: str) -> int:
        with written(shared) as project:
            edition = find(project, key)
            who = getpass.getuser()
            target, words = to(edition), reason or f"by {who}"
            if target in (State.HELD, State.PAUSED):  # whatever the words are: no machine lets it go on
                words = f"{jobs.BY_PERSON}{words}"
            done = project.app.store.editions.move(key, target, of=of, now=clock(), reason=words, who=who)
            forget(project.config)
            said = f"{past}: {key}" if done else f"{key} is {edition.state.value}: it cannot be {past}"
            return answer.give(
                shared, name, {"key": key, "done": done}, said, code=exits.DONE if done else exits.FINDINGS
            )


def _after_hold(edition: Edition) -> State:
    return State.OPEN if edition.state is State.PAUSED else State.PLANNED


_change(
    "hold",
    "Hold one edition back before it is opened.",
    lambda e: State.HELD,
    {State.PLANNED, State.WAITING, State.HELD},
    "held",
)
_change("pause", "Pause an edition that is being sent.", lambda e: State.PAUSED, {State.OPEN}, "paused")
_change(
    "resume",
    "Go on with an edition that was held by a person, or paused.",
    _after_hold,
    {State.HELD, State.PAUSED},
    "resumed",
)
_change(
    "cancel",
    "Never send what is left of an edition.",
    lambda e: State.CANCELLED,
    {State.PLANNED, State.WAITING, State.HELD, State.OPEN, State.PAUSED},
    "cancelled",
)
