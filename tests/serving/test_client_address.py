"""Where the Python client sends its key, and where it never shows it."""

from typing import Any

import pytest

URL = "https://canhgiac.example"
KEY = "cg_secret"


def test_a_path_before_the_api_is_kept(kind: Any) -> None:
    client = kind(f"{URL}/canhgiac/", KEY)
    assert client._http.build_request("POST", "/v1/classify").url == f"{URL}/canhgiac/v1/classify"


@pytest.mark.parametrize(
    "url", ["http://canhgiac.example", "http://10.0.0.7:8000", "http://127.evil.example"]
)
def test_a_key_does_not_travel_unencrypted_unless_it_is_said(kind: Any, url: str) -> None:
    with pytest.raises(ValueError, match="use https"):
        kind(url, KEY)
    kind(url, KEY, allow_plain_http=True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"])
def test_this_machine_may_be_asked_unencrypted_and_then_by_no_proxy(kind: Any, url: str) -> None:
    assert kind(url, KEY)._http.trust_env is False


@pytest.mark.parametrize(
    "url",
    [
        "canhgiac.example",
        "ftp://x",
        "https://",
        "https://u:p@host",
        "https://h?key=1",
        "https://h#a",
        "https://h:x",
    ],
)
def test_a_url_that_cannot_be_used_is_refused_at_once(kind: Any, url: str) -> None:
    with pytest.raises(ValueError, match="URL"):
        kind(url, KEY)


@pytest.mark.parametrize("key", ["", " \n", "cg_ab cd", "cg_khóa"])
def test_a_key_that_cannot_be_one_is_refused_without_repeating_it(kind: Any, key: str) -> None:
    with pytest.raises(ValueError, match="the key") as caught:
        kind(URL, key)
    assert not key.strip() or key not in str(caught.value)


def test_a_key_read_from_a_file_may_end_with_its_line_break(kind: Any) -> None:
    assert kind(URL, KEY + "\n")._http.headers["Authorization"] == f"Bearer {KEY}"


def test_the_key_is_in_no_repr(kind: Any) -> None:
    client = kind(URL, KEY)
    shown = repr(client) + repr(vars(client))
    assert URL in shown
    assert KEY not in shown


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"deadline": -1}, {"retries": -1}])
def test_patience_that_cannot_be_is_refused(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be positive"):
        kind(URL, KEY, **wrong)
