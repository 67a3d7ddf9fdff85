"""A form in progress: texts under dotted names, such as `when.children.1.value`, as nested values.

What was typed is kept as it was typed, so that a refused form shows it again.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

Node = dict[str, Any]
"""Texts and further nodes by name, and lists of nodes."""
LISTS: Final = frozenset({"children", "limits", "places", "rewards", "tiers", "variants"})
NODES: Final = frozenset({"when"})
MAX_SEGMENTS: Final = 40
"""Bound of the parts of one name: the deepest tree of conditions has fewer."""


def nest(fields: Mapping[str, str]) -> Node:
    """Return the fields of a form as a tree; names that contradict each other are left out."""
    root: Node = {}
    for name, value in fields.items():
        segments = name.split(".")
        if len(segments) <= MAX_SEGMENTS:
            _put(root, segments, value)
    return _known(_with_lists(root))


def _known(node: Node) -> Node:
    """Return a node whose lists hold nodes, and whose other values are texts."""
    found: Node = {}
    for name, value in node.items():
        if name in LISTS:
            found[name] = [_known(one) for one in items(node, name)]
        elif name in NODES and isinstance(value, dict):
            found[name] = _known(value)
        elif name not in NODES and isinstance(value, str):
            found[name] = value
    return found


def text(node: Node, name: str) -> str:
    """Return a field without the blanks around it; nothing where there is none."""
    value = node.get(name)
    return value.strip() if isinstance(value, str) else ""


def items(node: Node, name: str) -> list[Node]:
    """Return the nodes of a list; none where there is no such list."""
    value = node.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def find(root: Node, path: str) -> tuple[Any, str | int] | None:
    """Return the value in which the last part of a path stands, and that part; None for neither."""
    held: Any = root
    *way, last = path.split(".")
    for segment in way:
        held = _child(held, segment)
        if held is None:
            return None
    if isinstance(held, list):
        index = int(last) if last.isascii() and last.isdigit() else len(held)
        return (held, index) if index < len(held) else None
    return (held, last) if isinstance(held, dict) else None


def _child(held: object, segment: str) -> object:
    if isinstance(held, dict):
        return held.get(segment)
    if isinstance(held, list) and segment.isascii() and segment.isdigit():
        return held[int(segment)] if int(segment) < len(held) else None
    return None


def _put(root: Node, segments: list[str], value: str) -> None:
    held = root
    for segment in segments[:-1]:
        below = held.setdefault(segment, {})
        if not isinstance(below, dict):
            return
        held = below
    held.setdefault(segments[-1], value)


def _with_lists(node: Node) -> Node:
    return {name: _listed(value) for name, value in node.items()}


def _listed(value: object) -> object:
    """Return a node whose names are all numbers as a list, in their order."""
    if not isinstance(value, dict):
        return value
    if value and all(_is_index(name) for name in value):
        return [_listed(one) for _, one in sorted(value.items(), key=_by_index)]
    return _with_lists(value)


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) <= 6


def _by_index(item: tuple[str, object]) -> int:
    return int(item[0])


def names(node: Node, prefix: str = "") -> Iterator[str]:
    """Yield the names of all texts of a form in progress."""
    for name, value in node.items():
        if isinstance(value, dict):
            yield from names(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if isinstance(one, dict):
                    yield from names(one, f"{prefix}{name}.{index}.")
        else:
            yield f"{prefix}{name}"
