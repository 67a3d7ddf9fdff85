"""Words that no code may spell, in the languages of the pages and as people disguise them."""

import re
from functools import lru_cache
from typing import Final

# English, Spanish, Portuguese, French and German, without accents, as codes have none.
_ANYWHERE: Final = """
    ANALSEX ARROMBAD ARSCHLOCH ARSEHOLE ASSHOLE ASSWIPE BASTARD BATARDE BITCH BLOWJOB BOLLOCK
    BOQUETE BORDEL BOUGNOUL BRANLETTE BRANLEU BUCETA BULLSHIT CABRON CACETE CARALHO CHINGA
    CHIOTTE CLITORI COCKSUCK COJONE CONNARD CONNASSE COUILLE CULERO CUMSHOT CUNNILING CUZAO
    DICKHEAD DILDO DOUCHEBAG DRECKSAU EJACUL ENCULE ENFOIRE FAGGOT FCUK FELLAT FICKDICH FICKEN
    FICKER FILSDEP FODASE FODER FOLLAR FOTZE FUCK GILIPOLL GOUINE HANDJOB HIJADEP HIJODEP HITLER
    HURENSOHN INCEST JIZZ JODER KACKE KANAKE KIKE MAMADA MARICON MASTURB MERDE MIERDA MISSGEBURT
    MISTSTUECK MOLESTER MOTHERF MUSCHI NAZI NEGRITO NICHON NIGGA NIGGER NIGLET NIQUE NUTTE
    ORGASM PAJERO PEDOPHIL PENDEJA PENDEJO PENIS PETASSE PHUCK PIMMEL PINCHE PIROCA PISSE POLLAS
    PORNO PORRA PUNHETA PUSSY PUTA PUTAIN PUTE PUTITA PUTO RETARD SALOPE SCHEISS SCHLAMPE
    SCHWANZ SCHWUCHTEL SHIT SIEGHEIL SLUT SPASTI SPERM SUCKMY SUICIDE TALIBAN TITTEN TITTIES
    TRANNY TWAT VAGABUNDA VAGINA VERGA VIADO VOTZE WANKER WETBACK WHORE WICHSEN WICHSER WIXER
    XOXOTA
"""
_ALONE: Final = """
    ANAL ANUS ARSCH ARSE ASS BABACA BATARD BICHA BITE BOOBS BOSTA BUNDA CAGAR CHATTE CHIER CHINK
    CLIT COCK CONO COON CORNO CUL CULO CUM CUNT DICK DOUCHE DYKE FAG FDP FICK FODA FOTZ FOUTRE
    FUKC GOOK GUARRA HEIL HOMO HURE KKK KYS LESBO MAMAR MARICA MERDA MERDAS MOLEST MONGO NEGER
    NEGRE ORGY PAEDO PAKI PEDE PEDO PICHA PISS POLLA PORN PRICK PUTAS RAPE RAPIST RECTUM SEX
    SPAST SPIC TAPETTE TETAS TIT TITS TITTE TOSSER VADIA WANK XXX ZORRA
"""
_INNOCENT: Final = """
    SCUNTHORPE SHIITAKE PENISTONE YOSHITA TAKESHITA MATSUSHITA KINOSHITA MORISHITA IWASHITA
    YAMASHITA HIGASHITA DISPUTE COMPUTE REPUTE DEPUTE IMPUTE AMPUTA REPUTA COMPUTA DEPUTA DISPUTA
    IMPUTA NAZIR NAZIM UNIQUE TECHNIQUE CLINIQUE MINUTTE RETARDANT VERGARA
"""
ANYWHERE: Final = tuple(_ANYWHERE.split())
"""Words that are seen inside others, too."""
ALONE: Final = frozenset(_ALONE.split())
"""Words that are seen only as a whole part of a code: others hold them innocently."""
INNOCENT: Final = re.compile(rf"(?<!HIJO)(?<!HIJA)(?<!FILS)(?:{'|'.join(_INNOCENT.split())})")
"""Names and words that hold one of them and mean nothing by it."""
DISGUISES: Final = str.maketrans("0134567@$", "OIEASGTAS")
"""Digits that stand for letters."""
_PROFANE: Final = re.compile("|".join(ANYWHERE))
_AS_L: Final = str.maketrans("1I", "LL")
_REPEATED: Final = re.compile(r"(.)\1{2,}")
_MARKS: Final = re.compile(r"[-_]+")
_MARKS_AND_DIGITS: Final = re.compile(r"[-_\d]+")


@lru_cache(1024)
def is_profane(code: str) -> bool:
    """Return whether a normalised code spells a profanity, also by digits, marks and repetition."""
    whole = _MARKS.sub("", code)
    parts = (whole, *_MARKS.split(code), *_MARKS_AND_DIGITS.split(code))
    return (
        _spells(whole)
        or _spells(INNOCENT.sub("", whole).translate(_AS_L))
        or any(part.translate(DISGUISES) in ALONE for part in parts)
    )


def _spells(text: str) -> bool:
    plain = INNOCENT.sub("", text.translate(DISGUISES))
    spellings = (plain, _REPEATED.sub(r"\1", plain), plain.replace("V", "U"))
    return any(_PROFANE.search(each) for each in spellings)
