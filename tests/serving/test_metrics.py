"""What /metrics tells: enough to run the service by, and never a text."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from data.taxonomy import taxonomy
from model.verdict import VERDICTS
from serving.metrics import Metrics


def numbers(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_a_p99_of_some_50_ms_can_be_read_to_within_ten_milliseconds() -> None:
    metrics = Metrics()
    metrics.request("POST /v1/classify", 200, 0.052)
    bounds = [
        float(one) for one in re.findall(r'canhgiac_request_seconds_bucket{le="([\d.]+)"', numbers(metrics))
    ]
    near = [bound for bound in bounds if 0.02 <= bound <= 0.06]
    assert max(b - a for a, b in pairwise(near)) <= 0.0101
    assert 'canhgiac_requests_total{route="POST /v1/classify",status="200"} 1.0' in numbers(metrics)


@pytest.mark.parametrize("name", ["queue_seconds", "model_seconds"])
def test_waiting_and_the_model_are_timed_apart(name: str) -> None:
    metrics = Metrics()
    getattr(metrics, name).observe(0.004)
    assert f"canhgiac_{name}_count 1.0" in numbers(metrics)
    assert f'canhgiac_{name}_bucket{{le="0.005"}} 1.0' in numbers(metrics)


def test_the_cache_counts_hits_and_misses() -> None:
    metrics = Metrics()
    metrics.cache.labels("hit").inc()
    assert 'canhgiac_cache_total{result="hit"} 1.0' in numbers(metrics)


def test_verdicts_are_counted_by_verdict_and_category_of_the_taxonomy(
    client: TestClient, bearer: Callable[..., dict[str, str]]
) -> None:
    headers = bearer("classify", "metrics")
    for text in ("Tai khoan bi khoa", "Ma OTP la 482913"):
        client.post("/v1/classify", json={"text": text}, headers=headers)
    told = re.findall(
        r'canhgiac_verdicts_total{category="(\w+)",verdict="(\w+)"} (\S+)',
        client.get("/metrics", headers=headers).text,
    )
    assert ("bank_impersonation", "scam", "1.0") in told
    assert {category for category, _, _ in told} <= set(taxonomy().ids)
    assert {verdict for _, verdict, _ in told} <= set(VERDICTS)


def test_a_new_model_and_a_broken_one_are_counted(
    client: TestClient, write_model: Callable[[str], None], bearer: Callable[..., dict[str, str]]
) -> None:
    headers = bearer("metrics")
    assert 'canhgiac_model_loads_total{result="ok"} 1.0' in client.get("/metrics", headers=headers).text
    write_model("broken")
    for _ in range(200):
        numbers = client.get("/metrics", headers=headers).text
        if 'canhgiac_model_loads_total{result="failed"} 1.0' in numbers:
            break
    else:
        pytest.fail("the broken model was not counted")
    assert 'canhgiac_model{version="v1"} 1.0' in numbers


def test_the_process_itself_is_told(client: TestClient, bearer: Callable[..., dict[str, str]]) -> None:
    told = client.get("/metrics", headers=bearer("metrics")).text
    for name in ("process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"):
        assert re.search(rf"^{name} \d", told, re.MULTILINE), name
