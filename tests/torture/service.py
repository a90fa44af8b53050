"""The real service as a process of its own, on a free port of this machine, with its own state folder."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SERVE = (sys.executable, "-m", "canhgiac", "serve", "--port", "0")
#: Seconds that a start and an end may take on a busy machine.
PATIENCE = 60.0

#: A message as people get them: a request that the service must answer.
BODY = {"text": "VCB: Tai khoan cua ban bi khoa. Dang nhap http://vcb-xacthuc.top de mo lai"}


@dataclass(slots=True)
class Running:
    """A running service: where it listens, its first key, and its files."""

    process: subprocess.Popen[bytes]
    state: Path
    output: Path
    log_file: Path
    port: int
    key: str

    @property
    def log(self) -> str:
        """Everything the process has written so far."""
        return "".join(file.read_text("utf-8", "replace") for file in (self.output, self.log_file))

    @property
    def memory(self) -> int:
        """Resident bytes of the process."""
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    @property
    def headers(self) -> dict[str, str]:
        """What a client with the first key sends."""
        return {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}

    def ask(
        self,
        path: str = "/v1/classify",
        body: object = BODY,
        *,
        method: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """Status and body of one answer, on a connection of its own; bytes are sent as they are."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(
                method or ("GET" if data is None else "POST"), path, data, dict(headers or self.headers)
            )
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def ready(self) -> dict[str, Any]:
        """What /readyz says."""
        said: dict[str, Any] = json.loads(self.ask("/readyz", None)[1])
        return said

    def stop(self) -> int:
        """The exit code after SIGTERM."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def running(
    place: Path, *, model: Path | None = None, before: Sequence[str] = (), **settings: str
) -> Iterator[Running]:
    """The service on a free port, its state and log in the new folder ``place``; killed at the end.

    ``model`` is served always; without it the promoted or the shipped one. ``before`` are words put
    before the command; ``settings`` are more of the service's, by their names. ``TimeoutError`` when it
    does not start, with the log.
    """
    place.mkdir(parents=True, exist_ok=True)
    output, log_file = place / "output", place / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CANHGIAC_")}
    environment |= {"CANHGIAC_STATE_DIR": str(place / "var"), "PYTHONUNBUFFERED": "1"}
    environment["CANHGIAC_MESSAGES_PER_MINUTE"] = str(10**9)  # the quota would hide what is behind it
    environment |= {f"CANHGIAC_{name.upper()}": value for name, value in settings.items()}
    if model is not None:
        environment["CANHGIAC_MODEL_DIR"] = str(model)
    with output.open("wb") as out, log_file.open("wb") as log:
        process = subprocess.Popen([*before, *SERVE], cwd=ROOT, env=environment, stdout=out, stderr=log)
    try:
        port = _port(process, output, log_file)
        key = (place / "var" / "api-key").read_text("ascii").strip()
        yield Running(process, place / "var", output, log_file, port, key)
    finally:
        process.kill()
        process.wait()


def _port(process: subprocess.Popen[bytes], output: Path, log_file: Path) -> int:
    """The port that the first line of the output names."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        line, newline, _ = output.read_text("utf-8").partition("\n")
        if newline:
            return int(line.rsplit(":", 1)[1])
        time.sleep(0.02)
    raise TimeoutError(f"the service did not start: {log_file.read_text('utf-8')[-1000:]}")
