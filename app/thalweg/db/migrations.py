"""Migrating a database to this version's tables."""

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from alembic import command
from thalweg.db.session import Database
from thalweg.errors import SettingsError

_PACKED = Path(__file__).parent / "scripts"  # of an installed wheel
_SCRIPTS = _PACKED if _PACKED.is_dir() else Path(__file__).parents[3] / "alembic"


def migrate(database: Database) -> None:
    """Create the tables, or migrate them with all that they hold.

    Raises:
        SettingsError: The scripts are missing, or the database is of a later version.
    """
    if not (_SCRIPTS / "env.py").is_file():
        raise SettingsError(
            f"the migrations are missing: {_SCRIPTS} should hold them; install Thalweg anew, or "
            "run it from a full checkout"
        )
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["database"] = database
    with database.read() as connection:
        version = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise SettingsError(
            f"the database is at version {version}, which this version of Thalweg does not know: "
            "it was written by a later one"
        )
    command.upgrade(config, "head")
