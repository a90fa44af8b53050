"""The service without any network: only the loopback of a network namespace of its own."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.torture.service import ROOT
from tests.torture.table import Row

_ALONE = ("unshare", "--net", "--map-root-user")

#: Run inside the namespace: loopback up, then the service asked from the same namespace.
_INSIDE = """
import fcntl, socket, struct, sys
from pathlib import Path
from tests.torture.service import running
with socket.socket() as up:  # ifconfig lo up
    fcntl.ioctl(up, 0x8914, struct.pack("16sh14x", b"lo", 0x49))
try:
    socket.create_connection(("192.0.2.1", 80), timeout=2)
    sys.exit("there is a network")
except OSError:
    pass
place, model = Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else None
with running(place, model=model) as service:
    print(service.ready()["status"], service.ask()[0], service.stop())
"""


def permitted() -> bool:
    """Whether this machine lets us make a network namespace."""
    try:
        return subprocess.run([*_ALONE, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


def check(place: Path, model: Path | None = None) -> Iterator[Row]:
    """The row."""
    must = "starts, serves, ends"
    if not permitted():
        yield Row("network off", must, "unshare --net is not permitted here", None)
        return
    arguments = [str(place / "network"), *([str(model)] if model else [])]
    done = subprocess.run(
        [*_ALONE, sys.executable, "-c", _INSIDE, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    seen = done.stdout.strip() or done.stderr.strip()[-200:]
    yield Row("network off", must, seen, seen == "ready 200 0")
