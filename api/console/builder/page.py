"""The builder's page: a draft in progress as a form, with what it says in words."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from starlette.responses import Response

from api.console.access import Form, Visitor, form_of, may
from api.console.builder import choices
from api.console.builder.opening import WINDOWS
from api.console.builder.proposing import read_proposal
from api.console.builder.state import Node, names, text
from api.console.offers.words import (
    CONDITIONS,
    limit_in_words,
    qualifies_in_words,
    rewards_in_words,
    variant_in_words,
)
from api.console.pages import render
from domain.campaigns.terms import CampaignStatus
from referrals.access.console.roles import Permission
from referrals.campaigns.views import CampaignView, Draft

MAX_FIELDS: Final = 2000
"""Fields of one form: the largest tree of conditions, with all rewards, tiers and limits."""
Writer = Annotated[Visitor, Depends(may(Permission.CHANGE_CAMPAIGNS))]
Writing = Annotated[Form, Depends(form_of(Permission.CHANGE_CAMPAIGNS, max_fields=MAX_FIELDS))]
PROPOSE: Final = "propose"
"""The button that writes what the form says."""
FIXED_ONCE_PUBLISHED: Final = frozenset({"budget", "starts_at", "destination", "time_zone"})
FIXED_ONCE_DRAFTED: Final = frozenset({"slug", "currency"})
REQUIRED: Final = "Fill in this field"
UNPROCESSABLE: Final = 422


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The version that is changed, and the newest one; of a new campaign, what a draft begins with.

    The version is that of the draft, the proposal or the live one.
    """

    draft: Draft
    campaign: CampaignView | None = None
    version: int = 0
    newest: int = 0

    @property
    def is_draft(self) -> bool:
        return self.campaign is None or self.campaign.status is CampaignStatus.DRAFT

    def own(self, state: Node) -> Node:
        """Leave out of a form what is fixed by now, such as the budget of a funded campaign."""
        fixed = FIXED_ONCE_DRAFTED if self.campaign else frozenset()
        fixed |= frozenset() if self.is_draft else FIXED_ONCE_PUBLISHED
        return {name: value for name, value in state.items() if name not in fixed}


def based_on(state: Node) -> int:
    """Return the version that a form was opened with; 0 where it names none."""
    typed = text(state, "based_on")
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 10 else 0


def show_builder(
    request: Request, base: Base, state: Node, errors: dict[str, str], *, based_on: int
) -> Response:
    """Render the form, with refusals beside its fields; 422 where there are any."""
    shown = {*names(state), "rewards", "limits", "variants", "when", "reason"}
    outside = [message for name, message in errors.items() if name not in shown]
    preview = read_proposal(base.own(state), base.draft).draft
    campaign = base.campaign
    return render(
        request,
        "builder.html",
        title=f"Change {campaign.name}" if campaign else "New campaign",
        status=UNPROCESSABLE if errors else 200,
        campaign=campaign,
        currency=base.draft.budget.currency,
        version=base.version,
        is_draft=base.is_draft,
        is_proposal=campaign is not None and campaign.proposed_version is not None,
        based_on=based_on,
        state=state,
        errors=errors,
        outside=outside,
        windows=WINDOWS,
        choices=choices,
        said=_in_words(preview) if preview else None,
    )


def _in_words(draft: Draft) -> dict[str, object]:
    terms = draft.terms
    return {
        "rewards": rewards_in_words(terms),
        "variants": [(one.name, variant_in_words(terms, one)) for one in draft.variants],
        "qualifies": qualifies_in_words(terms),
        "when": CONDITIONS.tree(terms.rules.when) if terms.rules.when else None,
        "limits": [limit_in_words(limit) for limit in terms.rules.limits],
    }
