"""What the library `limits` asks of a store, answered from windows counted beforehand."""

from collections.abc import Mapping

from limits.aio.storage import Storage

from db.rate_windows import Window


class Counted(Storage):
    """The windows of one request, which Postgres has counted in a single statement."""

    STORAGE_SCHEME = None

    def __init__(self, windows: Mapping[str, Window]) -> None:
        super().__init__()
        self._windows = dict(windows)

    @property
    def base_exceptions(self) -> type[Exception]:
        return LookupError

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Counted already, as one hit."""
        return self._windows[key].hits

    async def get(self, key: str) -> int:
        window = self._windows.get(key)
        return window.hits if window else 0

    async def get_expiry(self, key: str) -> float:
        window = self._windows.get(key)
        return window.ends_at.timestamp() if window else 0.0

    async def check(self) -> bool:
        return True

    async def reset(self) -> int:
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    async def clear(self, key: str) -> None:
        self._windows.pop(key, None)
