"""Edits of a form in progress by its buttons: an item is added or removed."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Final

from api.console.builder.choices import operators, values
from api.console.builder.state import Node, find, items, text

LEAF: Final[Node] = {"kind": "leaf", "field": "deposit.amount", "op": "gte", "value": ""}
GROUP: Final[Node] = {"kind": "any", "children": [LEAF]}
TIER: Final[Node] = {"from": "", "shape": "flat", "flat": ""}
FRESH: Final[Mapping[str, Node]] = {
    "when": {"kind": "all", "children": [LEAF]},
    "leaf": LEAF,
    "group": GROUP,
    "rewards": {"to": "referee", "kind": "cash", "shape": "flat", "flat": ""},
    "tiers": TIER,
    "places": {"code": "", "shape": "flat", "flat": ""},
    "variants": {"name": "", "weight": "", "rewards": []},
    "limits": {"of": "referrer", "per": "month", "over": "defer", "count": "", "amount": ""},
}
"""New item of each button."""


def edit(state: Node, act: str) -> None:
    """Apply a button's edit, such as `leaf when` or `remove rewards.1`; others change nothing."""
    verb, _, path = act.partition(" ")
    apply = _EDITS.get(verb)
    if apply is not None:
        apply(state, path)


def complete(state: Node) -> None:
    """Give what was chosen what it needs: a first tier or place, an operator of its field."""
    for holder in (state, *items(state, "variants")):
        for reward in items(holder, "rewards"):
            _complete_amount(reward)
    if isinstance(state.get("when"), dict):
        _complete_condition(state["when"])


def _complete_condition(node: Node) -> None:
    """Give a leaf whose field was chosen anew an operator and a value of that field."""
    for child in items(node, "children"):
        _complete_condition(child)
    if node.get("kind") != "leaf":
        return
    known = operators(text(node, "field"))
    if known and text(node, "op") not in known:
        node |= {"op": next(iter(known)), "value": ""}
    listed = values(text(node, "field"), text(node, "op"))
    if listed and text(node, "value") not in listed:
        node["value"] = next(iter(listed))


def _complete_amount(amount: Node) -> None:
    shape = amount.get("shape")
    if shape == "tiers" and not items(amount, "tiers"):
        amount["tiers"] = [{**TIER, "from": "1"}]
    if shape == "by_jurisdiction" and not items(amount, "places"):
        amount["places"] = [{"code": "*", "shape": "flat", "flat": ""}]
    for place in items(amount, "places"):
        _complete_amount(place)


def _add(state: Node, path: str, fresh: str) -> None:
    """Append to the list at a path, which is made where there is none."""
    found = find(state, path)
    if found is None or not isinstance(found[0], dict):
        return
    holder, name = found
    holder[name] = [*items(holder, str(name)), deepcopy(FRESH[fresh])]


def _add_child(fresh: str) -> Callable[[Node, str], None]:
    def add(state: Node, path: str) -> None:
        _add(state, f"{path}.children", fresh)

    return add


def _add_item(state: Node, path: str) -> None:
    name = path.rpartition(".")[2]
    if name in {"rewards", "tiers", "places", "limits", "variants"}:
        _add(state, path, name)


def _set_condition(state: Node, _: str) -> None:
    state["when"] = deepcopy(FRESH["when"])


def _remove(state: Node, path: str) -> None:
    """Remove an item, and a group that has lost its last one."""
    found = find(state, path)
    if found is None:
        return
    holder, name = found
    if isinstance(holder, list):
        del holder[int(name)]
    elif name in holder:
        del holder[name]
    group = path.removesuffix(f".children.{name}")
    if group != path and not holder:
        _remove(state, group)


_EDITS: Final[Mapping[str, Callable[[Node, str], None]]] = {
    "condition": _set_condition,
    "leaf": _add_child("leaf"),
    "group": _add_child("group"),
    "add": _add_item,
    "remove": _remove,
}
