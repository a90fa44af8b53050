"""Where the service runs: the ``CANHGIAC_*`` environment. How it judges is the model folder's affair."""

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from data.errors import BadData

#: Ten letters or digits of the team, then the bundle's identifier.
_APPLE_APP = re.compile(r"[A-Z0-9]{10}\.[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
_ORIGIN = re.compile(r"https?://[a-z0-9.\-]+(:\d+)?")


def _listed(one: re.Pattern[str], complaint: str) -> BeforeValidator:
    """What reads words with commas between them; ``complaint`` says of which one is wrong why."""

    def read(value: Any) -> Any:
        words = [word.strip() for word in value.split(",")] if isinstance(value, str) else value
        for word in words:
            if not one.fullmatch(word):
                raise BadData(complaint.format(repr(word)))
        return tuple(words)

    return BeforeValidator(read)


_APPLE_APPS = _listed(
    _APPLE_APP,
    "CANHGIAC_APPLE_APPS: {} is no app; write TEAMID1234.vn.example.app, several with commas between them",
)
_ORIGINS = _listed(
    _ORIGIN,
    "CANHGIAC_CORS_ORIGINS: {} is no origin; write https://app.example.vn, several "
    "with commas between them; * would let every page on the web call with a key it was given",
)


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
    apple_apps: Annotated[tuple[str, ...], NoDecode, _APPLE_APPS] = Field(
        default=(),
        description="Apps (TEAMID.bundle.id, with commas between them) whose message filter and "
        "reporting extensions iPhones may send here.",
    )
    messages_per_minute: int = Field(
        default=12_000,
        ge=1,
        description="Messages that one key may send a minute, a quarter of them at once; as much as three "
        "quarters of what two cores score, so that no key takes them whole.",
    )
    filter_messages_per_minute: int = Field(
        default=600,
        ge=1,
        description="The same for a key of scope filter, which lies in an app where anybody can find it.",
    )
    concurrency: int = Field(
        default=256,
        ge=2,
        description="Requests in flight, half of them of one key at most; about a second of work. "
        "More are told to come back.",
    )
    answer_seconds: float = Field(
        default=10.0,
        gt=0,
        description="Seconds that a request waits for the model before it is told to come back.",
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode, _ORIGINS] = Field(
        default=(),
        description="Origins of web pages that may call, with commas between them; none by default.",
    )

    @property
    def store_url(self) -> str:
        """The URL of the store in use; may hold a password, so it is never shown."""
        return self.database_url or f"sqlite:///{self.state_dir.absolute() / 'canhgiac.db'}"

    @property
    def first_key_file(self) -> Path:
        """The file that holds the key made on first start."""
        return self.state_dir / "api-key"


def settings_from_environment() -> Settings:
    """The settings; ``BadData`` names the one that cannot be used, and what is wrong with it."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadData(f"CANHGIAC_{str(first['loc'][0]).upper()}: {first['msg']}") from None
