"""`notifier status`: one page on what is held, late, waiting, unknown, and next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import click

from notifier import jobs
from notifier.cli import answer, exits
from notifier.cli.project import NoProject, Project, opened, parse_span_of_time
from notifier.cli.tick import STAMP
from notifier.editions.base import Edition, State
from notifier.mail.outbox import EntryState
from notifier.subscribers.subscriber import Standing

UNFINISHED = {State.PLANNED, State.WAITING, State.HELD, State.OPEN, State.PAUSED, State.DRAINING}

MISSED_FOR = timedelta(days=7)


@click.command(
    epilog=exits.epilog(
        exits.FINDINGS,
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.UNREACHABLE,
        examples=("notifier status", "notifier status --max-age 15m -q"),
    )
)
@click.option("--max-age", metavar="15m", help="Exit 4 if the last tick is older.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing unless something is wrong.")
@click.pass_obj
def command(shared: dict[str, Any], max_age: str | None, quiet: bool) -> int:
    """One page: what is on hold, the last tick, held editions, the outbox, unknown entries, the next five sends."""
    with opened(shared) as project:
        data = gather(project)
        limit = parse_span_of_time(max_age)
        late = limit is not None and (data["tick_age_s"] is None or data["tick_age_s"] > limit)
        code = exits.FINDINGS if late else exits.DONE
        if (quiet or project.quiet) and not late:
            return code
        return answer.give(
            {**shared, "quiet": False}, "status", data, lines(project, data, late=late), code=code
        )


def bare() -> None:
    """`notifier` alone: what is next and what needs you, in at most 12 lines; outside a project how to start one."""
    ctx = click.get_current_context()
    try:
        with opened(ctx.obj) as project:
            data = gather(project)
            answer.give({**ctx.obj, "quiet": False}, "status", data, lines(project, data)[:12])
    except NoProject:
        if ctx.obj["output_format"] == "text":
            click.echo(ctx.find_root().get_help() + "\n")
        raise


def gather(project: Project) -> dict[str, Any]:
    """Everything that `status` says, as plain data."""
    if project.app.is_new:
        return _nothing_yet(project)
    store, now = project.app.store, project.now
    editions = store.editions.list(UNFINISHED)
    last = last_tick(project)
    return {
        "config": str(project.config.file.resolve()),
        "hold": store.hold,
        "last_tick": last,
        "tick_age_s": (now - last).total_seconds() if last else None,
        "held": [_stopped(e) for e in editions if e.state is State.HELD],
        "paused": [_stopped(e) for e in editions if e.state is State.PAUSED],
        "waiting": [_asked(e) for e in editions if e.state is State.WAITING and not e.approved_by],
        "approved": [_asked(e) for e in editions if e.state is State.WAITING and e.approved_by],
        "missed": [_stopped(e) for e in _missed(project)],
        "clock": store.noted("clock_trouble"),
        "relay": store.noted("relay_trouble"),
        "outbox": {state.value: n for state, n in store.outbox.counts().items()},
        "oldest_waiting": store.outbox.oldest_waiting(),
        "subscribers": {standing.value: n for standing, n in store.subscribers.counts().items()},
        "next": [{"key": e.key, "due": e.due, "state": e.state} for e in upcoming(editions, now)],
    }


def _nothing_yet(project: Project) -> dict[str, Any]:
    """The same of a project that has no database yet, without making one."""
    nothing = dict.fromkeys(("hold", "last_tick", "tick_age_s", "clock", "relay", "oldest_waiting"))
    empty: dict[str, Any] = {name: [] for name in ("held", "paused", "waiting", "approved", "missed", "next")}
    return {
        "config": str(project.config.file.resolve()),
        **nothing,
        **empty,
        "outbox": {state.value: 0 for state in EntryState},
        "subscribers": {standing.value: 0 for standing in Standing},
    }


def _asked(edition: Edition) -> dict[str, Any]:
    return {"key": edition.key, "due": edition.due, "approved_by": edition.approved_by}


def _missed(project: Project) -> list[Edition]:
    """What expired within the last week and was meant for somebody."""
    expired = project.app.store.editions.list({State.EXPIRED}, limit=20)
    return [e for e in expired if project.now - e.useful_until < MISSED_FOR]


def _stopped(edition: Edition) -> dict[str, Any]:
    reason = edition.reason.removeprefix(jobs.BY_PERSON)
    return {
        "key": edition.key,
        "reason": reason,
        "due": edition.due,
        "useful_until": edition.useful_until,
    }


def last_tick(project: Project) -> datetime | None:
    """When the last tick ran, idle ones (by the stamp) included."""
    noted = project.app.store.noted("last_tick")
    instants = [datetime.fromisoformat(noted)] if noted else []
    stamp = project.config.state / STAMP
    if stamp.exists():
        instants.append(datetime.fromtimestamp(stamp.stat().st_mtime, tz=project.now.tzinfo))
    return max(instants, default=None)


def upcoming(editions: list[Edition], now: datetime) -> list[Edition]:
    return sorted(
        (e for e in editions if e.due > now and e.state in (State.PLANNED, State.WAITING)),
        key=lambda e: e.due,
    )[:5]


def lines(project: Project, data: Mapping[str, Any], *, late: bool = False) -> list[str]:
    """The page for people, the worst first."""
    out = []
    if data["hold"]:
        out.append(f'EVERYTHING IS ON HOLD: "{data["hold"]}"   go on: notifier resume')
    if data["clock"]:
        out.append(f"EVERYTHING IS HELD: {data['clock']}")
    if data["relay"]:
        out.append(f"SENDING IS PAUSED, each tick tries again: {data['relay']}")
    age = data["tick_age_s"]
    tick = "no tick has run yet" if age is None else f"last tick {words(age)} ago"
    out.append(f"{'LATE: ' if late else ''}{tick}; {project.config.file.resolve()}")
    out += [
        f"{name}: {e['key']}: {e['reason']} (until {project.local(e['useful_until'])})"
        for name in ("held", "paused")
        for e in data[name]
    ]
    out += [
        f"waits for approval: {e['key']}, due {project.local(e['due'])}: notifier editions show {e['key']}"
        for e in data["waiting"]
    ]
    out += [
        f"missed: {e['key']}, expired {project.local(e['useful_until'])}: {e['reason']}"
        for e in data["missed"]
    ]
    out += [
        f"approved by {e['approved_by']}: {e['key']} goes out {project.local(e['due'])}"
        for e in data["approved"]
    ]
    box = {k: v for k, v in data["outbox"].items() if v}
    out.append("outbox: " + (", ".join(f"{n} {state}" for state, n in sorted(box.items())) or "empty"))
    if data["oldest_waiting"]:
        out.append(f"oldest waiting: due {project.local(data['oldest_waiting'])}")
    if box.get(EntryState.UNKNOWN.value):
        out.append(f"{box[EntryState.UNKNOWN.value]} unknown: notifier outbox list --state unknown")
    people = data["subscribers"]
    out.append(
        "subscribers: "
        + (", ".join(f"{n} {standing}" for standing, n in sorted(people.items()) if n) or "none")
    )
    out += [f"next: {project.local(e['due'])}  {e['key']} ({e['state'].value})" for e in data["next"]] or [
        "next: nothing planned"
    ]
    return out


def words(seconds: float) -> str:
    """An age for people: 42 s, 12 min, 5 h, 3 days."""
    for size, name in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name}"
    return f"{timedelta(seconds=round(seconds)).total_seconds():.0f} s"
