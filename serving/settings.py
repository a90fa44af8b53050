"""Where the service runs: the ``CANHGIAC_*`` environment. How it judges is the model folder's affair."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from data.errors import BadData

#: Ten letters or digits of the team, then the bundle's identifier.
_APPLE_APP = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def _apple_apps(value: Any) -> Any:
    apps = [app.strip() for app in value.split(",")] if isinstance(value, str) else value
    for app in apps:
        if not _APPLE_APP.fullmatch(app):
            raise BadData(
                f"CANHGIAC_APPLE_APPS: {app!r} is no app; write TEAMID1234.vn.example.app, "
                "several with commas between them"
            )
    return tuple(apps)


class Settings(BaseSettings):
    """Every setting of the service; each is read from ``CANHGIAC_`` and its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="CANHGIAC_", env_ignore_empty=True, frozen=True)

    database_url: str | None = Field(
        default=None,
        repr=False,
        description="SQLAlchemy URL of the store; without it an SQLite file in the state folder. "
        "Use PostgreSQL for more than one machine.",
    )
    state_dir: Path = Field(
        default=Path("var"),
        description="Folder for what the service keeps: the store, the first API key, promoted models.",
    )
    model_dir: Path | None = Field(
        default=None,
        description="Model folder to serve always; without it the promoted model, or else the one "
        "that ships with the service.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None,
        repr=False,
        description="What each client's webhook secret is derived from, at least 32 characters; "
        "without it no webhook is sent.",
    )
    cache_size: int = Field(
        default=20_000,
        ge=0,
        description="Judgments kept for messages that read the same, as copies do; 0 keeps none.",
    )
    apple_apps: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_apple_apps)] = Field(
        default=(),
        description="Apps (TEAMID.bundle.id, with commas between them) whose message filter and "
        "reporting extensions iPhones may send here.",
    )

    @property
    def store_url(self) -> str:
        """The URL of the store in use; may hold a password, so it is never shown."""
        return self.database_url or f"sqlite:///{self.state_dir.absolute() / 'canhgiac.db'}"

    @property
    def first_key_file(self) -> Path:
        """The file that holds the key made on first start."""
        return self.state_dir / "api-key"
