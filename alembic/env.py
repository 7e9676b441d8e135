"""Alembic's entry: runs the migrations on the service's database."""

from alembic import context
from thalweg.db.session import Database
from thalweg.db.tables import METADATA
from thalweg.settings import load

database = context.config.attributes.get("database") or Database(load().url)

with database.engine.connect() as connection:
    context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
