"""Services as processes: started, waited for, weighed and stopped."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Seconds that a service may take to start, and between two looks whether it has.
PATIENCE, LOOK = 120.0, 0.01
#: So many messages a minute that a limit, where the service has one, never says no.
NO_LIMIT = "1000000000"


@dataclass(frozen=True, slots=True)
class Service:
    """How a service is started; ``{port}`` in its arguments is a free one.

    ``key_file`` is where its key lies once it is ready.
    """

    arguments: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Running:
    """A service that is ready; ``cold_start`` is the seconds from its process's start until then."""

    url: str
    key: str | None
    cold_start: float
    pid: int

    def memory(self) -> float:
        """Resident memory of the process and its children in MB, pages that they share counted twice."""
        return sum(_status(pid, "VmRSS") for pid in _family(self.pid)) / 1024

    def processor_seconds(self) -> float:
        """What the process and its children have computed; other programs' work is not in it."""
        return sum(_ticks(pid) for pid in _family(self.pid)) / os.sysconf("SC_CLK_TCK")


def canhgiac(model_folder: Path, state: Path) -> Service:
    """The service of this project with a model folder, its state in a folder of its own."""
    return Service(
        ("-c", "from canhgiac import main; main()", "serve", "--port", "{port}"),
        {
            "CANHGIAC_MODEL_DIR": str(model_folder),
            "CANHGIAC_STATE_DIR": str(state),
            "CANHGIAC_MESSAGES_PER_MINUTE": NO_LIMIT,
        },
        state / "api-key",
    )


def plain(model_folder: Path) -> Service:
    """What anybody would write with FastAPI and transformers; see ``tests.bench.plain``."""
    return Service(
        ("-m", "uvicorn", "--factory", "tests.bench.plain:create_app", "--port", "{port}"),
        {"PLAIN_MODEL": str(model_folder)},
    )


@contextmanager
def running(service: Service, log: Path) -> Iterator[Running]:
    """The service while the block runs; what it says goes to ``log``.

    ``RuntimeError`` when it ends before it is ready, ``TimeoutError`` when it takes two minutes.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = [sys.executable, *(one.format(port=port) for one in service.arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **service.environment}
    started = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(arguments, cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        _wait(process, port, log)
        cold_start = time.perf_counter() - started
        key = service.key_file.read_text().strip() if service.key_file else None
        yield Running(f"http://127.0.0.1:{port}", key, cold_start, process.pid)
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.perf_counter() + PATIENCE
    while not _is_ready(port):
        if process.poll() is not None:
            raise RuntimeError(f"the service ended before it was ready; {log} says why")
        if time.perf_counter() > end:
            raise TimeoutError(f"the service was not ready after {PATIENCE:.0f} s; see {log}")
        time.sleep(LOOK)


def _is_ready(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def peak_memory(process: subprocess.Popen[bytes]) -> float:
    """The most resident memory in MB that a process had until it ended, which is waited for."""
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _status(process.pid, "VmHWM"))
        time.sleep(LOOK)
    return peak / 1024


def _family(pid: int) -> list[int]:
    """A process and all that come from it."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(one for child in children for one in _family(int(child)))]


def _status(pid: int, name: str) -> float:
    """A number in kB that the kernel tells of a process; 0 when it has ended."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1])
    return 0.0


def _ticks(pid: int) -> int:
    """Clock ticks that a process has spent, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])
