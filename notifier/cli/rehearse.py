"""`notifier rehearse`: play the schedule in virtual time and write down all that would have gone out."""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from notifier import rehearse as stage
from notifier.app import App, read, secret_key
from notifier.cli import answer, exits, rehearsal_pages
from notifier.cli.project import Project, opened, parse_instant
from notifier.errors import ContentError
from notifier.rehearse import History, Sent, Story
from notifier.subscribers import roster
from notifier.subscribers.address import masked

MAX_LINES = 40


@click.command(
    epilog=exits.epilog(
        exits.IN_PART,
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.CONTENT,
        examples=(
            "notifier rehearse --from 2020-04-01 --to 2020-06-30 --out build/rehearsal",
            "notifier rehearse --from 2014-12-01 --to 2020-12-31 --history data/demo/history.toml --out out",
        ),
    )
)
@click.option("--from", "start", required=True, metavar="DATE", help="First day.")
@click.option("--to", "end", required=True, metavar="DATE", help="Last day.")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where to write maildir, pages, calendar, index.html, summary.json.",
)
@click.option(
    "--history",
    "history_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="When each event became known.",
)
@click.option(
    "--subscribers",
    "subscribers_file",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A CSV file; else those of the store.",
)
@click.pass_obj
def command(
    shared: dict[str, Any],
    start: str,
    end: str,
    out: Path,
    history_file: Path | None,
    subscribers_file: Path | None,
) -> int:
    """Play the schedule into a scratch store and a mail server of our own. The real store and relay are not touched."""
    with opened(shared) as project:
        zone = project.config.organisation.timezone
        first, last = parse_instant(start, zone), parse_instant(end, zone) + timedelta(days=1)
        if first >= last:
            raise click.BadParameter("ends before it begins", param_hint="--to")
        reading = read(project.config)
        history = (
            stage.read_history(history_file.read_bytes(), zone, str(history_file))
            if history_file
            else History()
        )
        _clear(out)
        story = stage.rehearse(
            project.config,
            reading,
            _subscribers(project, subscribers_file),
            secret_key(project.config, project.app.environ),
            start=first,
            end=last,
            history=history,
            maildir=out / "maildir",
            leave=one_click,
            inspect=partial(rehearsal_pages.write, out),
        )
        wrong = [*stage.check(story.caught)]
        code = (
            exits.IN_PART
            if wrong
            or story.duplicates
            or story.unknown
            or any(s.accepted < s.recipients for s in story.sent)
            else exits.DONE
        )
        if project.wants_json:
            for sent in story.sent:
                click.echo(json.dumps(rehearsal_pages.row(sent), ensure_ascii=False, default=answer.plain))
        elif not project.quiet:
            click.echo(
                "\n".join(
                    told(
                        project,
                        story,
                        reading_count=len(reading.events),
                        has_history=bool(history_file),
                        wrong=wrong,
                        out=out,
                    )
                )
            )
        answer.show(shared, [p for p in reading.problems if p.is_error])
        return code


def _clear(out: Path) -> None:
    """Only what an earlier rehearsal wrote; a folder of somebody else is not emptied."""
    if out.exists() and any(out.iterdir()) and not (out / "summary.json").exists():
        raise click.UsageError(f"{out} holds something else; name an empty folder")
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)


def _subscribers(project: Project, file: Path | None) -> list[Any]:
    if file is None:
        return [] if project.app.is_new else list(project.app.store.subscribers.all())
    found = roster.read(file.read_bytes(), project.config, accept_consent=True, file=str(file))
    if errors := [p for p in found.problems if p.is_error]:
        raise ContentError(errors)
    return list(found.subscribers)


def one_click(app: App, raw: bytes) -> None:
    """What a mail program does when its reader presses "unsubscribe": RFC 8058, over the real pages."""
    from email import message_from_bytes, policy

    from notifier.web import site

    message: Any = message_from_bytes(raw, policy=policy.default)
    url = urlsplit(str(message["List-Unsubscribe"]).split(">")[0].lstrip("<"))
    assert str(message["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click"
    clock = datetime.fromisoformat
    noted = app.store.noted("last_tick") or ""
    status = asyncio.run(_post(site.make(app, lambda: clock(noted)), url.path, b"List-Unsubscribe=One-Click"))
    if status != 200:
        raise click.ClickException(f"the one-click POST was answered {status}")


async def _post(site: Any, path: str, body: bytes) -> int:
    """One POST to an ASGI application in this process; the status."""
    status = 0
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return given.pop() if given else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "server": ("127.0.0.1", 443),
        "client": ("127.0.0.1", 1),
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/x-www-form-urlencoded"),
            (b"content-length", str(len(body)).encode()),
        ],
    }
    await site(scope, receive, send)
    return status


def told(
    project: Project, story: Story, *, reading_count: int, has_history: bool, wrong: list[str], out: Path
) -> list[str]:
    """The story in at most 40 lines."""
    head = (
        [
            "The order in which events became known is ours; the pages they come from give only the final facts."
        ]
        if has_history
        else []
    )
    left = [
        f"{project.local(at)[:10]}  one-click    {masked(address)} unsubscribed in the mail program"
        for at, address in story.left
    ]
    messages = len(story.caught)
    checked = (
        "every message opened and checked" if not wrong else f"{len(wrong)} messages are wrong: {wrong[0]}"
    )
    tail = [
        f"{story.approvals} approvals were given by the rehearsal itself.",
        "",
        f"{reading_count} events, {len(story.sent)} editions, {messages} messages, {story.unknown} unknown, {story.duplicates} duplicates; {checked}",
        f"look:   {out}/index.html    inbox as pages    {out}/{{maildir,pages,calendar}}    {out}/summary.json",
        f"next:   notifier --config {project.config.file} tick     and then, with the same --config: serve",
    ]
    lines = sorted([*_timeline(project, story.sent, MAX_LINES - len(head) - len(tail) - len(left)), *left])
    return head + lines + tail


def _timeline(project: Project, sent: list[Sent], room: int) -> list[str]:
    """A line an edition; if there is no room, digests of one day share a line, then runs of digests."""
    for grouping in (_alone, _by_day, _by_run):
        lines = [_line(project, group) for group in grouping(sent)]
        if len(lines) <= room:
            return lines
    return [*lines[: room - 1], f"9999  … and {len(lines) - room + 1} more"]


def _alone(sent: list[Sent]) -> list[list[Sent]]:
    return [[one] for one in sent]


def _by_day(sent: list[Sent]) -> list[list[Sent]]:
    groups: list[list[Sent]] = []
    for one in sent:
        same = [
            g
            for g in groups
            if one.edition.slot and g[0].edition.slot and g[0].edition.due == one.edition.due
        ]
        if same:
            same[0].append(one)
        else:
            groups.append([one])
    return groups


def _by_run(sent: list[Sent]) -> list[list[Sent]]:
    """Digests that say the same between two notices share a line."""
    groups: list[list[Sent]] = []
    for one in sent:
        last = groups[-1] if groups else []
        if last and one.edition.slot and last[0].edition.slot and last[0].titles == one.titles:
            last.append(one)
        else:
            groups.append([one])
    return groups


def _line(project: Project, group: list[Sent]) -> str:
    first, last = group[0], group[-1]
    languages: dict[str, int] = {}
    for one in group:
        for language, count in one.languages.items():
            languages[language] = languages.get(language, 0) + count
    people = " ".join(f"{language} {count}" for language, count in sorted(languages.items()))
    title = first.titles[0] if first.titles else "(nothing planned)"
    more = f" +{len(first.titles) - 1}" if len(first.titles) > 1 else ""
    kind = first.edition.kind.value + (f" x{len(group)}" if len(group) > 1 else "")
    until = f" to {project.local(last.edition.due)[5:10]}" if last.edition.due != first.edition.due else ""
    revision = max((m.revision for m in first.edition.mentions), default=1)
    size = max(one.size_bytes for one in group)
    name = f"{title[:44]}{'…' if len(title) > 44 else ''}{more}"
    return f"{project.local(first.edition.due)[:10]}{until:<9}  {kind:<12}  {name:<49}  {people:<24}  {size / 1000:>3.0f} kB  r{revision}"
