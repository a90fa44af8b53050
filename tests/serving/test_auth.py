"""API keys and scopes: who may ask what, and that the store is not asked each time."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.errors import StoreError
from data.keys import digest_of
from data.store import SCOPES, Key, Scope, open_store
from serving.app import create_app
from serving.keyring import READS_AT_ONCE, TRUSTED_SECONDS, Keyring
from serving.limits import REFUSALS_AT_ONCE, network_of
from serving.problems import Problem
from serving.settings import Settings

#: What each route asks for; None is open to everybody. A new route needs its line here.
SCOPE_OF: dict[str, Scope | None] = {
    "POST /v1/classify": "classify",
    "POST /v1/classify/batch": "classify",
    "POST /predict": "classify",
    "POST /v1/feedback": "feedback",
    "POST /ios/filter/{token}": "filter",
    "POST /ios/report/{token}": "filter",
    "GET /v1/review/next": "label",
    "POST /v1/review/labels": "label",
    "GET /healthz": None,
    "GET /readyz": None,
    "GET /metrics": "metrics",
    "GET /openapi.json": None,
    "GET /.well-known/apple-app-site-association": None,
}
GUARDED = [(route, scope) for route, scope in SCOPE_OF.items() if scope is not None]
BY_HEADER = [(route, scope) for route, scope in GUARDED if "{token}" not in route]
WITHOUT_KEY = [None, "Bearer cg_unknown", "Bearer", "Basic YTpi", "cg_unknown", "Bearer \xe1", "bearer  "]
Bearer = Callable[..., dict[str, str]]


def ask(client: TestClient, route: str, headers: Mapping[str, str] | None = None) -> int:
    """The status of a request that gets past the door and no further: its body is not even JSON."""
    method, _, path = route.partition(" ")
    sent = {"Content-Type": "application/json", **(headers or {})}
    path = path.format(token=sent.get("Authorization", "").removeprefix("Bearer "))
    content = b"no JSON" if method == "POST" else None
    return client.request(method, path, headers=sent, content=content).status_code


def declared(routes: Iterable[Any]) -> Iterator[str]:
    """Every method and path of an application's routes; newer FastAPI keeps an included router whole."""
    for route in routes:
        if hasattr(route, "original_router"):
            yield from declared(route.effective_route_contexts())
        else:
            yield from (f"{method} {route.path}" for method in route.methods - {"HEAD"})


def test_every_route_says_what_it_asks_for(settings: Settings) -> None:
    assert sorted(declared(create_app(settings).routes)) == sorted(SCOPE_OF)


@pytest.mark.parametrize("route", [route for route, scope in SCOPE_OF.items() if scope is None])
def test_an_open_route_answers_whoever_asks(client: TestClient, bearer: Bearer, route: str) -> None:
    unknown = {"Authorization": "Bearer cg_unknown"}
    answers = [ask(client, route, headers) for headers in (None, unknown, bearer("label"))]
    assert answers == [404 if ".well-known" in route else 200] * 3  # no app is named


@pytest.mark.parametrize(("route", "scope"), GUARDED)
def test_a_guarded_route_answers_its_scope_and_admin_alone(
    client: TestClient, bearer: Bearer, route: str, scope: Scope
) -> None:
    passed = 200 if route.startswith("GET") else 400
    allowed = {scope} if "{token}" in route else {scope, "admin"}  # an address is no place for an admin's
    expected = {own: passed if own in allowed else 403 for own in SCOPES}
    assert {own: ask(client, route, bearer(own, name=own)) for own in SCOPES} == expected


@pytest.mark.parametrize("route", [route for route, scope in GUARDED if "{token}" in route])
def test_an_unknown_or_revoked_key_in_an_address_is_refused(
    client: TestClient, bearer: Bearer, settings: Settings, route: str
) -> None:
    gone = bearer("filter", name="gone")
    _revoke(settings, "gone")
    assert [ask(client, route, headers) for headers in (gone, {"Authorization": "cg_x"})] == [401, 401]


@pytest.mark.parametrize(("route", "scope"), BY_HEADER)
def test_without_a_valid_key_nothing_is_read(
    client: TestClient, bearer: Bearer, settings: Settings, route: str, scope: Scope
) -> None:
    gone = bearer(*SCOPES, name="gone")["Authorization"]
    _revoke(settings, "gone")
    method, _, path = route.partition(" ")
    for value in (*WITHOUT_KEY, gone):
        headers = {b"Authorization": value.encode("latin-1")} if value else {}
        answer = client.request(method, path, headers=headers, content=b"not even JSON")
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_key_without_the_scope_hears_which_one_is_missing(client: TestClient, bearer: Bearer) -> None:
    answer = client.post("/v1/feedback", headers=bearer("classify", "label"))
    assert answer.status_code == 403
    assert "scope feedback" in answer.json()["detail"]
    assert 'scope="feedback"' in answer.headers["WWW-Authenticate"]


def test_a_key_in_use_ends_within_seconds_of_its_revocation(
    client: TestClient, bearer: Bearer, settings: Settings
) -> None:
    headers = bearer("classify", name="gone")
    assert client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 200
    _revoke(settings, "gone")
    began = time.monotonic()
    while client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 200:
        assert time.monotonic() - began < 5
        time.sleep(0.05)
    assert client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 401


def test_an_address_with_too_many_refusals_hears_429_but_its_valid_keys_go_on(
    client: TestClient, bearer: Bearer
) -> None:
    headers = bearer("classify")
    assert client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 200
    guess = {"Authorization": "Bearer cg_guess"}
    answers = [client.post("/v1/classify", headers=guess) for _ in range(REFUSALS_AT_ONCE + 1)]
    assert [answer.status_code for answer in answers[-3:-1]] in ([401, 401], [401, 429])
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("x" * 1000, "x" * 64),
    ],
)
def test_an_address_counts_with_all_that_its_owner_can_take(address: str, network: str) -> None:
    assert network_of(address) == network


# The keys in memory


class Table:
    """A store of keys that counts its readings; ``fails`` and ``gate`` are for when it does not answer."""

    def __init__(self, *tokens: str) -> None:
        self.tokens, self.readings, self.fails = list(tokens), 0, False
        self.gate = threading.Event()
        self.gate.set()

    def read(self) -> dict[str, Key]:
        self.readings += 1
        self.gate.wait(5)
        if self.fails:
            raise StoreError("the store failed")
        made = datetime.now(UTC)
        return {digest_of(t): Key(t, t, frozenset(["classify"]), True, made, None) for t in self.tokens}


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def with_ring(table: Table, test: Callable[[Keyring, Clock], Awaitable[None]], seconds: float = 60) -> None:
    """Run ``test`` with a started keyring that has read the table once."""

    async def run() -> None:
        clock = Clock()
        ring = Keyring(table.read, seconds=seconds, patience=0.1, clock=clock)
        await ring.start()
        await ring.found("")
        try:
            await test(ring, clock)
        finally:
            table.gate.set()
            await ring.close()

    asyncio.run(run())


def test_a_known_key_costs_no_reading() -> None:
    table = Table("cg_a")

    async def test(ring: Keyring, clock: Clock) -> None:
        before = table.readings
        assert all(ring.known("cg_a") for _ in range(1000))
        assert table.readings == before

    with_ring(table, test)


def test_a_new_key_works_at_once() -> None:
    table = Table()

    async def test(ring: Keyring, clock: Clock) -> None:
        table.tokens.append("cg_new")
        assert ring.known("cg_new") is None
        assert await ring.found("cg_new") is not None

    with_ring(table, test)


def test_guesses_cost_the_store_a_few_readings_and_no_more() -> None:
    table = Table("cg_a")

    async def test(ring: Keyring, clock: Clock) -> None:
        found = await asyncio.gather(*(ring.found(f"cg_{guess}") for guess in range(500)))
        for guess in range(500):
            found.append(await ring.found(f"cg_{guess}"))
        assert found == [None] * 1000
        assert table.readings <= READS_AT_ONCE + 2

    with_ring(table, test)


def test_the_table_is_read_again_and_again_without_being_asked() -> None:
    table = Table("cg_a")

    async def test(ring: Keyring, clock: Clock) -> None:
        table.tokens.clear()
        async with asyncio.timeout(5):
            while ring.known("cg_a"):
                await asyncio.sleep(0.005)

    with_ring(table, test, seconds=0.01)


def test_while_the_store_fails_known_keys_go_on_for_a_minute_and_unknown_ones_hear_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    table = Table("cg_a")

    async def test(ring: Keyring, clock: Clock) -> None:
        table.fails = True
        for _ in range(2 * READS_AT_ONCE):  # also when no more readings are to be had
            with pytest.raises(Problem, match="nothing was read") as refused:
                await ring.found("cg_b")
            assert refused.value.kind == "store-not-ready"
        clock.now += TRUSTED_SECONDS
        assert ring.known("cg_a") is not None
        clock.now += 1
        with pytest.raises(Problem):
            ring.known("cg_a")
        table.fails = False
        assert await ring.found("cg_a") is not None

    with_ring(table, test)
    assert caplog.text.count("the keys were not read") == 1


def test_a_store_that_hangs_holds_nobody_up() -> None:
    table = Table("cg_a")

    async def test(ring: Keyring, clock: Clock) -> None:
        table.gate.clear()
        began = time.monotonic()
        waiting = [asyncio.create_task(ring.found("cg_b")) for _ in range(50)]
        await asyncio.sleep(0.01)
        assert ring.known("cg_a") is not None
        outcomes = await asyncio.gather(*waiting, return_exceptions=True)
        assert time.monotonic() - began < 2
        assert all(isinstance(outcome, Problem) for outcome in outcomes[: READS_AT_ONCE - 1])
        with pytest.raises(Problem):
            await ring.found("cg_b")

    with_ring(table, test)


def _revoke(settings: Settings, name: str) -> None:
    store = open_store(settings.store_url)
    store.revoke_key(name)
    store.close()
