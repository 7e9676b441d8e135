"""Files that packages bring with them, and that are served or sent as they are."""

from importlib.util import find_spec
from pathlib import Path


def folder_of(module: str, package: str) -> Path:
    """Return where a package's files are. It is not imported: they are all that is wanted of it.

    Args:
        module: What it is imported as.
        package: What it is installed as.

    Raises:
        FileNotFoundError: The package is not installed.
    """
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError(f"the {package} package is not installed")
    return Path(spec.submodule_search_locations[0])
