"""Version of this release, as `referrals --version` prints it and `pyproject.toml` names it."""

from typing import Final

VERSION: Final = "0.3.0.dev0"
