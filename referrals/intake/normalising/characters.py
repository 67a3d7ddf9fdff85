"""Characters as people and devices write them, reduced to those that tell values apart."""

import unicodedata
from typing import Final

_INVISIBLE: Final = frozenset({"Cf", "Cc", "Mn", "Me"})
_INVISIBLE_MARKS: Final = frozenset({"Cf", "Cc"})
_IGNORABLE: Final = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x2800),
            *(0x3164, 0xFFA0, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)),
        ),
    )
)
"""Marks and fillers that are drawn as nothing (Unicode's Default_Ignorable_Code_Point, and the
blank of Braille), whose categories are those of visible characters."""


def plain(text: str) -> str:
    """Return compatibility characters composed, without invisible ones, in one case."""
    if _is_bare(text):
        return " ".join(text.lower().split())
    composed = unicodedata.normalize("NFKC", text)
    visible = "".join(
        " " if mark.isspace() else mark
        for mark in composed
        if mark.isspace() or not _is_invisible(mark)
    )
    return " ".join(unicodedata.normalize("NFKC", visible.casefold()).split())


def _is_invisible(mark: str) -> bool:
    return mark in _IGNORABLE or unicodedata.category(mark) in _INVISIBLE_MARKS


def without_accents(text: str) -> str:
    """Return a text without accents, as a person without those keys writes it."""
    if _is_bare(text):
        return text
    split = unicodedata.normalize("NFKD", text)
    return "".join(mark for mark in split if unicodedata.category(mark) not in _INVISIBLE)


def with_ascii_digits(text: str) -> str:
    """Return a text with the digits of every script written as 0 to 9."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(mark)) if unicodedata.category(mark) == "Nd" else mark
        for mark in text
    )


def _is_bare(text: str) -> bool:
    """Return whether a text has only characters that neither composing nor hiding changes."""
    return text.isascii() and text.isprintable()
