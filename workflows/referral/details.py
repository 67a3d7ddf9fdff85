"""What an engineer reads of a referral in the Temporal UI: its state in a few lines of Markdown."""

from typing import Final

from domain.lifecycle.referral import Referral, Stage, Standing

WAITS_FOR: Final = {
    Stage.INVITED: "the signup",
    Stage.SIGNED_UP: "a qualifying deposit",
    Stage.HELD: "a reviewer's decision, or the end of the hold period",
    Stage.DEFERRED: "a top-up of the campaign's budget, or the campaign's end",
    Stage.REWARDED: "bad news about the deposit, until the chargeback window closes",
    Stage.REVERSED: "a chargeback won, until the chargeback window closes",
}


def details(referral: Referral, standing: Standing) -> str:
    waits_for = WAITS_FOR.get(standing.stage)
    waiting = (
        f"{waits_for}, until {standing.until:%Y-%m-%d %H:%M:%S %Z}" if waits_for else "nothing"
    )
    return "\n".join(
        (
            f"**{standing.stage}**",
            f"- waits for: {waiting}",
            f"- referrer: `{referral.referrer_id}`, code `{referral.code}`",
            f"- referee: `{referral.referee_id or 'not known yet'}`",
            f"- campaign: `{referral.campaign}`",
        )
    )
