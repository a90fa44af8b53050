"""Ten times the load that the service can carry: it answers what it can and refuses the rest at once."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.torture.service import ROOT, Running, running
from tests.torture.table import Row

#: Milliseconds within which 99 of 100 refusals must be answered.
REFUSED_WITHIN = 50
CONNECTIONS = 1_000
#: Judgments that the service keeps: few, so that what they take is not taken for growth.
CACHED = "1000"


def _load(service: Running, *arguments: object) -> dict[str, Any]:
    """What the load generator saw, as a process of its own."""
    command = [sys.executable, "-m", "tests.bench.load", "--url", f"http://127.0.0.1:{service.port}"]
    words = [*command, "--key", service.key, *map(str, arguments)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _refusals(service: Running, over: threading.Event) -> list[float]:
    """Milliseconds that each refusal took, as another client sees them, until ``over``."""
    taken = []
    while not over.wait(0.02):
        begun = time.perf_counter()
        status, _ = service.ask()
        if status in (429, 503):
            taken.append((time.perf_counter() - begun) * 1000)
    return taken


def _under(service: Running, rate: float, seconds: float) -> tuple[dict[str, Any], list[float]]:
    """What the load generator saw at a rate, and the refusals of another client meanwhile."""
    over, refusals = threading.Event(), list[float]()
    asking = threading.Thread(target=lambda: refusals.extend(_refusals(service, over)))
    asking.start()
    try:
        report = _load(
            service, "--seconds", seconds, "--rate", rate, "--connections", CONNECTIONS, "--skip", 20_000
        )
    finally:
        over.set()
        asking.join()
    return report, refusals


def check(
    place: Path, model: Path | None = None, *, seconds: float = 60, times: float = 10
) -> Iterator[Row]:
    """The rows, from a service that is measured at its peak first."""
    with running(place / "overload", model=model, cache_size=CACHED) as service:
        peak = _load(service, "--seconds", max(2, seconds / 6), "--connections", 32)["per_second"]
        before = service.memory
        report, refusals = _under(service, peak * times, seconds)
        statuses = report["statuses"]
        good = statuses.get("200", 0) / report["seconds"]
        name = f"overload x {times:g}"
        seen = f"{good:.0f}/s of {peak:.0f}/s; {statuses}"
        yield Row(f"{name}: goodput", ">= 90 % of the peak", seen, good >= 0.9 * peak)
        worst = sorted(refusals)[int(len(refusals) * 0.99)] if refusals else float("inf")
        seen = f"p99 {worst:.0f} ms of {len(refusals)}"
        yield Row(f"{name}: refusals", f"within {REFUSED_WITHIN} ms", seen, worst <= REFUSED_WITHIN)
        time.sleep(1)
        grown = service.memory / before - 1
        seen = f"{grown:+.1%} of {before >> 20} MB"
        yield Row(f"{name}: memory", "within 10 % of before", seen, grown <= 0.1)
        status = service.ask()[0]
        yield Row(
            f"{name}: afterwards",
            "200, exit code 0",
            seen := f"{status}, {service.stop()}",
            seen == "200, 0",
        )
