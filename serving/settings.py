"""Where the service runs: the ``CANHGIAC_*`` environment. How it judges is the model folder's affair."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from data.errors import CanhGiacError

_ORIGIN = re.compile(r"https?://[a-z0-9.\-]+(:\d+)?")


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
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Origins of web pages that may call the service, separated by commas; none by default.",
    )

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _origins(cls, value: object) -> object:
        origins = value.replace(",", " ").split() if isinstance(value, str) else value
        if isinstance(origins, list | tuple) and not all(_ORIGIN.fullmatch(str(o)) for o in origins):
            raise ValueError(
                "name each origin as https://app.example.vn, without a path; * would let every page on "
                "the web call with a key it was given"
            )
        return origins

    @property
    def store_url(self) -> str:
        """The URL of the store in use; may hold a password, so it is never shown."""
        return self.database_url or f"sqlite:///{self.state_dir.absolute() / 'canhgiac.db'}"

    @property
    def first_key_file(self) -> Path:
        """The file that holds the key made on first start."""
        return self.state_dir / "api-key"


def settings_from_environment() -> Settings:
    """The settings; ``CanhGiacError`` names the one that cannot be used, never its value."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        what = first["msg"].removeprefix("Value error, ")
        raise CanhGiacError(f"CANHGIAC_{str(first['loc'][0]).upper()}: {what}") from None
