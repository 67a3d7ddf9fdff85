"""Drafts of rule sets: changes of weights and thresholds, for all campaigns and for single ones."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from domain.fraud.rule_sets import RuleSet
from domain.fraud.thresholds import Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Weights by rule and thresholds by name; those that are left out stay."""

    weights: Mapping[str, int] = field(default_factory=dict)
    thresholds: Mapping[str, int] = field(default_factory=dict)


class DraftFault(ValueError):  # noqa: N818 - a caller's fault, named as other faults are
    """A change that no rule set may have, with the field at fault."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignRuleSets:
    """A rule set, and what of it is different for single campaigns."""

    base: RuleSet
    campaigns: Mapping[str, Changes] = field(default_factory=dict)

    def of(self, campaign: str) -> RuleSet:
        """Return the rule set by which referrals of a campaign are scored."""
        changes = self.campaigns.get(campaign)
        return apply(changes, self.base) if changes else self.base


def draft(
    based_on: CampaignRuleSets,
    changes: Changes,
    *,
    campaigns: Mapping[str, Changes],
    sample_percent: int | None,
    version: str,
) -> CampaignRuleSets:
    """Return a new version of a rule set; raise DraftFault for the first change it may not have.

    A campaign that is named replaces its earlier changes; empty ones end them.
    """
    base = apply(changes, replace(based_on.base, version=version))
    if sample_percent is not None:
        base = replace(base, sample_percent=sample_percent)
    kept = {
        slug: own for slug, own in {**based_on.campaigns, **campaigns}.items() if own != Changes()
    }
    for slug, own in kept.items():
        apply(own, base, path=f"campaigns.{slug}.")
    return CampaignRuleSets(base=base, campaigns=kept)


def apply(changes: Changes, rule_set: RuleSet, *, path: str = "") -> RuleSet:
    """Return a rule set with changes; raise DraftFault for the first that it may not have."""
    thresholds = _thresholds(changes.thresholds, rule_set.thresholds, path)
    for name, weight in changes.weights.items():
        try:
            replace(rule_set, weights={name: weight}, thresholds=thresholds)
        except ValueError as fault:
            raise DraftFault(f"{path}weights.{name}", str(fault)) from fault
    weights = {**rule_set.weights, **changes.weights}
    try:
        return replace(rule_set, weights=weights, thresholds=thresholds)
    except ValueError as fault:
        raise DraftFault(f"{path}thresholds", str(fault)) from fault


def _thresholds(changes: Mapping[str, int], before: Thresholds, path: str) -> Thresholds:
    for name in changes:
        if name not in asdict(before):
            raise DraftFault(f"{path}thresholds.{name}", "Must be the name of a threshold")
    try:
        return Thresholds.from_stored({**asdict(before), **changes})
    except ValueError as fault:
        raise DraftFault(f"{path}thresholds", str(fault)) from fault
