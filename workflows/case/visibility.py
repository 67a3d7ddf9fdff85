"""A case in the Temporal UI: its present state in Markdown."""

from domain.fraud.cases import CaseStanding, CaseStart, CaseStatus


def details_markdown(case: CaseStart, standing: CaseStanding) -> str:
    is_open = standing.status is CaseStatus.OPEN
    waiting = (
        f"a reviewer's decision, until {standing.due_at:%Y-%m-%d %H:%M:%S %Z}"
        if is_open
        else "nothing"
    )
    escalated = standing.escalated_at
    return "\n".join(
        (
            f"**{standing.status}**",
            f"- waits for: {waiting}",
            f"- kind: {case.kind}",
            f"- {case.subject_kind}: `{case.subject}`",
            f"- escalated: {f'{escalated:%Y-%m-%d %H:%M:%S %Z}' if escalated else 'no'}",
        )
    )
