"""Where the Python client sends its requests, with which key: checked before the first is sent."""

import ipaddress
import re
from typing import Any

import httpx


def connection(url: str, key: str, *, allow_plain_http: bool = False) -> dict[str, Any]:
    """What an httpx client is made with; ``ValueError``, which repeats neither, when it would not do.

    Over plain HTTP no proxy of the environment is used: the key would leave this machine by it.

    >>> list(connection("https://canhgiac.example", "cg_1"))
    ['base_url', 'headers', 'trust_env']
    """
    key = key.strip()  # files end with a line break
    if not re.fullmatch(r"[\x21-\x7e]+", key):
        raise ValueError("the key is empty or holds what no key has; it begins with cg_")
    base = _base(url)
    if base.scheme == "http" and not (allow_plain_http or _is_this_machine(base.host)):
        raise ValueError("over http:// anybody on the way reads the key; use https://")
    headers = {"Authorization": f"Bearer {key}"}
    return {"base_url": base, "headers": headers, "trust_env": base.scheme == "https"}


def _base(url: str) -> httpx.URL:
    try:
        base = httpx.URL(url)
    except httpx.InvalidURL:
        base = httpx.URL()
    if base.scheme not in ("http", "https") or not base.host:
        raise ValueError("the URL is not one; write it as https://host or https://host/path")
    if base.userinfo or base.query or base.fragment:
        raise ValueError("the URL holds more than a host and a path; the key is given apart")
    return base


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
