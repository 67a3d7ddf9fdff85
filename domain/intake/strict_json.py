"""Strict parsing of JSON, the same at every door: no repeated keys, no constants of JavaScript."""

import json
from collections import Counter
from typing import Any, Final, NoReturn

BYTE_ORDER_MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"


class MalformedJsonError(ValueError):
    """A text that is not JSON."""


class TooDeepJsonError(MalformedJsonError):
    """JSON that nests deeper than it can be parsed."""


class RepeatedKeyError(ValueError):
    """An object of JSON that has a key twice."""

    def __init__(self, key: str) -> None:
        super().__init__("an object has a key twice")
        self.key = key


def parse_json(text: bytes | str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse JSON, refusing repeated keys, NaN and Infinity; bytes are UTF-8 (RFC 8259).

    Their byte order mark is ignored, as that RFC allows.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode(errors="surrogatepass").removeprefix(BYTE_ORDER_MARK)
        return _DECODER.decode(text)
    except RepeatedKeyError:
        raise
    except RecursionError as fault:
        raise TooDeepJsonError("the text nests too deep") from fault
    except ValueError as fault:
        raise MalformedJsonError("the text is not JSON") from fault


def _object_without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        raise RepeatedKeyError(_repeated(pairs))
    return unique


def _repeated(pairs: list[tuple[str, Any]]) -> str:
    """Return a name that several pairs have."""
    ((name, _),) = Counter(name for name, _ in pairs).most_common(1)
    return name


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object_without_repeats, parse_constant=_refuse_constant
)
