"""The port to an identity provider, and how its claims about a person are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from domain.people import name_error
from referrals.access.console.roles import Role

Claims = Mapping[str, Any]
EMAIL: Final = "email"


class ProviderAwayError(Exception):
    """The provider does not answer, or answers something else than what its metadata promises."""


class NotVouchedError(Exception):
    """The provider does not vouch for the person: its answer is refused, or not to be trusted."""


class NotAdmittedError(Exception):
    """The provider vouches for a person whom the console does not admit; its text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The secrets of one sign-in, which only the browser that began it can finish."""

    state: str
    nonce: str
    verifier: str
    """Proof Key for Code Exchange (RFC 7636), 43 to 128 characters."""
    callback: str
    """Address to which the provider sends the browser back."""


class IdentityProvider(Protocol):
    """An OpenID Connect provider."""

    async def address(self, sign_in: SignIn) -> str:
        """Return where the person signs in; raises ProviderAwayError."""
        ...

    async def claims(self, code: str, sign_in: SignIn, *, issuer: str | None) -> Claims:
        """Return a person's claims for a code.

        Raises ProviderAwayError, and NotVouchedError for a code or a token that is not valid.
        `issuer` is who sent the code, where the browser was told (RFC 9207).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimNames:
    """Claims that are read, and the roles by the provider's own words."""

    name: str
    role: str
    roles: Mapping[str, Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    name: str
    role: Role


def read_identity(claims: Claims, names: ClaimNames) -> Identity:
    """Return who signs in and in which role; raises NotAdmittedError."""
    return Identity(name=_name(claims, names.name), role=_role(claims, names))


def _name(claims: Claims, claim: str) -> str:
    name = _find(claims, claim)
    if not isinstance(name, str) or name_error(name) is not None:
        raise NotAdmittedError(
            f"Your account has no usable name: the claim `{claim}` is missing or is not a name of"
            " 1 to 200 printable characters. Ask whoever runs the identity provider to send it."
        )
    if claim == EMAIL and claims.get("email_verified") in {False, "false"}:
        raise NotAdmittedError(
            "Your e-mail address is not verified at the identity provider. Verify it there, then"
            " sign in again."
        )
    return name


def _role(claims: Claims, names: ClaimNames) -> Role:
    """Return the one role that the claim names; an admin needs no other one beside it."""
    found = {role for word in _words(_find(claims, names.role)) if (role := _read(word, names))}
    if Role.ADMIN in found:
        return Role.ADMIN
    if len(found) == 1:
        return found.pop()
    if found:
        raise NotAdmittedError(
            f"Your account has several roles: {', '.join(sorted(found))}. A person works at the"
            f" console in one. Ask whoever runs the identity provider to leave one in the claim"
            f" `{names.role}`."
        )
    words = sorted(names.roles) or list(Role)
    raise NotAdmittedError(
        f"Your account has no role at the console. Ask whoever runs the identity provider to put"
        f" one into the claim `{names.role}`: {', '.join(words)}."
    )


def _read(word: str, names: ClaimNames) -> Role | None:
    if names.roles:
        return names.roles.get(word)
    return Role(word) if word in set(Role) else None


def _words(value: object) -> Sequence[str]:
    if isinstance(value, str):
        return value.split()
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _find(claims: Claims, path: str) -> object:
    """Return a claim by its name, or by a path of names with dots between; None without it."""
    if path in claims:
        return claims[path]
    value: object = claims
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
