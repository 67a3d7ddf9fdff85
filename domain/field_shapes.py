"""Shapes of fields that are kept in clear: whatever has another shape may be a person's."""

import re
from collections.abc import Callable, Mapping
from typing import Final

_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{16,128}\.[A-Za-z0-9_-]{8,128}")
_SUBDIVISION: Final = re.compile(r"[A-Za-z]{2}(?:[-_][A-Za-z0-9]{1,3})?")
_LOCALE: Final = re.compile(
    r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|\d{3}))?(?:\.[Uu][Tt][Ff]-?8)?"
)
_LOCALES: Final = re.compile(
    rf"{_LOCALE.pattern}(?:\s*[,;]\s*(?:{_LOCALE.pattern}|q=[01][.\d]*|\*))*"
)
_EXTENDED_LOCALE: Final = re.compile(
    rf"({_LOCALE.pattern})(?:@\w+=|@euro|[-_]#|[-_][A-Za-z][-_]).*", re.DOTALL
)
"""A locale with what an Android or iOS user has set beside it, such as the week's first day."""
_PROGRAM_WORD: Final = re.compile(r"(?!.*\d{5})[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*")
"""A word as programs write it: people write their names with capitals and blanks."""
_SEPARATORS: Final = re.compile(r"[\s_.-]+")
_VERSION: Final = re.compile(r"v?\d{1,4}(?:\.\d{1,6}){0,4}(?:[-+.][a-z0-9.]{1,12})?")
_DAY: Final = re.compile(r"\d{4}-\d{2}(?:-\d{2})?")
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_DIGITS: Final = re.compile(r"[\d.:_-]*")
_PHONE_DIGITS: Final = range(7, 16)
"""Numbers of digits that a phone number may have (E.164)."""

_PLATFORMS: Final = """
    android app backoffice desktop ios ipad iphone kiosk linux mac macos mobile other phone pwa
    retail shop tablet terminal tv web windows
"""
_METHODS: Final = """
    ach alipay americanexpress amex applepay astropay bacs bank banktransfer bitcoin blik boku
    bpay card cardpayment cash cashapp cashcard cashtocode check cheque credit creditcard crypto
    cryptocurrency dankort debit debitcard dinersclub directbanking directdebit discover ecopayz
    eft eps ethereum fasterpayment fasterpayments flexepin giropay googlepay ideal instadebit
    interac jcb jeton klarna maestro mastercard mbway mobilepay moneygram mpesa muchbetter
    multibanco neosurf neteller onlinebanking openbanking other ozow paybybank payid paynearme
    paypal paysafe paysafecard payz pix playplus prepaid prepaidcard przelewy24 rapidtransfer
    retail revolut sepa sepatransfer shop siru skrill sofort spei swift swish tether trustly
    twint unionpay upi usdc usdt venmo viabill vippay vippreferred vipps visa visadebit
    vivawallet voucher wallet wechatpay westernunion wire wiretransfer zelle zimpler
"""
_CHANNELS: Final = """
    airdrop app copy copylink discord email embed facebook facebookmessenger flyer imessage
    instagram kakaotalk line link linkedin mail messenger other pinterest print qr qrcode reddit
    share signal site slack sms snapchat social teams telegram text threads tiktok twitch
    twitter viber web website wechat whatsapp whatsappbusiness x youtube
"""


MAX_TERMS_VERSION: Final = 64
"""Characters of the name of a version of an offer's full terms."""


def has_shape(field: str, text: str) -> bool:
    """Return whether a text is what its field is for; raise KeyError for a field without shape."""
    return _SHAPES[field](text)


def without_extensions(locale: str) -> str:
    """Return a locale without its extensions (BCP 47, ICU); any other text as it is."""
    extended = _EXTENDED_LOCALE.fullmatch(locale.strip())
    return extended[1] if extended else locale


def request_id_or_none(text: str) -> str | None:
    """Return the id that a caller gives a request, unless a name or a phone number may be it.

    An id has a digit, and another sign than those of phone numbers or more digits than these.
    """
    if not _REQUEST_ID.fullmatch(text):
        return None
    digits = sum(character.isdigit() for character in text)
    is_phone = digits in _PHONE_DIGITS and _DIGITS.fullmatch(text)
    return text if digits and not is_phone else None


def is_digits_of_a_phone(text: str) -> bool:
    """Return whether a text has digits alone, as many as a phone number."""
    digits = _SEPARATORS.sub("", text)
    return digits.isdigit() and len(digits) in _PHONE_DIGITS


def _matches(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.fullmatch(text) is not None


def _is_platform(text: str) -> bool:
    return text.casefold() in _PLATFORMS.split()


def _word_of(known: frozenset[str]) -> Callable[[str], bool]:
    def is_word(text: str) -> bool:
        joined = _SEPARATORS.sub("", text).casefold()
        return joined in known or _PROGRAM_WORD.fullmatch(text) is not None

    return is_word


def _is_terms_version(text: str) -> bool:
    """Return whether a text is a word of programs, a version or a day, such as nj-2026-03."""
    if len(text) > MAX_TERMS_VERSION or (is_digits_of_a_phone(text) and not _DAY.fullmatch(text)):
        return False
    return any(shape.fullmatch(text) for shape in (_PROGRAM_WORD, _VERSION, _DAY))


_SHAPES: Final[Mapping[str, Callable[[str], bool]]] = {
    "accepted_terms": _is_terms_version,
    "channel": _word_of(frozenset(_CHANNELS.split())),
    "cookie_token": _matches(_TOKEN),
    "install_version": _matches(_VERSION),
    "jurisdiction": _matches(_SUBDIVISION),
    "locale": _matches(_LOCALES),
    "method": _word_of(frozenset(_METHODS.split())),
    "platform": _is_platform,
    "referral_token": _matches(_TOKEN),
}
SHAPED_FIELDS: Final = frozenset(_SHAPES)
"""Fields that are kept as they are only in their shape; people put anything into them."""
