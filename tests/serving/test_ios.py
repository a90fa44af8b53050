"""The contracts of Apple's phones: filter, report, and which apps may ask."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from data.errors import BadData
from data.store import SCOPES, Store, open_store
from data.taxonomy import taxonomy
from serving import examples
from serving.answers import Answer
from serving.app import create_app
from serving.apple import PLACEMENTS, placement
from serving.settings import Settings

CANARY = "chimhoangyen"
SCAM = "Tai khoan cua ban bi khoa, dang nhap http://vcb-xacthuc.top"
QUERY: dict[str, Any] = {
    "_version": 1,
    "query": {"sender": "0901234567", "message": {"text": SCAM}},
    "app": {"version": "1.1"},
}
REPORT: dict[str, Any] = {
    "_version": 1,
    "app": {"version": "1.1"},
    "userInfo": {
        "id": "0d7c3f6e",
        "text": SCAM,
        "sender": "0901234567",
        "verdict": "legitimate",
        "proposed_label": "scam",
        "consent": True,
    },
}
CASES = [("filter", QUERY), ("report", REPORT)]
Bearer = Callable[..., dict[str, str]]


@pytest.fixture
def store(client: TestClient, settings: Settings) -> Iterator[Store]:
    store = open_store(settings.store_url)
    yield store
    store.close()


@pytest.fixture
def token(store: Store) -> str:
    return store.create_key("iphone", ["filter"])


@pytest.fixture
def ask(client: TestClient, token: str) -> Callable[[Any], Any]:
    return lambda body: client.post(f"/ios/filter/{token}", json=body)


@pytest.fixture
def report(client: TestClient, token: str) -> Callable[[Any], Any]:
    return lambda body: client.post(f"/ios/report/{token}", json=body)


def _with(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the body with another value at a dotted path; ``...`` takes it away."""
    changed = copy.deepcopy(body)
    *parents, last = path.split(".")
    inner = changed
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return changed


def test_a_scam_is_junk_and_a_code_a_transaction(ask: Callable[[Any], Any]) -> None:
    answer = ask(QUERY)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"action": "junk", "sub_action": "none"}
    code = ask(_with(QUERY, "query.message.text", "Ma OTP la 482913"))
    assert code.json() == {"action": "transaction", "sub_action": "transactionalOthers"}


def test_every_legitimate_category_has_its_place_and_no_other_has() -> None:
    assert list(PLACEMENTS) == [category.id for category in taxonomy().categories_of("legitimate")]


def test_only_a_scam_verdict_makes_junk_whatever_the_category() -> None:
    for category in taxonomy().categories:
        told = {**examples.ANSWER, "category": {**examples.ANSWER["category"], "id": category.id}}
        unsure = Answer.model_validate({**told, "verdict": "unsure"})
        assert placement(unsure) == ("none", "none")
        verdict = placement(Answer.model_validate({**told, "verdict": category.label}))
        assert (verdict == ("junk", "none")) == (category.label == "scam")


def test_a_sub_action_is_one_of_its_action() -> None:
    prefixes = {"transaction": "transactional", "promotion": "promotional", "none": "none"}
    for place in PLACEMENTS.values():
        assert place.sub_action.startswith(prefixes[place.action])


@pytest.mark.parametrize("path", ["new", "query.receiverISOCountryCode", "query.message.kind", "app.build"])
def test_what_apple_adds_does_not_disturb(ask: Callable[[Any], Any], path: str) -> None:
    assert ask(_with(QUERY, path, {"a": [1]})).json()["action"] == "junk"


@pytest.mark.parametrize(
    ("path", "value"),
    [("app", ...), ("query.sender", ...), ("query.sender", None), ("query.sender", ""), ("_version", 2)],
)
def test_what_the_answer_does_not_need_may_be_missing(
    ask: Callable[[Any], Any], path: str, value: Any
) -> None:
    assert ask(_with(QUERY, path, value)).json()["action"] == "junk"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("_version", ...),
        ("_version", "1"),
        ("query", ...),
        ("query", [CANARY]),
        ("query.sender", 901234567),
        ("query.sender", CANARY * 20),
        ("query.message", CANARY),
        ("query.message.text", ...),
        ("query.message.text", None),
        ("query.message.text", [CANARY]),
        ("query.message.text", "  "),
        ("query.message.text", f"\x00{CANARY}"),
        ("query.message.text", CANARY * 200),
        ("app", CANARY),
        ("app.version", 1),
    ],
)
def test_a_wrong_type_is_a_problem_that_never_repeats_what_was_sent(
    ask: Callable[[Any], Any],
    numbers: Callable[[], str],
    caplog: pytest.LogCaptureFixture,
    path: str,
    value: Any,
) -> None:
    answer = ask(_with(QUERY, path, value))
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert CANARY not in answer.text + caplog.text + numbers()


def test_apples_content_type_with_a_charset_is_taken(client: TestClient, token: str) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8", "Accept": "*/*"}
    body = b'{"_version":1,"query":{"sender":"1","message":{"text":"khoa"}},"app":{"version":"1"}}'
    answer = client.post(f"/ios/filter/{token}", content=body, headers=headers)
    assert answer.json()["action"] == "junk"


def test_nothing_that_is_filtered_is_stored(ask: Callable[[Any], Any], settings: Settings) -> None:
    ask(_with(QUERY, "query.message.text", f"khoa {CANARY}"))
    files = [path for path in settings.state_dir.rglob("*") if path.is_file()]
    assert files
    assert not any(CANARY.encode() in path.read_bytes() for path in files)


@pytest.mark.parametrize(("route", "body"), CASES)
def test_an_unknown_or_revoked_token_is_refused(
    client: TestClient, store: Store, token: str, route: str, body: Any
) -> None:
    assert client.post(f"/ios/{route}/{token}", json=body).status_code in (200, 202)
    assert client.post(f"/ios/{route}/cg_unknown", json=body).status_code == 401
    assert client.post(f"/ios/{route}/%00%ff", json=body).status_code == 401
    gone = store.create_key("gone", ["filter"])
    store.revoke_key("gone")
    refused = client.post(f"/ios/{route}/{gone}", json=body)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(("route", "body"), CASES)
@pytest.mark.parametrize("scopes", [*([scope] for scope in SCOPES if scope != "filter"), SCOPES])
def test_a_key_that_may_do_more_has_no_place_in_an_address(
    client: TestClient, store: Store, scopes: Any, route: str, body: Any
) -> None:
    strong = store.create_key("strong", scopes)
    answer = client.post(f"/ios/{route}/{strong}", json=body)
    assert answer.status_code == 403
    assert "revoked" in answer.json()["detail"]
    assert store.queue_size() == 0


def test_a_filter_key_opens_nothing_else(client: TestClient, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    assert client.post("/v1/classify", json={"text": "a"}, headers=headers).status_code == 403
    assert client.post("/predict", json={"inputs": "a"}, headers=headers).status_code == 403


@pytest.mark.parametrize(("route", "body"), CASES)
def test_the_token_is_in_no_answer_log_or_number(  # noqa: PLR0917
    client: TestClient,
    store: Store,
    caplog: pytest.LogCaptureFixture,
    numbers: Callable[[], str],
    route: str,
    body: Any,
) -> None:
    caplog.set_level("DEBUG")
    good, strong = store.create_key("good", ["filter"]), store.create_key("strong", SCOPES)
    seen = [
        client.post(f"/ios/{route}/{good}", json=body).text,
        client.post(f"/ios/{route}/{good}", content=b"no JSON").text,
        client.post(f"/ios/{route}/{good}", json={}).text,
        client.post(f"/ios/{route}/{good}", json=_with(QUERY, "query.message.text", "explode")).text,
        client.get(f"/ios/{route}/{good}").text,
        client.post(f"/ios/{route}/{good}/", json=body).text,
        client.post(f"/ios/{route}/{strong}", json=body).text,
        client.post(f"/ios/{route}/{good}x", json=body).text,
        numbers(),
    ]
    logged = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert any(line.startswith(f"POST /ios/{route}/{{token}} 20") for line in logged)
    for secret in (good, strong):
        assert secret not in "".join(seen + logged)


def test_a_report_waits_for_an_annotator_like_any_feedback(
    report: Callable[[Any], Any], store: Store
) -> None:
    answer = report(REPORT)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    [item] = store.next_for_review(annotator="officer")
    assert item.id == answer.json()["id"]
    assert item.conversation.sender == "0901234567"
    assert item.guess is not None
    assert item.guess.score == 0.9


def test_a_report_sent_again_is_stored_once_and_other_content_is_refused(
    report: Callable[[Any], Any], store: Store
) -> None:
    assert report(REPORT).json() == report(REPORT).json()
    [item] = store.next_for_review(annotator="officer")
    assert item.wave_size == 1
    answer = report(_with(REPORT, "userInfo.text", "khác"))
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("key-reused")


def test_a_report_without_consent_is_not_stored(report: Callable[[Any], Any], store: Store) -> None:
    for consent in (False, ...):
        answer = report(_with(REPORT, "userInfo.consent", consent))
        assert answer.status_code == 422
        assert "consent" in answer.json()["errors"][0]["where"]
    assert store.queue_size() == 0


def test_a_report_masks_what_identifies_the_victim(report: Callable[[Any], Any], store: Store) -> None:
    report(_with(REPORT, "userInfo.text", "Ma OTP cua quy khach la 482913"))
    [item] = store.next_for_review(annotator="officer")
    assert "482913" not in item.conversation.text


def test_a_report_is_open_where_apple_speaks_and_closed_where_we_do(report: Callable[[Any], Any]) -> None:
    assert report(_with(REPORT, "new", 1)).status_code == 202
    answer = report(_with(REPORT, f"userInfo.{CANARY}", CANARY))
    assert answer.status_code == 422
    assert CANARY not in answer.text
    for value in (..., "", "two words", 7):
        answer = report(_with(REPORT, "userInfo.id", value))
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["where"] == "userInfo.id"


def test_the_apps_of_the_setting_are_told_to_apple(settings: Settings, load: Any) -> None:
    apps = ("ABCDE12345.vn.example.loc", "ABCDE12345.vn.example.loc.filter")
    app = create_app(settings.model_copy(update={"apple_apps": apps}), load=load)
    with TestClient(app) as client:
        answer = client.get("/.well-known/apple-app-site-association")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "messagefilter": {"apps": list(apps)},
        "classificationreport": {"apps": list(apps)},
    }


def test_without_apps_there_is_nothing_to_tell_apple(client: TestClient) -> None:
    answer = client.get("/.well-known/apple-app-site-association")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_apps_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANHGIAC_APPLE_APPS", "ABCDE12345.vn.example.loc, ABCDE12345.vn.example.loc2")
    assert Settings().apple_apps == ("ABCDE12345.vn.example.loc", "ABCDE12345.vn.example.loc2")
    monkeypatch.setenv("CANHGIAC_APPLE_APPS", "")
    assert Settings().apple_apps == ()


@pytest.mark.parametrize(
    "value",
    ["vn.example.loc", "ABCDE12345", "ABCDE12345.", "abcde12345.vn.example", "ABCDE12345.vn.a b", ","],
)
def test_an_app_that_is_none_is_one_sentence(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadData, match="CANHGIAC_APPLE_APPS"):
        Settings(state_dir=tmp_path, apple_apps=value)  # type: ignore[arg-type]
