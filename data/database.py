"""An open database: SQLite or PostgreSQL by URL, at this version's schema, one writer at a time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from data.errors import MissingExtra, StoreError

MIGRATIONS = Path(__file__).with_name("migrations")
#: How long a writer waits for another process before it gives up.
BUSY_MILLISECONDS = 30_000
#: Every SQLite connection. EXTRA with DELETE survives a power cut right after a commit (WAL of SQLite
#: 3.7.0 to 3.51.2 can lose it); secure_delete overwrites erased texts with zeros.
PRAGMAS = {
    "busy_timeout": BUSY_MILLISECONDS,
    "journal_mode": "DELETE",
    "synchronous": "EXTRA",
    "foreign_keys": "ON",
    "secure_delete": "ON",
}
#: PostgreSQL's counterpart of BEGIN IMMEDIATE: any constant that nothing else in the database locks.
WRITE_LOCK = 0x63676961


class Database:
    """Short transactions on one engine, from any thread."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(writing=True)
        self._writer = threading.Lock()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads; keep it short, as it holds up SQLite's writers."""
        with _reported(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """The only writing transaction there is now: committed at the end, undone by any error."""
        with self._writer, _reported(), self._writing_engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(WRITE_LOCK)))
            yield connection

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


def open_database(url: str) -> Database:
    """The database at an SQLAlchemy URL, created or migrated to this version's schema.

    Raises ``StoreError`` when the URL, the file or the server cannot be used or the schema is newer
    than this version, ``MissingExtra`` when PostgreSQL's driver is not installed.
    """
    database = Database(_engine(url))
    try:
        with database.write() as connection:
            _migrate(connection)
    except BaseException:
        database.close()
        raise
    return database


def _engine(text: str) -> sa.Engine:
    url = _url(text)
    try:
        # Without hide_parameters an error, and then a log, would carry a message's text.
        engine = sa.create_engine(url, hide_parameters=True, pool_pre_ping=True)
    except ModuleNotFoundError:
        raise MissingExtra("psycopg", "postgres") from None
    if url.get_backend_name() == "sqlite":
        sa.event.listen(engine, "connect", _prepare_sqlite)
        sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
        backend = url.get_backend_name().replace("postgres", "postgresql", url.drivername == "postgres")
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise StoreError(
            "the database URL cannot be read; write sqlite:////folder/canhgiac.db or "
            "postgresql://user@host/database in CANHGIAC_DATABASE_URL"
        ) from None
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise StoreError(f"the store cannot use {backend}; give an SQLite or a PostgreSQL URL")
    if url.database in (None, "", ":memory:"):
        raise StoreError("the SQLite URL names no file; write sqlite:////folder/canhgiac.db")
    _make_file(Path(str(url.database)))
    return url.set(drivername="sqlite")


def _make_file(file: Path) -> None:
    """The store's file and folder, for their owner's eyes alone: they hold what people wrote."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{file.parent}: cannot make the store's folder ({error.strerror})") from error
    with suppress(OSError):  # a file that cannot be made is reported where it is opened
        file.touch(mode=0o600)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # Python's driver would begin deferred transactions by itself; ours begin in _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    for name, value in PRAGMAS.items():
        cursor.execute(f"PRAGMA {name}={value}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A deferred transaction that turns into a writing one fails at once with "database is locked";
    # an immediate one waits its turn.
    writing = connection.get_execution_options().get("writing")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _migrate(connection: sa.Connection) -> None:
    """Run the revisions that the database lacks, inside the caller's transaction."""
    from alembic import command
    from alembic.config import Config
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    known = {revision.revision for revision in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise StoreError(
            f"the store's schema ({current}) is newer than this version; upgrade canhgiac, "
            "or point CANHGIAC_DATABASE_URL at another database"
        )
    command.upgrade(config, "head")


@contextmanager
def _reported() -> Iterator[None]:
    """Database errors as ``StoreError``, without the statement's values: they may be a message's text."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"the store failed: {_cause(error)}; nothing was saved, try again") from None


def _cause(error: SQLAlchemyError) -> str:
    """What the database said, where that never quotes a row.

    SQLite never does. PostgreSQL does for refused values, not for what befell the server or the way
    to it, which both drivers call an operational error.
    """
    original = error.orig if isinstance(error, DBAPIError) else error
    name = type(original).__name__
    is_safe = type(original).__module__.startswith("sqlite3") or name == "OperationalError"
    return (str(original).partition("\n")[0] if is_safe else "") or name
