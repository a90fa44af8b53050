"""Run the service: first start, one line to try, and an orderly end."""

import asyncio
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import typer
import uvicorn

from data.errors import ServerError, StoreError
from data.store import Store, open_store
from serving.app import create_app
from serving.logs import log_to
from serving.protocol import BoundedHead
from serving.settings import Settings

#: Seconds that requests in flight have after SIGTERM; less than the 30 of most supervisors.
DRAIN_SECONDS = 20

#: Seconds after SIGTERM in which the service still answers, /readyz with 503 and everything with
#: ``Connection: close``: balancers look away and clients let go.
LEAVE_SECONDS = 1.0
#: Seconds between the steps of closing: what has arrived is read and answered.
LAST_SECONDS = 0.3

#: How long one of Python's threads may keep the others waiting. With the usual 5 ms, the thread that
#: answers requests spends most of its time waiting for those that compute.
SWITCH_SECONDS = 0.0002

_TRY = '{"text": "VCB: Tai khoan cua ban bi khoa. Dang nhap http://vcb-xacthuc.top de mo lai"}'


def prepare_first_start(settings: Settings) -> None:
    """Make the state folder, the store and, when the store has no key yet, a first one.

    The key ``first-key`` may classify, feed back and label. It is written to ``api-key`` in the
    state folder, readable by its owner alone. Raises ``StoreError`` when the store or the folder
    refuses.
    """
    try:
        settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{settings.state_dir} cannot be made ({error.strerror})") from error
    store = open_store(settings.store_url)
    try:
        if not store.keys():
            _make_first_key(store, settings.first_key_file)
    finally:
        store.close()


def run(settings: Settings, host: str, port: int) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish what is in flight and return.

    Port 0 takes a free one. Raises ``ServerError`` when the address is taken, ``StoreError`` when
    the store cannot be opened.
    """
    log_to()
    sys.setswitchinterval(SWITCH_SECONDS)
    with _bound(host, port) as listening:
        prepare_first_start(settings)
        server = _Server(settings, listening)
        # uvicorn raises the signal again when it has drained; by then there is nothing left to stop
        for stop in (signal.SIGTERM, signal.SIGINT):
            signal.signal(stop, lambda *_: None)
        server.run(sockets=[listening])
    if not server.started:
        raise ServerError("the service did not start; the lines above say why")


class _Server(uvicorn.Server):
    """uvicorn that says when it is ready and, once asked to stop, that it is not."""

    def __init__(self, settings: Settings, listening: socket.socket) -> None:
        self._app = create_app(settings)
        self._settings, self._listening = settings, listening
        super().__init__(
            uvicorn.Config(
                self._app,
                log_config=None,
                log_level="warning",
                access_log=False,  # its lines hold paths and queries as sent
                server_header=False,
                http=BoundedHead,
                # not uvloop, which takes one new connection a turn of its loop: under load those that come
                # wait for seconds, and an end resets them
                loop="asyncio",
                timeout_graceful_shutdown=DRAIN_SECONDS,
            )
        )

    async def startup(self, *args: Any, **kwargs: Any) -> None:
        await super().startup(*args, **kwargs)
        if self.started:
            typer.echo(_welcome(self._settings, self._listening))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let everybody leave first, then close the door, then end what is in flight."""
        await self._wait(LEAVE_SECONDS)
        for listening in sockets or ():
            listening.listen(0)  # nobody queues any more at a door that is about to close
        await self._wait(LAST_SECONDS)
        for server in self.servers:
            server.close()
        await self._wait(LAST_SECONDS)  # what was sent on open connections is still answered
        await super().shutdown(sockets)

    async def _wait(self, seconds: float) -> None:
        """Wait, unless somebody asks a second time to stop."""
        end = asyncio.get_running_loop().time() + seconds
        while not self.force_exit and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.05)

    def handle_exit(self, *args: Any, **kwargs: Any) -> None:
        if self.started:
            self._app.state.service.stopping = True
        super().handle_exit(*args, **kwargs)


def _make_first_key(store: Store, file: Path) -> None:
    """Write the key beside its place, then move it there: nobody ever finds half a key."""
    beside = file.with_name(f".{file.name}.part")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as out:
        out.write(store.create_key("first-key", ["classify", "feedback", "label"]) + "\n")
        out.flush()
        os.fsync(out.fileno())
    beside.replace(file)


def _bound(host: str, port: int) -> socket.socket:
    """A socket bound to the address; ``ServerError`` when it cannot be."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server(address[:2], family=family, backlog=2048)
    except OSError as error:
        raise ServerError(
            f"cannot listen on {host} port {port} ({error.strerror}); "
            "stop what uses it, or choose another with --port"
        ) from error


def _welcome(settings: Settings, listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104  # compared
    file = settings.first_key_file
    key = f"$(cat {file})" if file.exists() else "$CANHGIAC_KEY"
    where = f"{file} (first-key)" if file.exists() else "made with: canhgiac keys create"
    return (
        f"Cảnh Giác serves at {url}\n"
        f"API key: {where}\n"
        f"Try:\n  curl {url}/v1/classify -H 'Content-Type: application/json' \\\n"
        f'    -H "Authorization: Bearer {key}" \\\n'
        f"    -d '{_TRY}'"
    )
