"""Reading amounts from JSON, and writing them back."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from domain.campaigns.amounts.amount import (
    ANYWHERE,
    Amount,
    ByJurisdiction,
    Flat,
    Percent,
    Tier,
    Tiered,
)
from domain.campaigns.faults import TermsFaultError
from domain.campaigns.written import check_keys, is_integer, read_money, read_object, write_money
from domain.money import Money

Currencies: TypeAlias = tuple[str, ...]
MAX_TIERS: Final = 50
MAX_JURISDICTIONS: Final = 300
MAX_TIER_START: Final = 10**9
_PERCENT: Final = re.compile(r"(0|[1-9][0-9]?|100)(?:\.([0-9]{1,2}))?", re.ASCII)
_JURISDICTION: Final = re.compile(r"[A-Z]{2}(?:-[A-Z0-9]{1,3})?", re.ASCII)
_KINDS: Final = ("flat", "percent", "tiers", "by_jurisdiction")
_SIMPLE: Final = ("flat", "percent")
_PERCENT_KEYS: Final = frozenset({"percent", "minimum", "maximum"})
_ANY_CURRENCY: Final = "*"
_ONE_CURRENCY: Final = "the campaign's currency"
_WHOLE: Final = 10_000
"""100 percent, in hundredths of a percent."""


def read_amount(written: object, path: str, *, currency: str, others: Currencies = ()) -> Amount:
    """Return the amount, or raise a TermsFaultError at the first field that is wrong.

    Its sums may be in the campaign's own currency and in the others that it has a budget in.
    """
    currencies = (currency, *others)
    fields = read_object(written, path)
    match _kind(fields, path, _KINDS):
        case "tiers":
            return _tiered(fields, path, currencies)
        case "by_jurisdiction":
            return _by_jurisdiction(fields, path, currencies)
        case kind:
            return _simple(fields, path, kind, currencies)


def parse_amount(stored: object) -> Amount:
    """Return a stored amount, whatever the currencies of its campaign."""
    return read_amount(stored, "amount", currency="", others=(_ANY_CURRENCY,))


def write_amount(amount: Amount) -> dict[str, Any]:
    """Return the JSON that reads as this amount."""
    match amount:
        case Flat(money):
            return {"flat": write_money(money)}
        case Percent():
            return {
                "percent": _write_percent(amount.hundredths),
                "minimum": write_money(amount.minimum) if amount.minimum else None,
                "maximum": write_money(amount.maximum) if amount.maximum else None,
            }
        case Tiered(tiers):
            return {"tiers": [{"from": tier.first, **write_amount(tier.amount)} for tier in tiers]}
        case ByJurisdiction(amounts):
            return {"by_jurisdiction": {code: write_amount(one) for code, one in amounts}}


def _kind(fields: Mapping[str, Any], path: str, kinds: tuple[str, ...]) -> str:
    named = [kind for kind in kinds if kind in fields]
    if len(named) != 1:
        raise TermsFaultError(path, f"Must have exactly one of {', '.join(kinds)}")
    return named[0]


def _simple(
    fields: Mapping[str, Any], path: str, kind: str, currencies: Currencies
) -> Flat | Percent:
    if kind == "percent":
        return _percent(fields, path, currencies)
    check_keys(fields, path, known=frozenset({"flat"}))
    money = _money(fields["flat"], f"{path}.flat", currencies)
    if not money.minor:
        raise TermsFaultError(f"{path}.flat.minor", "Must be over 0")
    return Flat(money)


def _percent(fields: Mapping[str, Any], path: str, currencies: Currencies) -> Percent:
    check_keys(fields, path, known=_PERCENT_KEYS)
    minimum = _bound(fields, "minimum", path, currencies)
    maximum = _bound(fields, "maximum", path, currencies)
    if maximum is not None and not maximum.minor:
        raise TermsFaultError(f"{path}.maximum.minor", "Must be over 0")
    if minimum is not None and maximum is not None:
        if maximum.currency != minimum.currency:
            raise TermsFaultError(f"{path}.maximum.currency", "Must be that of the minimum")
        if maximum.minor < minimum.minor:
            raise TermsFaultError(f"{path}.maximum", "Must not be below the minimum")
    hundredths = _hundredths(fields["percent"], f"{path}.percent")
    return Percent(hundredths=hundredths, minimum=minimum, maximum=maximum)


def _hundredths(written: object, path: str) -> int:
    match = _PERCENT.fullmatch(written) if isinstance(written, str) else None
    hundredths = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else 0
    if not 0 < hundredths <= _WHOLE:
        what = 'a decimal text over 0, at most 100, with at most two places, such as "12.5"'
        raise TermsFaultError(path, f"Must be {what}")
    return hundredths


def _write_percent(hundredths: int) -> str:
    whole, places = divmod(hundredths, 100)
    return f"{whole}.{places:02}".rstrip("0") if places else str(whole)


def _bound(fields: Mapping[str, Any], name: str, path: str, currencies: Currencies) -> Money | None:
    written = fields.get(name)
    return None if written is None else _money(written, f"{path}.{name}", currencies)


def _money(written: object, path: str, currencies: Currencies) -> Money:
    money = read_money(written, path)
    if _ANY_CURRENCY not in currencies and money.currency not in currencies:
        one_of = "one of the campaign's currencies" if len(currencies) > 1 else _ONE_CURRENCY
        raise TermsFaultError(f"{path}.currency", f"Must be {one_of}, {', '.join(currencies)}")
    return money


def _tiered(fields: Mapping[str, Any], path: str, currencies: Currencies) -> Tiered:
    check_keys(fields, path, known=frozenset({"tiers"}))
    written, path = fields["tiers"], f"{path}.tiers"
    if not isinstance(written, list) or not 1 <= len(written) <= MAX_TIERS:
        raise TermsFaultError(path, f"Must be a list of 1 to {MAX_TIERS} tiers")
    tiers: list[Tier] = []
    for index, one in enumerate(written):
        before = tiers[-1].first if tiers else 0
        tiers.append(_tier(one, f"{path}[{index}]", currencies, before=before))
    return Tiered(tuple(tiers))


def _tier(written: object, path: str, currencies: Currencies, *, before: int) -> Tier:
    fields = read_object(written, path)
    first = fields.get("from")
    if not is_integer(first) or not before < int(str(first)) <= MAX_TIER_START:
        raise TermsFaultError(f"{path}.from", f"Must be a whole number over {before}")
    if not before and first != 1:
        raise TermsFaultError(f"{path}.from", "Must be 1 in the first tier")
    amount = {name: value for name, value in fields.items() if name != "from"}
    return Tier(int(str(first)), _simple(amount, path, _kind(amount, path, _SIMPLE), currencies))


def _by_jurisdiction(
    fields: Mapping[str, Any], path: str, currencies: Currencies
) -> ByJurisdiction:
    check_keys(fields, path, known=frozenset({"by_jurisdiction"}))
    path = f"{path}.by_jurisdiction"
    written = read_object(fields["by_jurisdiction"], path)
    if not 1 <= len(written) <= MAX_JURISDICTIONS:
        raise TermsFaultError(path, f"Must have 1 to {MAX_JURISDICTIONS} jurisdictions")
    return ByJurisdiction(
        tuple((code, _local(code, one, path, currencies)) for code, one in written.items())
    )


def _local(
    code: str, written: object, path: str, currencies: Currencies
) -> Flat | Percent | Tiered:
    if code != ANYWHERE and not _JURISDICTION.fullmatch(code):
        raise TermsFaultError(f"{path}.{code[:64]}", "Must be an ISO 3166 code or *")
    path = f"{path}.{code}"
    fields = read_object(written, path)
    match _kind(fields, path, _KINDS):
        case "by_jurisdiction":
            raise TermsFaultError(path, "Must not name jurisdictions again")
        case "tiers":
            return _tiered(fields, path, currencies)
        case kind:
            return _simple(fields, path, kind, currencies)
