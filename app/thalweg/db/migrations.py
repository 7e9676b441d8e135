"""Bringing a database to this version's tables, and checking that they are what the models say."""

from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from alembic import command
from thalweg.db.session import Database
from thalweg.errors import SettingsError

_PACKED = Path(__file__).parent / "scripts"  # of an installed wheel
_SCRIPTS = _PACKED if _PACKED.is_dir() else Path(__file__).parents[3] / "alembic"


def migrate(database: Database) -> None:
    """Create the tables, or bring them up to date; what they hold is kept.

    Raises:
        SettingsError: The migrations are missing, or the database is of a later version.
    """
    if not (_SCRIPTS / "env.py").is_file():
        raise SettingsError(
            f"the migrations are missing: {_SCRIPTS} should hold them; install Thalweg anew, or "
            "run it from a full checkout"
        )
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    config.attributes["database"] = database
    with database.read() as session:
        present = session.connection().exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE name = 'alembic_version'"
        )
        has_version = present.first() is not None
        version = (
            session.connection().exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            if has_version
            else None
        )
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise SettingsError(
            f"the database is at version {version}, which this version of Thalweg does not know: "
            "it was written by a later one"
        )
    command.upgrade(config, "head")
