"""The name of the person at the command line."""

import getpass


def system_user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a user id without a name.
        return "operator"
