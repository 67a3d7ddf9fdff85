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
from api.v1.schemas.campaigns import CampaignIn
from domain.campaigns.terms import CampaignStatus
from referrals.campaigns.version_views import Change, changes_between
from runtime.command_line import COULD_NOT_RUN

PATH: Final = "/v1/campaigns"
TIMEOUT_S: Final = 30
REFUSED: Final = 1
CONNECTION_FILE: Final = "connection.json"
NO_MINIMUM: Final = (
    "terms.minimum_deposit: there is none, so a deposit of the smallest amount earns the reward"
)
"""Warning for an offer that names no minimum in another currency than that of `default`, or 0."""


class RefusedError(ValueError):
    """A campaign of the file is wrong, or the service does not take it."""


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
            steps = [_planned(client, body) for body in bodies]
            _print(steps)
            if not is_plan:
                _carry_out(client, steps)
    except RefusedError as refusal:
        typer.echo(str(refusal), err=True)
        return REFUSED
    except (OSError, httpx.HTTPError, yaml.YAMLError, UnicodeDecodeError) as fault:
        typer.echo(f"could not run: {fault}", err=True)
        return COULD_NOT_RUN
    return 0


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
    except OSError:
        return None
    return connection["api_url"], connection["api_key"]


def _planned(client: httpx.Client, body: Mapping[str, Any]) -> Step:
    wanted = _draft_fields(body)
    answer = client.get(f"{PATH}/{body['slug']}")
    if answer.status_code == httpx.codes.NOT_FOUND:
        changes = changes_between({}, wanted)
        return Step(body=body, method="POST", summary="a new draft", changes=changes)
    stored = _read(answer)
    if stored["status"] == CampaignStatus.ENDED:
        raise RefusedError(f"{body['slug']}: has ended, and changes no more")
    known = {name: stored[name] for name in CampaignIn.model_fields}
    changes = changes_between(_draft_fields(known), wanted)
    if not changes:
        return Step(body=body, method=None, summary="unchanged", changes=())
    if stored["proposal"] and _is_proposed(client, stored, changes):
        version = stored["proposal"]["version"]
        summary = f"proposed already as version {version}; {_to_publish(body['slug'], version)}"
        return Step(body=body, method=None, summary=summary, changes=changes)
    is_draft = stored["status"] == CampaignStatus.DRAFT
    summary = "a new version of the draft" if is_draft else "a proposal"
    return Step(body=body, method="PUT", summary=summary, changes=changes)


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
    versions = _read(client.get(f"{PATH}/{stored['slug']}/versions"))["items"]
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


def _carry_out(client: httpx.Client, steps: Sequence[Step]) -> None:
    for step in steps:
        if step.method is None:
            continue
        path = PATH if step.method == "POST" else f"{PATH}/{step.slug}"
        written = _read(client.request(step.method, path, json=step.body))
        version = (written["proposal"] or written)["version"]
        typer.echo(f"{step.slug}: version {version} is written; {_to_publish(step.slug, version)}")


def _to_publish(slug: str, version: int) -> str:
    """Say how this version is published, and no other that somebody writes meanwhile."""
    body = json.dumps({"version": version})
    return f"another person publishes it by POST {PATH}/{slug}/publish {body}"


def _read(answer: httpx.Response) -> dict[str, Any]:
    """Return the body of an answer; RefusedError with the problem's sentence and fields."""
    found: dict[str, Any] = answer.json()
    if answer.is_success:
        return found
    fields = "; ".join(f"{e['field']}: {e['message']}" for e in found.get("errors", ()))
    raise RefusedError(f"{found.get('code')}: {found.get('detail')} {fields}".rstrip())
