"""Signatures by which a receiver knows our webhooks: https://www.standardwebhooks.com, symmetric.

A secret that signs cannot be kept as a hash, so none is kept: each client's is derived from the
service's own secret and the client's name. Who changes the service's secret changes all of them.
"""

import base64
import hmac
from datetime import datetime

from pydantic import SecretStr

from data.errors import CanhGiacError

PREFIX = "whsec_"
MIN_CHARACTERS = 32


def signing_key(setting: SecretStr | None) -> bytes | None:
    """The service's own secret; None without one: webhooks are off. ``CanhGiacError`` for a short one."""
    if setting is None:
        return None
    secret = setting.get_secret_value()
    if len(secret) < MIN_CHARACTERS:
        raise CanhGiacError(
            f"CANHGIAC_WEBHOOK_SECRET has fewer than {MIN_CHARACTERS} characters; "
            "make one with: openssl rand -base64 32"
        )
    return secret.encode()


def client_secret(key: bytes, client: str) -> str:
    """A client's secret, ``whsec_`` and 32 bytes in base64, always the same for a key and a name.

    HMAC-SHA256 keyed with the service's secret: nobody who knows one client's secret learns another's.
    """
    derived = hmac.digest(key, b"canhgiac webhook 1\0" + client.encode("utf-8", "replace"), "sha256")
    return PREFIX + base64.b64encode(derived).decode()


def signed(secret: str, event_id: str, at: datetime, body: str) -> dict[str, str]:
    """The three headers of a webhook that is sent at ``at``.

    The example's signature is what the reference library ``standardwebhooks`` 1.1.0 gives.

    >>> at = datetime.fromisoformat("2021-02-25T15:02:10Z")
    >>> secret, event_id = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxEek"
    >>> signed(secret, event_id, at, '{"test": 2432232314}')["webhook-signature"]
    'v1,xm3N4+aKmqpsHqf2GrAK/g6ew7J0s6ILlNe44yY/l78='
    """
    timestamp = str(int(at.timestamp()))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{event_id}.{timestamp}.{body}".encode(), "sha256")
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
