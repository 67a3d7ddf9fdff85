"""YAML that says what JSON says: a campaign must not be read otherwise than it was meant.

YAML 1.1 reads `NO` as false, `010` as 8, `1:30` as 90 and a key that stands twice as its last
value. Here texts are texts, and what JSON does not have is refused with its line.
"""

import re
from collections.abc import Hashable
from typing import Any, Final

import yaml

MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 64
"""Bounds of a file with its aliases written out: they can say more than any machine can hold."""
TOO_LARGE: Final = f"is deeper than {MAX_DEPTH}, or of over {MAX_NODES} values"
_TAG: Final = "tag:yaml.org,2002:"
_SCALARS: Final = (
    ("bool", re.compile(r"true|false"), "tf"),
    ("null", re.compile(r"null|~|"), ["n", "~", ""]),
    ("int", re.compile(r"-?(?:0|[1-9][0-9]{0,18})"), "-0123456789"),
    ("merge", re.compile(r"<<"), "<"),
)
_KINDS: Final = frozenset(
    _TAG + kind for kind in ("bool", "null", "int", "str", "seq", "map", "merge")
)


def read_yaml(text: str) -> Any:  # noqa: ANN401 - whatever JSON may say
    """Return what the text says, or raise yaml.YAMLError with the line at fault."""
    loader = _PlainLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _Bounds().check(node, depth=1)
        return loader.construct_document(node)
    finally:
        loader.dispose()


class _PlainLoader(yaml.SafeLoader):
    """Objects with keys that are texts and stand once, lists, and the scalars of JSON."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Compose a node; yaml.YAMLError before its depth exhausts the interpreter's stack."""
        if parent is not None and self._depth >= MAX_DEPTH:
            raise _fault(TOO_LARGE, parent)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - as of yaml
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == _TAG + "merge":
                continue
            if key.tag != _TAG + "str":
                raise _fault(f"the key {_shown(key)} must be a text: put it in quotes", key)
            if key.value in seen:
                raise _fault(f"the key {key.value!r} stands twice", key)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_PlainLoader.yaml_implicit_resolvers = {}
for _kind, _pattern, _first in _SCALARS:
    _whole = re.compile(rf"(?:{_pattern.pattern})\Z")
    _PlainLoader.add_implicit_resolver(_TAG + _kind, _whole, list(_first))


class _Bounds:
    """The size of a file, with what an alias repeats counted each time."""

    def __init__(self) -> None:
        self._nodes = 0

    def check(self, node: yaml.Node, *, depth: int) -> None:
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise _fault(TOO_LARGE, node)
        if node.tag not in _KINDS:
            raise _fault(f"the tag {node.tag[:MAX_DEPTH]} is not known here", node)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                self.check(key, depth=depth + 1)
                self.check(value, depth=depth + 1)
        elif isinstance(node, yaml.SequenceNode):
            for one in node.value:
                self.check(one, depth=depth + 1)


def _shown(node: yaml.Node) -> str:
    return str(node.value)[:MAX_DEPTH] if isinstance(node, yaml.ScalarNode) else "of several values"


def _fault(what: str, node: yaml.Node) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, what, node.start_mark)
