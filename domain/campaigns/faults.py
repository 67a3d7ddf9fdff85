"""Faults of terms, each with the path of the field that is wrong."""


class TermsFaultError(ValueError):
    """A field of terms that is wrong, by its path, such as `terms.when.all[1].value`."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message
