"""A form in progress as the JSON that the API takes, with the field that each path stands for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from api.console.builder.opening import WINDOWS
from api.console.builder.state import Node, items, text
from api.console.builder.texts import TextFaultError, read_amount, read_span, read_value, read_whole
from domain.campaigns.conditions.fields import FIELDS

_Read = TypeVar("_Read")


@dataclass(slots=True)
class Written:
    """The JSON of terms and variants, and what is wrong in the form already."""

    currency: str
    terms: dict[str, Any] = field(default_factory=dict)
    variants: list[dict[str, Any]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)
    """Messages by the names of fields."""
    places: dict[str, str] = field(default_factory=dict)
    """Names of fields by the paths of the JSON."""

    def put_error(self, path: str, message: str) -> None:
        """Show a refusal of the API beside the field that its path, or the nearest above it, is."""
        nearest = path
        while nearest and nearest not in self.places:
            nearest = nearest[: max(nearest.rfind("."), nearest.rfind("["), 0)]
        self.errors.setdefault(self.places.get(nearest, ""), message)

    def amount(self, node: Node, name: str, place: str, path: str) -> dict[str, Any] | None:
        """Return an amount; None for an empty field."""
        return self._read(node, name, place, path, lambda typed: read_amount(typed, self.currency))

    def whole(self, node: Node, name: str, place: str, path: str) -> int | None:
        return self._read(node, name, place, path, read_whole)

    def _read(
        self, node: Node, name: str, place: str, path: str, read: Callable[[str], _Read]
    ) -> _Read | None:
        self.places[path] = f"{place}{name}"
        typed = text(node, name)
        if not typed:
            return None
        try:
            return read(typed)
        except TextFaultError as fault:
            self.errors[f"{place}{name}"] = str(fault)
            return None


def write_terms(state: Node, currency: str) -> Written:
    """Return the terms as JSON; a text that cannot be read is an error, and left out."""
    written = Written(currency)
    minimum = written.amount(state, "minimum", "", "terms.qualifies.minimum")
    turnover = written.amount(state, "turnover", "", "terms.qualifies.turnover")
    written.places |= {"terms.qualifies.on": "on", "terms.rewards": "rewards", "terms": ""}
    written.places |= {f"terms.{name}": name for name in WINDOWS}
    written.places |= {"terms.when": "when", "terms.limits": "limits"}
    written.terms = {
        **{name: read_span(text(state, name)) for name in WINDOWS},
        "qualifies": {"on": text(state, "on"), "minimum": minimum, "turnover": turnover},
        "rewards": _rewards(written, state, "", "terms.rewards"),
        "limits": [_limit(written, one, nth) for nth, one in enumerate(items(state, "limits"))],
    }
    when = state.get("when")
    if isinstance(when, dict):
        written.terms["when"] = _node(written, when, "when.", "terms.when")
    return written


def write_variants(state: Node, written: Written) -> None:
    """Add the variants as JSON; one without rewards of its own has those of the terms."""
    written.places["variants"] = "variants"
    for nth, one in enumerate(items(state, "variants")):
        place, path = f"variants.{nth}.", f"variants[{nth}]"
        written.places |= {path: f"{place}name", f"{path}.name": f"{place}name"}
        rewards = _rewards(written, one, place, f"{path}.terms.rewards")
        weight = written.whole(one, "weight", place, f"{path}.weight")
        written.variants.append(
            {
                "name": text(one, "name"),
                "weight": weight,
                "terms": {"rewards": rewards} if rewards else None,
            }
        )


def _rewards(written: Written, node: Node, place: str, path: str) -> list[dict[str, Any]]:
    return [
        _reward(written, one, f"{place}rewards.{nth}.", f"{path}[{nth}]")
        for nth, one in enumerate(items(node, "rewards"))
    ]


def _reward(written: Written, node: Node, place: str, path: str) -> dict[str, Any]:
    written.places |= {f"{path}.{name}": f"{place}{name}" for name in ("to", "kind")}
    amount = _amount(written, node, place, f"{path}.amount")
    return {"to": text(node, "to"), "kind": text(node, "kind"), "amount": amount}


def _amount(written: Written, node: Node, place: str, path: str) -> dict[str, Any]:
    """Return an amount of any shape; an empty one is written as null, for the API to refuse."""
    written.places[path] = f"{place}shape"
    match text(node, "shape"):
        case "percent":
            written.places[f"{path}.percent"] = f"{place}percent"
            bounds = {
                name: written.amount(node, name, place, f"{path}.{name}")
                for name in ("minimum", "maximum")
            }
            return {"percent": text(node, "percent").rstrip("% "), **bounds}
        case "tiers":
            return {
                "tiers": [
                    _tier(written, one, f"{place}tiers.{nth}.", f"{path}.tiers[{nth}]")
                    for nth, one in enumerate(items(node, "tiers"))
                ]
            }
        case "by_jurisdiction":
            return {"by_jurisdiction": _places(written, node, place, f"{path}.by_jurisdiction")}
        case _:
            return {"flat": written.amount(node, "flat", place, f"{path}.flat")}


def _tier(written: Written, node: Node, place: str, path: str) -> dict[str, Any]:
    first = written.whole(node, "from", place, f"{path}.from")
    return {"from": first, **_amount(written, node, place, path)}


def _places(written: Written, node: Node, place: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for nth, one in enumerate(items(node, "places")):
        code, below = text(one, "code").upper(), f"{place}places.{nth}."
        if code in found:
            written.errors[f"{below}code"] = "Name each place once"
        found[code] = _amount(written, one, below, f"{path}.{code}")
        written.places[f"{path}.{code}"] = f"{below}code"
    return found


def _limit(written: Written, node: Node, nth: int) -> dict[str, Any]:
    place, path = f"limits.{nth}.", f"terms.limits[{nth}]"
    written.places |= {f"{path}.{name}": f"{place}{name}" for name in ("of", "per", "over")}
    written.places[path] = f"{place}count"
    return {
        **{name: text(node, name) for name in ("of", "per", "over")},
        "rewards": written.whole(node, "count", place, f"{path}.rewards"),
        "amount": written.amount(node, "amount", place, f"{path}.amount"),
    }


def _node(written: Written, node: Node, place: str, path: str) -> dict[str, Any]:
    """Return a condition; what no group of the form can be is left to the API to refuse."""
    kind, children = text(node, "kind"), items(node, "children")
    written.places[path] = f"{place}kind"
    if kind == "leaf":
        return _leaf(written, node, place, path)
    if kind == "none" and len(children) == 1:
        return {"not": _node(written, children[0], f"{place}children.0.", f"{path}.not")}
    word = "all" if kind == "all" else "any"
    way = f"{path}.not.any" if kind == "none" else f"{path}.{word}"
    written.places[way] = f"{place}kind"
    found = [
        _node(written, child, f"{place}children.{nth}.", f"{way}[{nth}]")
        for nth, child in enumerate(children)
    ]
    return {"not": {"any": found}} if kind == "none" else {word: found}


def _leaf(written: Written, node: Node, place: str, path: str) -> dict[str, Any]:
    name, op = text(node, "field"), text(node, "op")
    written.places |= {f"{path}.{part}": f"{place}{part}" for part in ("field", "op", "value")}
    written.places[path] = f"{place}field"
    about, value = FIELDS.get(name), None
    if about is not None:
        try:
            value = read_value(text(node, "value"), about, op, written.currency)
        except TextFaultError as fault:
            written.errors[f"{place}value"] = str(fault)
    return {"field": name, "op": op, "value": value}
