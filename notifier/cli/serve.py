"""`notifier serve`: the pages and calendar files that mails point to."""

from __future__ import annotations

from typing import Any

import click

from notifier.cli import exits
from notifier.cli.project import clock, opened


@click.command(
    epilog=exits.epilog(
        exits.NO_PROJECT,
        exits.CONFIG,
        exits.UNREACHABLE,
        examples=("notifier serve", "notifier serve --listen 127.0.0.1:8061"),
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
        where = listen or project.config.web.listen
        made = site.make(project.app, (lambda: project.now) if project.at else clock)
        options: dict[str, Any] = {
            "access_log": False,
            "server_header": False,
            "log_level": "warning",
            "proxy_headers": True,
        }
        options["forwarded_allow_ips"] = list(project.config.web.trusted_proxies)
        if where.startswith("unix:"):
            options["uds"] = where.removeprefix("unix:")
        else:
            host, _, port = where.rpartition(":")
            if not port.isdigit():
                raise click.BadParameter(f'"{where}": write HOST:PORT or unix:/PATH', param_hint="--listen")
            options |= {"host": host.strip("[]") or "127.0.0.1", "port": int(port)}
        if not project.quiet:
            click.echo(
                f"serving on {where}; links in mails begin with {project.config.web.base_url}; Ctrl-C ends",
                err=True,
            )
        uvicorn.run(made, **options)
    return exits.DONE
