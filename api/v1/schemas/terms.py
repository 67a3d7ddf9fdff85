"""Terms of a campaign, as its bodies show them."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, model_validator

from api.http.errors import invalid_field
from api.link.landing.jurisdictions import JURISDICTION_REGEX
from api.v1.schemas.fields import (
    Duration,
    MoneyIn,
    MoneyOut,
    PositiveDuration,
    PositiveMoneyIn,
    RequestBody,
    ResponseBody,
)
from api.v1.schemas.written_terms import WrittenRules, read_rules
from domain.campaigns.amounts.amount import Flat
from domain.campaigns.default_offer import TERMS as DEFAULT
from domain.campaigns.default_offer import minimum_deposit
from domain.campaigns.rules import QualifyingAction, RewardRule, RewardType, Rules
from domain.campaigns.rules_json import write_rules
from domain.campaigns.terms import Reminders, Terms
from domain.money import Money, RewardKind

Jurisdiction = Annotated[str, Field(pattern=JURISDICTION_REGEX, examples=["CA-ON", "BR"])]


class RemindersIn(RequestBody):
    """Times of the reminders of what is pending. Each is sent once, if it is still true."""

    signup_after: PositiveDuration | None = Field(
        default=None, description="From the invitation, while there is no signup; null is never"
    )
    deposit_after: PositiveDuration | None = Field(
        default=None, description="From the signup, while no deposit qualifies; null is never"
    )
    closing_before: PositiveDuration | None = Field(
        default=None, description="Before the end of the signup or deposit window; null is never"
    )
    not_in: Annotated[list[Jurisdiction], Field(max_length=200)] = Field(
        default_factory=list,
        description="ISO 3166 jurisdictions of either player's signup in which nobody is reminded;"
        " a country stands for all of its parts",
    )

    def to_reminders(self) -> Reminders | None:
        """Return the reminders, or None where none has a time."""
        if not any((self.signup_after, self.deposit_after, self.closing_before)):
            return None
        return Reminders(
            signup_after=self.signup_after,
            deposit_after=self.deposit_after,
            closing_before=self.closing_before,
            not_in=tuple(sorted(set(self.not_in))),
        )


class RequiredField(StrEnum):
    """A field of the referee's signup or deposits that a campaign may require."""

    DEVICE_ID = "device_id"
    EMAIL = "email"
    FULL_NAME = "full_name"
    IP = "ip"
    KYC_SUBJECT = "kyc_subject"
    PAYMENT_INSTRUMENT = "payment_instrument"
    PHONE = "phone"


class TermsIn(RequestBody):
    """The offer. A referral keeps the terms of its invitation, whatever later versions say."""

    signup_window: PositiveDuration = Field(
        default=DEFAULT.signup_window, description="From the invitation to the signup"
    )
    deposit_window: PositiveDuration = Field(
        default=DEFAULT.deposit_window, description="From the signup to the qualifying deposit"
    )
    minimum_deposit: MoneyIn | None = Field(
        default=None,
        description="What must be left of a deposit, after refunds, for it to qualify; where it is"
        " not given, $10, and none in another currency",
    )
    hold_period: Duration = Field(
        default=DEFAULT.hold_period, description="How long a reward is held before it is credited"
    )
    review_period: PositiveDuration = Field(
        default=DEFAULT.review_period,
        description="How long a review may stay open before it is escalated",
    )
    chargeback_window: PositiveDuration = Field(
        default=DEFAULT.chargeback_window,
        description="How long after crediting a chargeback takes the reward back",
    )
    lateness_grace: Duration = Field(
        default=DEFAULT.lateness_grace,
        description="How long after the end of a window an event that happened in it may arrive",
    )
    referrer_reward: PositiveMoneyIn | None = None
    referee_reward: MoneyIn | None = None
    rewards: Any = Field(
        default=None,
        description="In place of both: a list of `{to, kind, amount}`, `to` being `referrer` or"
        " `referee`, `kind` `cash` or `bonus_bet`, and `amount` one of `{flat}`,"
        " `{percent, minimum, maximum}`, `{tiers}` and `{by_jurisdiction}`",
        examples=[[{"to": "referrer", "amount": {"flat": {"minor": 1000, "currency": "USD"}}}]],
    )
    qualifies: Any = Field(
        default=None,
        description="`{on, minimum, turnover}`: `on` is `any_deposit`, the earliest that meets the"
        " minimum; `first_deposit`, which alone decides; or `total_deposits`, whose sum reaches it."
        " With `turnover`, settled stakes within the deposit window must reach it, too. `minimum`"
        " in place of `minimum_deposit`",
        examples=[{"on": "any_deposit", "minimum": {"minor": 1000, "currency": "USD"}}],
    )
    when: Any = Field(
        default=None,
        description="A tree of conditions over the fields of `GET /v1/campaigns/fields`, judged by"
        " each deposit that meets the minimum; where none meets it, the referral waits",
        examples=[None],
    )
    limits: Any = Field(
        default=None,
        description="A list of `{of, per, rewards, amount, over}`: at most so many rewards, or so"
        " much, `of` a `referrer` or the `campaign`, `per` `day`, `week`, `month`, `tax_year` or"
        " `campaign`; `over` it rewards `defer` or are `refuse`d",
        examples=[[{"of": "referrer", "per": "month", "rewards": 10, "over": "defer"}]],
    )
    reminders: RemindersIn | None = Field(
        default=None, description="When players are reminded of what is pending; null is never"
    )
    requires: Annotated[list[RequiredField], Field(max_length=len(RequiredField))] = Field(
        default_factory=list,
        description="Fields that the referee's signup or deposits must carry: where one is missing,"
        " a person reviews the reward (`missing_evidence`)",
    )

    def to_terms(self, *, currency: str, others: tuple[str, ...] = ()) -> Terms:
        """Return the terms of a campaign whose budget is in a currency, with others beside it.

        Everything that a campaign's terms may say is validated here: 422 names the path.
        """
        self._check_currency(currency)
        written = read_rules(
            rewards=self.rewards,
            qualifies=self.qualifies,
            when=self.when,
            limits=self.limits,
            currency=currency,
            others=others,
        )
        rules, flat = self._rewards(written)
        return Terms(
            signup_window=self.signup_window,
            deposit_window=self.deposit_window,
            minimum_deposit=self._minimum(written.minimum, currency),
            hold_period=self.hold_period,
            review_period=self.review_period,
            chargeback_window=self.chargeback_window,
            lateness_grace=self.lateness_grace,
            referrer_reward=flat.get(RewardType.REFERRER, Money(0, currency)),
            referee_reward=flat.get(RewardType.REFEREE),
            reminders=self._reminders(),
            requires=tuple(sorted(set(self.requires))),
            rules=rules,
        )

    def _rewards(self, written: WrittenRules) -> tuple[Rules, Mapping[RewardType, Money]]:
        """Return the rules, and the flat cash of either side where they do not say what is paid."""
        if self.rewards is not None:
            for name in ("referrer_reward", "referee_reward"):
                if getattr(self, name) is not None:
                    raise invalid_field(f"terms.{name}", "Must not be given beside rewards")
            return written.rules, written.flat
        if self.referrer_reward is None:
            raise invalid_field("terms.referrer_reward", "Is required where rewards is not given")
        flat = {RewardType.REFERRER: self.referrer_reward.to_money()}
        if self.referee_reward is not None:
            flat[RewardType.REFEREE] = self.referee_reward.to_money()
        if not written.rules.currencies:
            return written.rules, flat
        rewards = tuple(
            RewardRule(to=to, kind=RewardKind.CASH, amount=Flat(money))
            for to, money in flat.items()
            if money.minor
        )
        return replace(written.rules, rewards=rewards), {}

    def _minimum(self, written: Money | None, currency: str) -> Money:
        if self.minimum_deposit is None:
            return minimum_deposit(currency) if written is None else written
        if written is not None:
            what = "Must not be given beside qualifies.minimum"
            raise invalid_field("terms.minimum_deposit", what)
        return self.minimum_deposit.to_money()

    def _check_currency(self, currency: str) -> None:
        """Refuse another currency; one of the further budgets' is stated in `rewards`."""
        for name in ("minimum_deposit", "referrer_reward", "referee_reward"):
            amount: MoneyIn | None = getattr(self, name)
            if amount is not None and amount.currency != currency:
                raise invalid_field(f"terms.{name}.currency", "Must be the same as budget.currency")

    def _reminders(self) -> Reminders | None:
        """Return the reminders, or raise 422 naming one that its window does not contain."""
        if self.reminders is None:
            return None
        shorter = min(self.signup_window, self.deposit_window)
        bounds = (
            ("signup_after", self.reminders.signup_after, self.signup_window),
            ("deposit_after", self.reminders.deposit_after, self.deposit_window),
            ("closing_before", self.reminders.closing_before, shorter),
        )
        for name, duration, window in bounds:
            if duration is not None and duration >= window:
                raise invalid_field(f"terms.reminders.{name}", "Must be shorter than its window")
        return self.reminders.to_reminders()


class RemindersOut(ResponseBody):
    """Reminders of what is pending; see `RemindersIn`."""

    signup_after: timedelta | None
    deposit_after: timedelta | None
    closing_before: timedelta | None
    not_in: list[str]


class TermsOut(ResponseBody):
    """The terms of new referrals; see `TermsIn`."""

    signup_window: timedelta
    deposit_window: timedelta
    minimum_deposit: MoneyOut
    hold_period: timedelta
    review_period: timedelta
    chargeback_window: timedelta
    lateness_grace: timedelta
    referrer_reward: MoneyOut | None = Field(description="Null where `rewards` says what is paid")
    referee_reward: MoneyOut | None
    rewards: list[dict[str, Any]] | None = Field(
        description="What is paid beyond flat cash, each `{to, kind, amount}`; null for nothing"
    )
    qualifies: dict[str, Any] | None = Field(
        description="`{on, turnover}` beside `minimum_deposit`; null where any deposit qualifies"
    )
    when: dict[str, Any] | None = Field(description="The tree of conditions; null for none")
    limits: list[dict[str, Any]] | None = Field(description="The limits; null for none")
    reminders: RemindersOut | None
    requires: list[str] = Field(description="Fields without which a person reviews the reward")

    @model_validator(mode="before")
    @classmethod
    def _read_terms(cls, value: object) -> object:
        return shown_terms(value) if isinstance(value, Terms) else value


def shown_terms(terms: Terms) -> dict[str, Any]:
    """Return terms as they are shown: a `PUT` of what a `GET` answered changes nothing."""
    rules = terms.rules
    plain = {field.name: getattr(terms, field.name) for field in fields(terms)}
    written = write_rules(rules)
    flat = _flat_of_several(rules)
    qualifies = {"on": written["on"], "turnover": written["turnover"]}
    is_any = rules.on is QualifyingAction.ANY_DEPOSIT and rules.turnover is None
    return {
        **plain,
        "referrer_reward": None if rules.rewards else terms.referrer_reward,
        **flat,
        "rewards": None if flat else written["rewards"] or None,
        "qualifies": None if is_any else qualifies,
        "when": written["when"],
        "limits": written["limits"] or None,
    }


def _flat_of_several(rules: Rules) -> dict[str, Money]:
    """Return the flat cash that terms of several currencies compute, as it was written."""
    flat = {
        f"{rule.to}_reward": rule.amount.money
        for rule in rules.rewards
        if rule.kind is RewardKind.CASH and isinstance(rule.amount, Flat)
    }
    own = {money.currency for money in flat.values()}.isdisjoint(rules.currencies)
    is_all = own and len(flat) == len(rules.rewards) and "referrer_reward" in flat
    return flat if rules.currencies and is_all else {}
