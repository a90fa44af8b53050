"""Alembic's environment: runs the revisions on the connection that ``data.database`` hands over."""

from alembic import context

from data.schema import metadata


def run() -> None:
    """Bring the connection's database to the wanted revision, in the transaction it already has."""
    context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
    with context.begin_transaction():
        context.run_migrations()


# Alembic runs this file under this name; importing it, as a test collector does, does nothing.
if __name__ == "env_py":
    run()
