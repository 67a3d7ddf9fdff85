"""Rings without a hard link: what they share is soft, or nothing but their habits."""

from datetime import timedelta

from sandbox.fraud_evaluation import habits
from sandbox.fraud_evaluation.accounts import PREFIXES, home_address, name_of
from sandbox.fraud_evaluation.groups import STRICT, GroupDraft, Habits
from sandbox.fraud_evaluation.linked_rings import bring_all

PROXY_PREFIXES = 4
"""Networks of households from which a farm behind residential proxies takes its addresses."""
DISPOSABLE = "mailinator.com"


def residential_proxies(draft: GroupDraft) -> None:
    """Open accounts by a script: every value clean, and a household's address for each."""
    prefixes = [draft.rng.randrange(PREFIXES) for _ in range(PROXY_PREFIXES)]
    root = draft.account()
    at = draft.joins(root, habits.honest(draft.rng), at=draft.begins_at)
    pause = timedelta(minutes=draft.rng.uniform(20, 240))
    for number in range(1, draft.size):
        host = DISPOSABLE if draft.rng.random() < 0.5 else "mail.example"
        account = draft.account(
            ip=home_address(draft.rng, prefix=draft.rng.choice(prefixes)),
            email=f"{draft.name}.{number}@{host}",
        )
        how = habits.careless(draft.rng)
        draft.joins(account, how, at=at, brought_by=root, is_fraud=True)
        at += pause * draft.rng.uniform(0.97, 1.03)


def slow_drip(draft: GroupDraft) -> None:
    """Open an account every few days behind one home's changing address, imitating bettors."""
    prefix = draft.rng.randrange(PREFIXES)
    root = draft.account(ip=home_address(draft.rng, prefix=prefix))
    family = (root.full_name or "").partition(" ")[2]
    at = draft.joins(root, habits.honest(draft.rng), at=draft.begins_at)
    for number in range(1, draft.size):
        at += timedelta(days=draft.rng.uniform(1, 4))
        account = draft.account(
            ip=home_address(draft.rng, prefix=prefix),
            full_name=f"{name_of(number)} {family}",
            email=f"{family}{number}@mail.example".lower(),
        )
        how = habits.careful(draft.rng)
        draft.joins(account, how, at=at, brought_by=root, is_fraud=True)


def cycle(draft: GroupDraft) -> None:
    """Let accounts bring each other in a circle, which the first closes by naming the last."""
    ip = home_address(draft.rng)
    accounts = [draft.account(ip=ip) for _ in range(min(draft.size, 6))]
    at, previous = draft.begins_at, None
    for number, account in enumerate(accounts):
        how = _soon(habits.careless(draft.rng), hours=24 + number)
        draft.joins(account, how, at=at, brought_by=previous, is_fraud=True)
        at, previous = at + timedelta(minutes=draft.rng.uniform(10, 120)), account
    draft.claims(accounts[0], brought_by=accounts[-1], at=at)


def missing_evidence(draft: GroupDraft) -> None:
    """Report as little as the doors accept: no device, phone, name, document or card."""
    draft.campaign = STRICT
    nothing = dict.fromkeys(("device_id", "phone", "full_name", "kyc_subject", "card"))
    bring_all(draft, [draft.account(**nothing) for _ in range(draft.size)])


def one_mailbox(draft: GroupDraft) -> None:
    """Spell one mailbox in another way for every account, which shares nothing else."""
    name = f"{draft.name}mailbox"
    spellings = [
        f"{name[:cut]}.{name[cut:]}+{cut}@{('gmail.com', 'googlemail.com', 'GMAIL.COM')[cut % 3]}"
        for cut in range(1, len(name))
    ]
    bring_all(
        draft,
        [draft.account(email=spellings[n % len(spellings)]) for n in range(draft.size)],
    )


def browser_farm(draft: GroupDraft) -> None:
    """Open all accounts in one browser behind one network, whose address changes."""
    prefix = draft.rng.randrange(PREFIXES)
    accounts = [
        draft.account(
            platform="web",
            device_id=f"browser-{draft.name}",
            ip=home_address(draft.rng, prefix=prefix),
        )
        for _ in range(draft.size)
    ]
    bring_all(draft, accounts)


def _soon(how: Habits, *, hours: float) -> Habits:
    """Return habits with the deposit only after everybody has signed up."""
    return Habits(
        deposit_minor=how.deposit_minor,
        deposits_after=timedelta(hours=hours),
        withdrawn_minor=how.withdrawn_minor,
        withdraws_after=how.withdraws_after,
    )
