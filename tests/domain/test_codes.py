"""Referral codes."""

from typing import Final
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.codes import (
    ALPHABET,
    CODE_SHAPE,
    DRAWN_LENGTH,
    code_from_bytes,
    code_in_path,
    is_code,
    normalise_code,
    parse_code,
)

PUBLIC_URL: Final = "https://refer.example"


@given(st.text())
def test_normalising_again_changes_nothing(typed: str) -> None:
    assert normalise_code(normalise_code(typed)) == normalise_code(typed)


@given(st.from_regex(CODE_SHAPE, fullmatch=True))
@example("CODE-7")
@example("CODE--7_-")
def test_a_code_is_its_own_spelling(code: str) -> None:
    # A code is taken as it is; with a blank or a mark around it, it is looked at closely.
    assert normalise_code(code) == normalise_code(f" {code} ") == code
    assert code_in_path(code) == code_in_path(f"{code}/") == code


@given(st.binary(min_size=DRAWN_LENGTH, max_size=32))
def test_a_drawn_code_is_one_and_reads_unambiguously(random_bytes: bytes) -> None:
    code = code_from_bytes(random_bytes)

    assert is_code(code)
    assert normalise_code(code.lower()) == code
    assert set(code) <= set(ALPHABET)
    assert not set("01OIL") & set(ALPHABET) - {"L"}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("ANN", True),
        ("ANN_LEE-10", True),
        ("A" * 32, True),
        ("AN", False),
        ("A" * 33, False),
        ("_ANN", False),
        ("ann", False),
        ("AN N", False),
        ("ÄNN", False),
        ("ANN\n", False),
    ],
)
def test_the_syntax_of_a_code(text: str, *, holds: bool) -> None:
    assert is_code(text) is holds


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (" ann-10 ", "ANN-10"),
        ("https://refer.example/r/ann-10", "ANN-10"),
        ("HTTPS://refer.example/r/ann-10/?lang=es#top", "ANN-10"),
        ("refer.example/r/ann%2D10", "ANN-10"),
        ("https://refer.example:8443/R/ann-10\n", "ANN-10"),
        ("HTTPS://REFER.EXAMPLE/R/ANN-10", "ANN-10"),
        ("https://refer.example/r/ann-10//", "ANN-10"),
        ("https://refer.example/r/ann-10&utm_source=sms", "ANN-10"),
        ("https://refer.example/r/ann-10&amp;lang=es", "ANN-10"),
        ("https://refer.example/r/ann-10%3Futm_source=sms&x", "ANN-10"),
        ("https://refer.example/r/ann-10&gt;", "ANN-10"),
        ("https://refer.example/r/ann&bob", None),
        ("ann-10&utm_source=sms", None),
        ("[my link](https://refer.example/r/ann-10)", "ANN-10"),
        ("<https://refer.example/r/ann%E2%80%9310>", "ANN-10"),
        ("https://refer.example/r/ann-10\u201d", "ANN-10"),
        ("https://www.reddit.com/r/ann-10/", None),
        ("https://refer.example.evil.example/r/ann-10", None),
        ("https://refer.example@evil.example/r/ann-10", None),
        ("https://evil.example/?to=https://refer.example/r/ann-10", None),
        ("https://[::1/r/ann-10", None),
        ("Join me: https://refer.example/r/ann-10!", "ANN-10"),
        ("https://refer.example/r/ann-10 or https://refer.example/r/bob-10", None),
        ("my code is ann-10", "ANN-10"),
        ("my code is in the mail", None),
        ("https://refer.example/ann-10", None),
        ("https://refer.example/r/", None),
        ("https://refer.example/r/a/b", None),
        ("/r/ann-10", None),
        ("r/ann-10", None),
        ("https://refer.example./r/ann-10", "ANN-10"),
        ("https://refer\u3002example/r/ann-10", "ANN-10"),
        ("https://refer.example/r/ann-10;jsessionid=1", "ANN-10"),
        ("https://refer.example/r/ann-10&nbsp;", "ANN-10"),
        ("https://refer.example/r/ann-10%253Futm=x", "ANN-10"),
        ("https://refer.example/r/ann-10\uff0c快来", "ANN-10"),
        ("https://refer.example/r/ann-10\u2019s", "ANN-10"),
        ("[https://refer.example/r/ann-10](https://refer.example/r/ann-10)", "ANN-10"),
        ("[https://refer.example/r/ann-10](https://refer.example/r/bob-10)", None),
        ("https://refer.example/r/ann-10/amp", "ANN-10"),
        ("https://refer.example//r/ann-10", "ANN-10"),
        ("https://www.refer.example/r/ann-10", "ANN-10"),
        ("https:/refer.example/r/ann-10", "ANN-10"),
        ("https//refer.example/r/ann-10", "ANN-10"),
        ("MEBKM:TITLE:x;URL:https\\://refer.example/r/ann-10;;", "ANN-10"),
        ("https%253A%252F%252Frefer.example%252Fr%252Fann-10", "ANN-10"),
        ("intent://refer.example/r/ann-10#Intent;scheme=https;end", "ANN-10"),
        ('<a href="https://refer.example/r/ann-10">https://refer.example/r/ann-10</a>', "ANN-10"),
        ("https://refer.example/r/ann-10\U0001f389Join!", "ANN-10"),
        ("https://refer.example/r/ann-10,join", "ANN-10"),
        ("https://refer.example/r/ann-10\u060c\u0627", "ANN-10"),
        ("https://refer.example/r/ann-10%20Join%20me", "ANN-10"),
        ("https://refer.example/r/\u201eann-10\u201c", "ANN-10"),
        ("https://refer.example/r/&quot;ann-10&quot;", "ANN-10"),
        ("https://refer.example/r/\u24d0\u24dd\u24dd-10", "ANN-10"),
        ("_https://refer.example/r/ann-10_", "ANN-10"),
        ("[url=https://refer.example/r/ann-10]join[/url]", "ANN-10"),
        ("https:\\/\\/refer.example\\/r\\/ann-10", "ANN-10"),
        ("ANN-10 is my code", "ANN-10"),
        ("Use code ANN-10 at signup", "ANN-10"),
        ("[12:30, 1/2/2026] Ann: ANN-10", "ANN-10"),
        ("ANN-10 (mine) or BOB-10 (his)", None),
        ("https://www.reddit.com/r/ann10/ or ask ann", None),
        ("<b>ANN-10</b>", "ANN-10"),
    ],
)
def test_a_link_pasted_for_a_code_is_its_code(typed: str, code: str | None) -> None:
    assert parse_code(typed, public_url=PUBLIC_URL) == code


@pytest.mark.parametrize(
    "around",
    [
        "https://l.facebook.com/l.php?u={}&h=AT0",
        "https://lm.facebook.com/l.php?u={}%3Ffbclid%3DIwAR0&h=AT0",
        "https://l.instagram.com/?u={}&e=AT1",
        "https://l.messenger.com/l.php?u={}",
        "https://www.google.com/url?sa=t&url={}&usg=AO",
        "https://www.google.co.uk/url?q={}&sa=D",
        "https://eur01.safelinks.protection.outlook.com/?url={}&data=05%7C02&reserved=0",
        "https://www.youtube.com/redirect?event=video&q={}",
        "https://www.linkedin.com/redir/redirect?url={}",
        "https://vk.com/away.php?to={}",
        "https://slack-redir.net/link?url={}",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fl.instagram.com%2F%3Fu%3D{}",
        "https://t.me/share/url?url={}",
        "https://wa.me/?text=Join%20me%3A%20{}%20%21",
        "https://twitter.com/intent/tweet?text=Join%20{}",
        "https://duckduckgo.com/l/?uddg={}&rut=1",
        "https://link.zhihu.com/?target={}",
        "https://linkprotect.cudasvc.com/url?a={}&c=E,1",
        "https://secure-web.cisco.com/1abc/{}",
        "https://href.li/?https://refer.example/r/ann-10",
        "https://web.archive.org/web/2026/https://refer.example/r/ann-10",
        "https://www.google.com/amp/s/refer.example/r/ann-10",
        "https://urldefense.com/v3/__https://refer.example/r/ann-10__;!!N1!x$",
        "https://urldefense.proofpoint.com/v2/url?u=https-3A__refer.example_r_ann-2D10&d=Dw",
    ],
)
def test_a_link_is_found_in_what_mailers_and_networks_wrap_around_it(around: str) -> None:
    wrapped = around.format(quote("https://refer.example/r/ann-10", safe=""))

    assert parse_code(wrapped, public_url=PUBLIC_URL) == "ANN-10"


@pytest.mark.parametrize(
    "link",
    [
        "https://facebook.com.evil.example/l.php?u=https%3A%2F%2Frefer.example%2Fr%2Fann-10",
        "https://notfacebook.com/l.php?u=https%3A%2F%2Frefer.example%2Fr%2Fann-10",
        "https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.reddit.com%2Fr%2Fann-10",
        "https://l.facebook.com/r/ann-10",
        "https://www.google.com/search?q=ann-10",
        "https://t.me/share/url?url=https%3A%2F%2Fwww.reddit.com%2Fr%2Fann-10",
        "https://web.archive.org/web/2026/https://www.reddit.com/r/ann-10",
    ],
)
def test_no_other_address_is_read_for_a_link_in_it(link: str) -> None:
    assert parse_code(link, public_url=PUBLIC_URL) is None


def test_a_link_to_an_international_host_is_one_in_either_spelling() -> None:
    written, encoded = "https://b\u00fccher.example", "https://xn--bcher-kva.example"
    assert parse_code(f"{written}/r/ann-10", public_url=encoded) == "ANN-10"
    assert parse_code(f"{encoded}/r/ann-10", public_url=written) == "ANN-10"


def test_a_link_below_a_path_is_one_only_there() -> None:
    below = "https://book.example/refer/"
    assert parse_code("https://book.example/refer/r/ann-10", public_url=below) == "ANN-10"
    assert parse_code("https://book.example/r/ann-10", public_url=below) is None


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        *((f"ANN123{mark}", "ANN123") for mark in ".,)!;:]*'\"><…”»、。"),
        *((f"{mark}ANN123", "ANN123") for mark in "([*'\"<“„«¿¡#@"),
        ("_ann123_", "ANN123"),
        ("🎁 ann123 🎁", "ANN123"),
        *(
            (f"ann{dash}10", "ANN-10")
            for dash in "\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"
        ),
        *((f"an{mark}n1", "ANN1") for mark in "\u00ad\u200b\u200d\u200e\u2060\ufe0f\ufeff"),
        ("\ufeff\u202aann1\u202c", "ANN1"),
        ("\uff21\uff2e\uff2e\uff11\uff12\uff13", "ANN123"),
        ("\U0001d5d4\U0001d5e1\U0001d5e1\U0001d7ed\U0001d7ee\U0001d7ef", "ANN123"),
        ("ann\u0661\u06f2\u0969", "ANN123"),
        ("\u00a0ann1\u3000", "ANN1"),
        ("3gaw h3up", "3GAWH3UP"),
        ("ann_", "ANN_"),
        *((f"ann{dash}10", "ANN-10") for dash in "\u207b\u23af\u2500\u2796\u30fc\u3161\uff70"),
        *((f"an{mark}n1", "ANN1") for mark in "\u17b4\u2065\ufff0\U000e0100\U000e0041"),
        ("\u24b6\u24c3\u24c3\u2460\u24ea", "ANN10"),
        ("\U0001f170\U0001f17d\U0001f17d10", "ANN10"),
        ("\U0001f150\U0001f15d\U0001f15d10", "ANN10"),
        ("ann1\ufe0f\u20e30\ufe0f\u20e3", "ANN10"),
        ("\U0001f1e9\U0001f1ea ann10", "ANN10"),
        ("%20ann10%E2%80%8B", "ANN10"),
        ("ann%25E2%2580%259310", "ANN-10"),
        ("&nbsp;ann10&#8203;", "ANN10"),
        ("code: ANN123", "ANN123"),
        ("Code:ann123!", "ANN123"),
        ("Use code ann123 \U0001f381", "ANN123"),
        ("Mein Empfehlungscode ist: ANN123", "ANN123"),
        ("邀请码\uff1aANN123", "ANN123"),
        ("招待コードANN123", "ANN123"),
        ("промокод ANN123", "ANN123"),
        ("code: 3gaw h3up", "3GAWH3UP"),
        ("the code\u2019s ann123", "ANN123"),
        ("code\U0001f449ANN123", "ANN123"),
        ("PROMO-CODE", "PROMO-CODE"),
        ("CODE-10", "CODE-10"),
        ("code123", "CODE123"),
        ("3 g a w h 3 u p", "3GAWH3UP"),
        ("3ga wh3 up", "3GAWH3UP"),
        ("a n n - 1 0", "ANN-10"),
        ("ann - 10", "ANN-10"),
        ("ann\uff5e10", "ANN-10"),
        *((f"ann{mark}10", "ANN_10") for mark in "\u203f\ufe33\ufe4d\uff3f"),
        ("a\u0332n\u0336n\u035f10", "ANN10"),
    ],
)
def test_reads_codes_as_keyboards_and_chats_write_them(typed: str, code: str) -> None:
    assert normalise_code(typed) == code


@pytest.mark.parametrize(
    "typed",
    ["straße", "A\u0301NN1", "\u017fam", "ﬁnn", "\u0131an1", "KAI\u212a", "ann²", "ann lee"],
)
def test_no_letter_becomes_another(typed: str) -> None:
    assert not is_code(normalise_code(typed))


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_nothing(typed: str) -> None:
    for text in (typed, f"https://refer.example/r/{typed}"):
        code = parse_code(text, public_url=PUBLIC_URL)
        assert code is None or is_code(code)
