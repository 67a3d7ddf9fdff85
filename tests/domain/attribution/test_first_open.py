"""Tokens and links that an app finds at its first open, and which of them are claims."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.attribution.first_open import ReferralHint, collect_hints
from domain.attribution.install_referrer import Install
from domain.attribution.policy import Method, Refusal

PUBLIC_URL = "https://refer.example"
TOKEN = "AAECAwQFBgcICQoLDA0ODwAAAABpo9mA.sig_nature-1"
LINK = Method.UNIVERSAL_LINK
FOREIGN_LINK = ReferralHint(method=LINK, refusal=Refusal.NOT_ACCEPTED)


def claims_in(**given_: str | None) -> tuple[ReferralHint, ...]:
    return collect_hints(public_url=PUBLIC_URL, **given_)  # type: ignore[arg-type] # never an install


@pytest.mark.parametrize(
    ("link", "claim"),
    [
        ("https://refer.example/r/K7MPQ2XA", ReferralHint(method=LINK, code="K7MPQ2XA")),
        ("https://refer.example/r/sam-2026/", ReferralHint(method=LINK, code="SAM-2026")),
        (
            "HTTPS://Refer.Example/r/sam-2026?lang=es#top",
            ReferralHint(method=LINK, code="SAM-2026"),
        ),
        ("https://refer.example/r/sam%2D2026", ReferralHint(method=LINK, code="SAM-2026")),
        (
            f"https://refer.example/r/sam-2026?referral_token={TOKEN}",
            ReferralHint(method=LINK, token=TOKEN),
        ),
        (f"https://refer.example/?referral_token={TOKEN}", ReferralHint(method=LINK, token=TOKEN)),
        ("https://refer.example/elsewhere/sam-2026", FOREIGN_LINK),
        ("https://refer.example/r/", FOREIGN_LINK),
        ("https://refer.example/r/a/b", FOREIGN_LINK),
        ("https://evil.example/r/K7MPQ2XA", FOREIGN_LINK),
        ("https://refer.example.evil.example/r/K7MPQ2XA", FOREIGN_LINK),
        ("https://refer.example@evil.example/r/K7MPQ2XA", FOREIGN_LINK),
        (f"https://evil.example/?referral_token={TOKEN}", FOREIGN_LINK),
        ("ftp://refer.example/r/K7MPQ2XA", FOREIGN_LINK),
        ("//refer.example/r/K7MPQ2XA", FOREIGN_LINK),
        ("https://[/r/K7MPQ2XA", FOREIGN_LINK),
        ("K7MPQ2XA", FOREIGN_LINK),
    ],
)
def test_a_link_claims_something_only_on_this_services_own_host(
    link: str, claim: ReferralHint
) -> None:
    assert claims_in(universal_link=link) == (claim,)


def test_a_public_address_may_have_a_path() -> None:
    there = collect_hints(
        public_url="https://book.example/refer", universal_link="https://book.example/refer/r/ANN"
    )
    elsewhere = collect_hints(
        public_url="https://book.example/refer", universal_link="https://book.example/r/ANN"
    )
    assert (there, elsewhere) == ((ReferralHint(method=LINK, code="ANN"),), (FOREIGN_LINK,))


@pytest.mark.parametrize(
    "text", [TOKEN, f"  {TOKEN}\n", f"https://book.example/?referral_token={TOKEN}"]
)
def test_a_clipboard_holds_the_token_or_a_link_with_it(text: str) -> None:
    assert claims_in(clipboard=text) == (ReferralHint(method=Method.CLIPBOARD, token=TOKEN),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "two words",
        "K7MPQ2XA",
        "book.example",
        "x" * 257,
        "https://book.example/signup",
        "https://evil.example/r/K7MPQ2XA",
        "a/b",
        f"{TOKEN} {TOKEN}",
        f"{PUBLIC_URL}/r/ANN or {PUBLIC_URL}/r/BOB",
        f"{PUBLIC_URL}/r/ANN or {PUBLIC_URL}/r/ANN?referral_token={TOKEN}",
    ],
)
def test_whatever_else_is_in_a_clipboard_is_left_alone(text: str) -> None:
    assert claims_in(clipboard=text) == ()


@pytest.mark.parametrize(
    "text",
    [
        f"{PUBLIC_URL}/r/k7mpq2xa",
        f"Join me at {PUBLIC_URL}/r/K7MPQ2XA!",
        f"\n({PUBLIC_URL}/r/K7MPQ2XA), see https://news.example/a",
        f"{PUBLIC_URL}/r/K7MPQ2XA and {PUBLIC_URL}/r/K7MPQ2XA.",
    ],
)
def test_a_clipboard_with_a_friends_link_holds_its_code(text: str) -> None:
    assert claims_in(clipboard=text) == (ReferralHint(method=Method.CLIPBOARD, code="K7MPQ2XA"),)


def test_an_organic_install_is_not_a_claim() -> None:
    organic = Install(install_referrer="utm_source=google-play&utm_medium=organic")
    assert collect_hints(public_url=PUBLIC_URL, install=organic) == ()


def test_finds_come_in_the_order_of_their_worth() -> None:
    install = Install(install_referrer=f"referral_token={TOKEN}")
    everything = collect_hints(
        public_url=PUBLIC_URL,
        cookie=TOKEN,
        clipboard=TOKEN,
        install=install,
        universal_link=f"{PUBLIC_URL}/r/ANN",
    )
    assert everything == (
        ReferralHint(method=Method.UNIVERSAL_LINK, code="ANN"),
        ReferralHint(method=Method.INSTALL_REFERRER, token=TOKEN, install=install),
        ReferralHint(method=Method.CLIPBOARD, token=TOKEN),
        ReferralHint(method=Method.COOKIE, token=TOKEN),
    )


@given(st.text(max_size=100), st.text(max_size=100))
def test_any_text_is_read_without_a_fault(link: str, clipboard: str) -> None:
    for find in claims_in(universal_link=link, clipboard=clipboard):
        assert (find.token is None) + (find.code is None) + (find.refusal is None) == 2
