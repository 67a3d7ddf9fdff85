"""Access to the console's pages: the session, the role, and the token against forged forms."""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import parse_qs, urlsplit

import structlog
from fastapi import Depends, Request
from starlette.responses import Response

from api.console.navigation import HOME
from api.http.dependencies import Config, Db, Now
from api.http.errors import Problem, invalid_field
from referrals.access.audit import Actor
from referrals.access.console import sessions
from referrals.access.console.people import Person
from referrals.access.console.roles import PERMISSIONS, Permission
from referrals.access.console.sessions import SESSION_LIFETIME
from referrals.intake.contacts import has_contacts, mask_reason
from runtime.settings import Settings

COOKIE: Final = "referrals_console"
CSRF_FIELD: Final = "csrf_token"
MAX_FIELDS: Final = 50
MAX_REASON_CHARS: Final = 500
MAX_VERSION_DIGITS: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The person who is signed in, in one request."""

    person: Person
    csrf_token: str
    request_id: str

    @property
    def home(self) -> str:
        return HOME[self.person.role]

    def may(self, permission: Permission) -> bool:
        return permission in PERMISSIONS[self.person.role]

    def actor(self, reason: str) -> Actor:
        return Actor(name=self.person.name, request_id=self.request_id, reason=reason)


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form that was sent from a page of this session."""

    visitor: Visitor
    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a field without the blanks around it; 422 where it is missing or too long."""
        value = self.fields.get(name, "").strip()
        if not value:
            raise invalid_field(name, "Fill in this field")
        if len(value) > MAX_REASON_CHARS or "\x00" in value:
            raise invalid_field(name, f"Write at most {MAX_REASON_CHARS} characters")
        return value

    def words(self, name: str) -> str:
        """Return a field for people to read, with phone numbers and mail addresses masked.

        422 where that makes it too long.
        """
        try:
            return mask_reason(self.text(name))
        except ValueError as fault:
            raise invalid_field(name, str(fault)) from fault

    def reference(self) -> str:
        """Return the id of an act; 422 for a phone number or mail address."""
        reference = self.text("reference")
        if has_contacts(reference):
            raise invalid_field("reference", "Use an id, not a phone number or mail address")
        return reference

    def version(self) -> int:
        """Return the number of the version that the form's page showed; 422 for what is none."""
        typed = self.fields.get("version", "")
        if not (typed.isascii() and typed.isdigit() and len(typed) <= MAX_VERSION_DIGITS):
            raise invalid_field("version", "Open the page again and send its form from there")
        return int(typed)

    @property
    def actor(self) -> Actor:
        """Return who acts, for the reason that the form gives."""
        return self.visitor.actor(self.words("reason"))


async def signed_in(request: Request, database: Db, config: Config, now: Now) -> Visitor:
    """Return who is signed in; 401 `sign_in_required`."""
    token = request.cookies.get(COOKIE, "")
    async with database.reading() as session:
        person = await sessions.find_person(session, token, now=now) if token else None
    if person is None:
        raise Problem("sign_in_required")
    visitor = Visitor(
        person=person, csrf_token=csrf_token(token, config), request_id=request.state.request_id
    )
    structlog.contextvars.bind_contextvars(owner=person.name)
    request.state.visitor = visitor
    return visitor


SignedIn = Annotated[Visitor, Depends(signed_in)]


def may(permission: Permission) -> Callable[[Visitor], Awaitable[Visitor]]:
    """Make a dependency that returns the visitor; 403 `role_not_allowed`."""

    async def visitor_with(visitor: SignedIn) -> Visitor:
        if not visitor.may(permission):
            role = visitor.person.role
            raise Problem("role_not_allowed", f"The role {role} may not {permission}.")
        return visitor

    return visitor_with


def form_of(
    permission: Permission | None, *, max_fields: int = MAX_FIELDS
) -> Callable[..., Awaitable[Form]]:
    """Make a dependency that reads a form; 403 for one that no page of this session sent."""

    async def form(request: Request, visitor: SignedIn, config: Config) -> Form:
        fields = _read_fields(await _read_body(request, config), max_fields)
        _check_origin(request)
        given = fields.get(CSRF_FIELD, "") or request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(given.encode(), visitor.csrf_token.encode()):
            raise Problem("forged_form")
        if permission is not None:
            await may(permission)(visitor)
        return Form(visitor, fields)

    return form


def csrf_token(session_token: str, config: Settings) -> str:
    """Return the token that forms of a session carry; a page elsewhere cannot know it."""
    key = config.token_key.get_secret_value().encode()
    return hmac.digest(key, b"console csrf:" + session_token.encode(), "sha256").hex()


def set_session(answer: Response, token: str, config: Settings) -> None:
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION_LIFETIME.total_seconds()),
        path="/console",
        secure=config.public_url.startswith("https://"),
        httponly=True,
        samesite="lax",
    )


def _check_origin(request: Request) -> None:
    """Refuse a form from another origin, which browsers name."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Problem("forged_form")


async def _read_body(request: Request, config: Settings) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > config.body_limit_bytes:
            raise Problem("body_too_large")
        chunks.append(chunk)
    return b"".join(chunks)


def _read_fields(body: bytes, max_fields: int) -> Mapping[str, str]:
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=max_fields)
    except ValueError as fault:
        raise Problem("bad_request") from fault
    return {name: values[-1] for name, values in fields.items()}
