"""`notifier serve`: the pages and calendar files that mails point to."""

from __future__ import annotations

import logging
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from notifier.cli import exits
from notifier.cli.project import Project, clock, opened

IDLE_S = 10
DRAIN_S = 10
MAX_HEADER_BYTES = 16_384


#: Nothing of a request is logged by the server: a path holds a token, and an address is nobody's business. Nothing
#: depends on the client's address or scheme either, so no forwarded header is read.
SETTINGS: dict[str, Any] = {
    "access_log": False,
    "log_config": None,
    "log_level": "warning",
    "server_header": False,
    "proxy_headers": False,
    "lifespan": "off",
    "ws": "none",
    "http": "h11",
    "h11_max_incomplete_event_size": MAX_HEADER_BYTES,
    "timeout_keep_alive": IDLE_S,
    "timeout_graceful_shutdown": DRAIN_S,
}


@click.command(
    epilog=exits.epilog(
        exits.USAGE,
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.UNREACHABLE,
        examples=("notifier serve", "notifier serve --listen unix:/run/notifier/web.sock"),
    )
)
@click.option("--listen", metavar="ADDR", help="HOST:PORT or unix:/PATH; else [web] listen.")
@click.pass_obj
def command(shared: dict[str, Any], listen: str | None) -> int:
    """Serve what mails link to: leaving, event files, the feed. It never sends and never schedules."""
    try:
        import uvicorn

        from notifier.web import site
    except ModuleNotFoundError as error:
        raise click.UsageError(f"{error.name} is not installed; `pip install 'notifier[web]'`") from None
    with opened(shared) as project:
        if not project.app.is_new:
            _ = project.app.store  # an older one is upgraded here, and an unusable one ends the command
        made = site.make(project.app, (lambda: project.now) if project.at else clock)
        where = listen or project.config.web.listen
        with bound(where) as listening:
            _log_to_stderr(project)
            _say(project, where)
            signal.signal(
                signal.SIGTERM, signal.default_int_handler
            )  # ends like Ctrl-C: what began is answered
            with suppress(KeyboardInterrupt):
                uvicorn.Server(uvicorn.Config(made, **SETTINGS)).run(sockets=[listening])
    return exits.DONE


@contextmanager
def bound(where: str) -> Iterator[socket.socket]:
    """A socket that listens at HOST:PORT or unix:/PATH; a socket file that nobody listens to any more is replaced.

    Raises:
        click.BadParameter: the words are none of the two, or the place cannot be had.
    """
    path = Path(where.removeprefix("unix:")) if where.startswith("unix:") else None
    try:
        made = _unix(path) if path else _tcp(where)
    except OSError as error:
        raise click.BadParameter(f"{where}: {os.strerror(error.errno or 0)}", param_hint="--listen") from None
    with made:
        try:
            yield made
        finally:
            if path:
                path.unlink(missing_ok=True)


def _tcp(where: str) -> socket.socket:
    try:
        parts = urlsplit(f"//{where}")
        host, port = parts.hostname or "127.0.0.1", parts.port
    except ValueError:
        host, port = "", None
    if port is None:
        raise click.BadParameter(f'"{where}": write HOST:PORT or unix:/PATH', param_hint="--listen")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio sends small answers at once (TCP_NODELAY) only where it reads TCP here;
    # without it each page waits 40 ms for an acknowledgement.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


def _unix(path: Path) -> socket.socket:
    if path.exists() and stat.S_ISSOCK(path.stat().st_mode) and not _answers(path):
        path.unlink()
    made = socket.socket(socket.AF_UNIX)
    try:
        made.bind(str(path))
        path.chmod(0o666)  # whoever may enter the folder may ask, as on a port; the folder's rights decide
    except OSError:
        made.close()
        raise
    return made


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _log_to_stderr(project: Project) -> None:
    level = project.config.logging.level.upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _say(project: Project, where: str) -> None:
    if not project.quiet:
        base = project.config.web.base_url
        click.echo(f"serving on {where}; links in mails begin with {base}; Ctrl-C ends", err=True)
