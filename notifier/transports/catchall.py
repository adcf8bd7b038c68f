"""SMTP in: a server on this machine that takes every message and keeps it, for rehearsals and as a developer's inbox."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.policy import compat32
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP

from notifier.transports.folder import Folder, file_name

MAX_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Caught:
    """One delivery: a message to one recipient."""

    sender: str
    recipient: str
    message_id: str  # as it stands in the header; empty where there is none
    path: Path


class CatchAll:
    """Take mail on 127.0.0.1 from `with` to its end; what came stays in the Maildir `folder`.

    A message is stored byte for byte as it came after dot-unstuffing, under a name that follows from its Message-ID;
    repeats get `.2`, `.3` behind it, so that nothing hides them. The server works in a thread of its own: read
    `caught` and `duplicates` when the reply to the last message has come. Nothing is asked of the sender: no TLS, no login.
    """

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        """`port` 0 takes any free one."""
        self.caught: list[Caught] = []
        self._folder = Folder(folder, is_durable=False)
        self._port = port
        self._seen: Counter[str] = Counter()
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """smtp://127.0.0.1:PORT, to be used with tls="none"."""
        return f"smtp://127.0.0.1:{self._port}"

    @property
    def folder(self) -> Path:
        return self._folder.path

    @property
    def duplicates(self) -> int:
        """How many messages came with a Message-ID that had come before."""
        return sum(self._seen.values()) - len(self._seen)

    def __enter__(self) -> Self:
        """Raises OSError: the folder cannot be made, or the port is taken."""
        self._folder.make()
        sock = socket.create_server(("127.0.0.1", self._port), backlog=128)
        self._port = sock.getsockname()[1]
        server = self._loop.run_until_complete(self._loop.create_server(self._session, sock=sock))
        self._thread = threading.Thread(target=self._serve, args=(server,), name="catch-all", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    def _serve(self, server: asyncio.Server) -> None:
        self._loop.run_forever()
        self._loop.run_until_complete(self._end(server))
        self._loop.close()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        open_sessions = asyncio.all_tasks() - {asyncio.current_task()}
        for session in open_sessions:
            session.cancel()
        await asyncio.gather(*open_sessions, return_exceptions=True)

    def _session(self) -> asyncio.Protocol:
        session: asyncio.Protocol = SMTP(
            self,
            hostname="localhost",
            ident="notifier catch-all",
            data_size_limit=MAX_BYTES,
            enable_SMTPUTF8=True,
            loop=self._loop,
        )
        return session

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 aiosmtpd calls it so
        try:
            self._keep(envelope.mail_from or "", envelope.rcpt_tos, envelope.content)
        except OSError as error:
            return f"452 4.3.1 not stored: {error.strerror}"
        return "250 2.0.0 kept"

    def _keep(self, sender: str, recipients: list[str], content: bytes) -> None:
        message_id = _message_id(content)
        name = file_name(message_id or repr(content))
        repeat = self._seen[name] + 1
        path = self._folder.put(name if repeat == 1 else f"{name}.{repeat}", content)
        self._seen[name] = repeat
        self.caught.extend(Caught(sender, recipient, message_id, path) for recipient in recipients)


def _message_id(content: bytes) -> str:
    headers = BytesHeaderParser(policy=compat32).parsebytes(content.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
    return "".join(str(headers.get("Message-ID", "")).split())
