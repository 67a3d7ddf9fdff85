"""Checks that a version of a campaign passes before it is published."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from domain.campaigns.amounts.computation import most_of
from domain.campaigns.terms import LinkOptions, Terms
from domain.campaigns.variants import PERCENT, Variant, terms_of_variant
from domain.money import Money

MESSAGES: Final = {
    "ends_at": "Must lie ahead when it is published",
    "destination": "Must lead to one of the allowed hosts: {}",
    "link.logo_url": "Must be on one of the allowed hosts: {}",
    "link.terms_url": "Must lead to one of the allowed hosts: {}",
    "terms.referrer_reward.minor": "Must be at most {}, the ceiling of a reward",
    "terms.referee_reward.minor": "Must be at most {}, the ceiling of a reward",
    "budget.minor": "Must cover the expected rewards: {} minor units",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceilings:
    """Limits that a deployment sets to what may be published; None is unlimited."""

    destination_hosts: frozenset[str] = frozenset()
    """Hosts of destinations, logos and terms, their subdomains included; empty allows all."""
    reward_minor: int | None = None
    budget_minor: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishable:
    """The part of a version that the checks look at."""

    ends_at: datetime | None
    destination: str
    link: LinkOptions
    budget: Money
    terms: Terms
    expected_rewards: int | None
    variants: tuple[Variant, ...] = ()
    currencies: tuple[Money, ...] = ()
    """Budgets beside the first."""


@dataclass(frozen=True, slots=True)
class PublishingFault:
    """A field that keeps a version from being published."""

    field: str
    message: str


def publishing_faults(
    offer: Publishable, ceilings: Ceilings, *, at: datetime
) -> tuple[PublishingFault, ...]:
    """Return why a version may not be published, one fault a field; empty when it may."""
    return (
        *_faults_of_dates(offer, at),
        *_faults_of_hosts(offer, ceilings),
        *_faults_of_money(offer, ceilings),
    )


def _faults_of_dates(offer: Publishable, at: datetime) -> Iterator[PublishingFault]:
    if offer.ends_at is not None and offer.ends_at <= at:
        yield _fault("ends_at")


def _faults_of_hosts(offer: Publishable, ceilings: Ceilings) -> Iterator[PublishingFault]:
    addresses = {
        "destination": offer.destination,
        "link.logo_url": offer.link.logo_url,
        "link.terms_url": offer.link.terms_url,
    }
    hosts = ceilings.destination_hosts
    allowed = ", ".join(sorted(hosts))
    for field, address in addresses.items():
        if hosts and address is not None and not _is_on(hosts, address):
            yield _fault(field, allowed)
    for index, text in enumerate(offer.link.terms_texts):
        if hosts and not _is_on(hosts, text.url):
            fault = _fault("link.terms_url", allowed)
            yield replace(fault, field=f"link.terms_texts[{index}].url")


def _is_on(hosts: frozenset[str], address: str) -> bool:
    host = (urlsplit(address).hostname or "").lower()
    return any(host == allowed or host.endswith(f".{allowed}") for allowed in hosts)


def _faults_of_money(offer: Publishable, ceilings: Ceilings) -> Iterator[PublishingFault]:
    yield from _faults_of_promise(offer.terms, ceilings, is_expected=bool(offer.expected_rewards))
    for index, variant in enumerate(offer.variants):
        if variant.promised is not None:
            terms = terms_of_variant(offer.terms, variant)
            faults = _faults_of_promise(terms, ceilings, is_expected=bool(offer.expected_rewards))
            for fault in faults:
                yield replace(fault, field=f"variants[{index}].{fault.field}")
    budgets = {"budget.minor": offer.budget} | {
        f"currencies[{index}].minor": other for index, other in enumerate(offer.currencies)
    }
    for name, budget in budgets.items():
        if ceilings.budget_minor is not None and budget.minor > ceilings.budget_minor:
            yield beyond_ceiling(name, ceilings.budget_minor)
    cost_minor = _expected_cost_minor(offer)
    if cost_minor > offer.budget.minor:
        yield _fault("budget.minor", cost_minor)


def beyond_ceiling(field: str, ceiling_minor: int) -> PublishingFault:
    """Return the fault of a budget that would hold more than is allowed to be put into one."""
    return PublishingFault(field, f"Must be at most {ceiling_minor}, the ceiling of a budget")


def _faults_of_promise(
    terms: Terms, ceilings: Ceilings, *, is_expected: bool
) -> Iterator[PublishingFault]:
    largest = ceilings.reward_minor
    for name, amount in _flat_of(terms).items():
        if largest is not None and amount.minor > largest:
            yield _fault(f"terms.{name}.minor", largest)
    yield from _faults_of_rewards(terms, ceilings, is_expected=is_expected)


def _expected_cost_minor(offer: Publishable) -> int:
    """Return the cost of the expected referrals, spread over the variants by their weights."""
    shares = [
        (_most_minor(terms_of_variant(offer.terms, one), offer.budget.currency), one.weight)
        for one in offer.variants
    ] or [(_most_minor(offer.terms, offer.budget.currency), PERCENT)]
    cost_minor = sum(minor * weight for minor, weight in shares) * (offer.expected_rewards or 0)
    return -(-cost_minor // PERCENT)


def _most_minor(terms: Terms, currency: str) -> int:
    """Return the most that a referral costs of the budget in a currency."""
    bounded = [most_of(rule.amount) or () for rule in terms.rules.rewards]
    most = [*_flat_of(terms).values(), *(money for amounts in bounded for money in amounts)]
    # What is stated in another currency is paid from that currency's budget, or converted at rates
    # that nobody knows yet.
    return sum(amount.minor for amount in most if amount.currency == currency)


def _flat_of(terms: Terms) -> dict[str, Money]:
    flat = {"referrer_reward": terms.referrer_reward}
    if terms.referee_reward is not None:
        flat["referee_reward"] = terms.referee_reward
    return flat


def _faults_of_rewards(
    terms: Terms, ceilings: Ceilings, *, is_expected: bool
) -> Iterator[PublishingFault]:
    for index, rule in enumerate(terms.rules.rewards):
        field, most, largest = (
            f"terms.rewards[{index}].amount",
            most_of(rule.amount),
            ceilings.reward_minor,
        )
        if largest is not None and most is None:
            what = f"Must have a maximum of at most {largest}, the ceiling of a reward"
            yield PublishingFault(field, what)
        elif most is None and is_expected:
            yield PublishingFault(field, "Must have a maximum where expected_rewards is given")
        elif largest is not None and most and max(money.minor for money in most) > largest:
            yield PublishingFault(field, f"Must be at most {largest}, the ceiling of a reward")


def _fault(field: str, *values: object) -> PublishingFault:
    return PublishingFault(field, MESSAGES[field].format(*values))
