"""Files of campaigns: compared with what is stored, and written as drafts and proposals."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import typer
import yaml
from pydantic import ValidationError

from api.http.errors import Problem
from api.v1.campaigns.yaml_text import read_yaml
from api.v1.schemas.campaigns import BODY_LIMIT_BYTES, CampaignIn
from domain.campaigns.terms import CampaignStatus
from referrals.campaigns.version_views import Change, changes_between
from runtime.command_line import COULD_NOT_RUN
from runtime.environment import ENV_PREFIX

PATH: Final = "/v1/campaigns"
TIMEOUT_S: Final = 30
REFUSED: Final = 1
CONNECTION_FILE: Final = "connection.json"
NO_MINIMUM: Final = (
    "terms.minimum_deposit: there is none, so a deposit of the smallest amount earns the reward"
)
"""Warning for an offer that names no minimum in another currency than that of `default`, or 0."""


OF_THE_CAMPAIGN: Final = frozenset(
    {
        httpx.codes.CONFLICT,
        httpx.codes.REQUEST_ENTITY_TOO_LARGE,
        httpx.codes.UNPROCESSABLE_ENTITY,
    }
)
"""Answers that refuse the campaign; any other refuses the caller, or is not this service's."""
SHOWN_FIELDS: Final = CampaignIn.model_fields.keys() | {"status", "proposal", "available_budget"}
UNKNOWN_CAMPAIGN: Final = "unknown_campaign"
BUDGET_STAYS: Final = "Must stay as it was funded: only `fund` and `defund` change it"


class RefusedError(ValueError):
    """A campaign of the file is wrong, or the service does not take it."""


class UnusableServiceError(Exception):
    """An answer that says nothing about a campaign: another service's, or to a wrong key."""


FAULTS: Final = (
    UnusableServiceError,
    OSError,
    httpx.HTTPError,
    httpx.InvalidURL,
    yaml.YAMLError,
    UnicodeError,
)
"""Faults of the file, of the address or of the service, for which nothing could be compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One campaign of the file: what is sent for it, and what that changes."""

    body: Mapping[str, Any]
    method: str | None
    """HTTP method; None if the stored campaign, or its proposal, is like the file already."""
    summary: str
    changes: Sequence[Change]

    @property
    def slug(self) -> str:
        return str(self.body["slug"])


def main(file: Path, service: tuple[str, str], *, is_plan: bool) -> int:
    """Print the plan, carry it out unless only the plan is asked for, and return the exit code."""
    url, key = service
    headers = {"Authorization": f"Bearer {key}"}
    try:
        bodies = read_file(file)
        with httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_S) as client:
            steps = plan(client, bodies)
            _print(steps)
            if not is_plan:
                carry_out(client, steps)
    except RefusedError as refusal:
        typer.echo("\n".join(_sentences(refusal)), err=True)
        return REFUSED
    except FAULTS as fault:
        typer.echo("could not run: " + "\n".join(_sentences(fault)), err=True)
        return COULD_NOT_RUN
    return 0


def plan(client: httpx.Client, bodies: Sequence[Mapping[str, Any]]) -> list[Step]:
    """Compare campaigns with what is stored; RefusedError for what the service would refuse."""
    return [_planned(client, body) for body in bodies]


def carry_out(client: httpx.Client, steps: Sequence[Step]) -> None:
    """Write the steps in their order; the notes of a fault name what was written before it.

    A plan finds what is refused. What changes between the two, or an outage, still stops it here.
    """
    written: list[str] = []
    for step in steps:
        if step.method is None:
            continue
        try:
            version = _write(client, step)
        except (RefusedError, UnusableServiceError, httpx.HTTPError) as fault:
            if isinstance(fault, httpx.HTTPError):
                fault.add_note(f"{step.slug}: may be written or not; --plan shows it")
            fault.add_note(f"written before that: {', '.join(written) or 'nothing'}")
            raise
        written.append(step.slug)
        typer.echo(f"{step.slug}: version {version} is written; {_to_publish(step.slug, version)}")


def read_file(file: Path) -> list[dict[str, Any]]:
    """Return the bodies of a file: one campaign, a list, or a list under `campaigns`."""
    found = read_yaml(file.read_text(encoding="utf-8"))
    if isinstance(found, dict) and set(found) == {"campaigns"}:
        found = found["campaigns"]
    bodies = found if isinstance(found, list) else [found]
    if not bodies or not all(isinstance(body, dict) and "slug" in body for body in bodies):
        raise RefusedError(f"{file}: must hold campaigns, each with a slug")
    slugs = [str(body["slug"]) for body in bodies]
    if len(set(slugs)) < len(slugs):
        raise RefusedError(f"{file}: names a campaign twice")
    return bodies


def service_of_stack(directory: Path) -> tuple[str, str] | None:
    """Return the URL and the key of a running embedded stack, or None where there is none."""
    try:
        connection = json.loads((directory / CONNECTION_FILE).read_text())
        return connection["api_url"], connection["api_key"]
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _planned(client: httpx.Client, body: Mapping[str, Any]) -> Step:
    wanted = _draft_fields(body)
    _check_size(client, body)
    stored = _find(client, str(body["slug"]))
    if stored is None:
        changes = changes_between({}, wanted)
        return Step(body=body, method="POST", summary="a new draft", changes=changes)
    if stored["status"] == CampaignStatus.ENDED:
        raise RefusedError(f"{body['slug']}: has ended, and changes no more")
    known = _draft_fields({name: stored[name] for name in CampaignIn.model_fields})
    changes = changes_between(known, wanted)
    if not changes:
        return Step(body=body, method=None, summary="unchanged", changes=())
    _check_budgets(stored, known, wanted)
    if stored["proposal"] and _is_proposed(client, stored, changes):
        version = stored["proposal"]["version"]
        summary = f"proposed already as version {version}; {_to_publish(body['slug'], version)}"
        return Step(body=body, method=None, summary=summary, changes=changes)
    is_draft = stored["status"] == CampaignStatus.DRAFT
    summary = "a new version of the draft" if is_draft else "a proposal"
    return Step(body=body, method="PUT", summary=summary, changes=changes)


def _find(client: httpx.Client, slug: str) -> dict[str, Any] | None:
    """Return a campaign as it is stored, or None where this service says that there is none."""
    answer = client.get(f"{PATH}/{slug}")
    if answer.status_code == httpx.codes.NOT_FOUND and _body(answer)["code"] == UNKNOWN_CAMPAIGN:
        return None
    stored = _read(answer, slug)
    if not stored.keys() >= SHOWN_FIELDS:
        raise UnusableServiceError(f"{answer.url} does not show campaigns as this release does")
    return stored


def _check_size(client: httpx.Client, body: Mapping[str, Any]) -> None:
    """Raise RefusedError for a campaign that is larger than a request may be."""
    if len(client.build_request("PUT", PATH, json=body).content) > BODY_LIMIT_BYTES:
        raise RefusedError(f"{body['slug']}: Must be at most {BODY_LIMIT_BYTES} bytes of JSON")


def _check_budgets(
    stored: Mapping[str, Any], known: Mapping[str, Any], wanted: Mapping[str, Any]
) -> None:
    """Raise RefusedError for another budget than the money that a campaign has."""
    is_draft = stored["status"] == CampaignStatus.DRAFT
    is_funded = not is_draft or stored["available_budget"]["minor"]
    if is_funded and wanted["budget.currency"] != known["budget.currency"]:
        raise RefusedError(f"{stored['slug']}: budget.currency: Must be the campaign's currency")
    if is_draft:
        return
    if wanted["budget.minor"] != known["budget.minor"]:
        raise RefusedError(f"{stored['slug']}: budget.minor: {BUDGET_STAYS}")
    if any(funded not in wanted["currencies"] for funded in known["currencies"]):
        raise RefusedError(f"{stored['slug']}: currencies: {BUDGET_STAYS}")


def _draft_fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a campaign's content with all that it leaves out; RefusedError for a wrong one."""
    slug = body["slug"]
    try:
        return CampaignIn.model_validate(body).to_draft().fields()
    except ValidationError as error:
        faults = [(".".join(map(str, fault["loc"])), fault["msg"]) for fault in error.errors()]
    except Problem as problem:
        faults = [(fault.field, fault.message) for fault in problem.errors]
    raise RefusedError("\n".join(f"{slug}: {field}: {message}" for field, message in faults))


def _is_proposed(
    client: httpx.Client, stored: Mapping[str, Any], changes: Sequence[Change]
) -> bool:
    slug = stored["slug"]
    versions = _read(client.get(f"{PATH}/{slug}/versions"), slug)["items"]
    proposed = next(v for v in versions if v["version"] == stored["proposal"]["version"])
    known = [(change["field"], change["after"]) for change in proposed["changes"]]
    return known == [(change.field, change.after) for change in changes]


def _print(steps: Sequence[Step]) -> None:
    for step in steps:
        typer.echo(f"{step.slug}: {step.summary}")
        for change in step.changes:
            before, after = json.dumps(change.before), json.dumps(change.after)
            typer.echo(f"  {change.field}: {before} -> {after}")
        if step.changes and _draft_fields(step.body)["terms.minimum_deposit.minor"] == 0:
            typer.echo(f"  warning: {NO_MINIMUM}")


def _write(client: httpx.Client, step: Step) -> int:
    """Send a step, and return the version that it has written."""
    path = PATH if step.method == "POST" else f"{PATH}/{step.slug}"
    written = _read(client.request(str(step.method), path, json=step.body), step.slug)
    version: int = (written["proposal"] or written)["version"]
    return version


def _sentences(fault: BaseException) -> list[str]:
    return [str(fault) or type(fault).__name__, *getattr(fault, "__notes__", ())]


def _to_publish(slug: str, version: int) -> str:
    """Say how this version is published, and no other that somebody writes meanwhile."""
    body = json.dumps({"version": version})
    return f"another person publishes it by POST {PATH}/{slug}/publish {body}"


def _read(answer: httpx.Response, slug: str) -> dict[str, Any]:
    """Return the body of an answer; RefusedError with the problem's sentence and fields."""
    found = _body(answer)
    if answer.is_success:
        return found
    fields = "; ".join(f"{e['field']}: {e['message']}" for e in found.get("errors", ()))
    problem = f"{found.get('code')}: {found.get('detail')} {fields}".rstrip()
    if answer.status_code in OF_THE_CAMPAIGN:
        raise RefusedError(f"{slug}: {problem}")
    raise UnusableServiceError(f"{answer.url} answered {answer.status_code}, {problem}")


def _body(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer; UnusableServiceError for another service's."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if isinstance(found, dict) and (answer.is_success or "code" in found):
        return found
    raise UnusableServiceError(
        f"{answer.url} answered {answer.status_code}, not as this service does; see"
        f" {ENV_PREFIX}API_URL"
    )
