"""Words that make a password easy: common ones, keyboard walks, runs. Written down here by hand; no list of leaked passwords is shipped.

The best known passwords are few roots with decorations: passw0rd, Password1234!, qwerty2024. So the roots are listed, and the decorations undone.
A shop that has a list of breached passwords hands in a function that asks it (People's `breached`).
"""

from __future__ import annotations

COMMON = """
password passwort passwd passphrase parola contrasena motdepasse mima secret geheim login logon letmein welcome willkommen bienvenue admin
administrator root user guest test tester testing demo default changeme change temp temporary access account master manager office company
system server computer internet network windows linux apple google facebook microsoft samsung iloveyou loveyou love lovely baby angel princess
sunshine summer winter spring autumn monday tuesday wednesday thursday friday saturday sunday january february march april june july august
september october november december football baseball basketball soccer hockey liverpool arsenal chelsea barcelona dragon monkey shadow master
superman batman spiderman pokemon naruto starwars jordan michael michelle jennifer jessica ashley daniel thomas robert andrew joshua matthew
charlie george hunter ranger killer ginger pepper cookie cheese chocolate banana orange purple flower butterfly freedom trustno trustnoone
whatever nothing hello helloworld hallo bonjour goodbye money dollar diamond silver golden tigger tiger lion eagle falcon mustang ferrari
mercedes porsche corvette harley yankees lakers cowboys steelers matrix ninja samurai phoenix wizard magic gandalf hacker mynoob blink
please thankyou fuckyou asshole bitch pussy sexy nicole hannah amanda samantha maggie buster bailey rocky lucky happy forever family friends
jesus christ blessed heaven god faith hope grace china beijing london paris berlin newyork america carbon climate emission emissions
allowance allowances registry trading exchange market credit credits
""".split()

#: Rows of keyboards and alphabets. A run of four along one, either way, is a walk.
ROWS = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn", "1234567890", "abcdefghijklmnopqrstuvwxyz",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "1q2w3e4r5t6y7u8i9o0p", "qazwsxedcrfvtgbyhnujm", "zaq1xsw2cde3vfr4bgt5nhy6mju7",
)  # fmt: skip
RUN = 4
PLAIN = str.maketrans(
    {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g", "@": "a", "$": "s", "!": "i", "|": "l", "+": "t"}
)
ENOUGH = 5  # letters of its own that a password keeps after everything easy is taken away
DIFFERENT = 4


def _walks() -> frozenset[str]:
    found = set()
    for row in ROWS:
        for text in (row, row[::-1]):
            found |= {text[at : at + RUN] for at in range(len(text) - RUN + 1)}
    return frozenset(found)


WALKS = _walks()
LONG_FIRST = sorted(set(COMMON), key=len, reverse=True)


def without_walks(text: str) -> str:
    """The text without runs along a keyboard, an alphabet or the digits."""
    gone = [False] * len(text)
    for at in range(len(text) - RUN + 1):
        if text[at : at + RUN] in WALKS:
            gone[at : at + RUN] = [True] * RUN
    return "".join(letter for letter, out in zip(text, gone, strict=True) if not out)


def without_repeats(text: str) -> str:
    """`aaaaabcabcabc` -> `abc`: repeated letters once, repeated pieces once."""
    kept: list[str] = []
    for letter in text:
        if not kept or kept[-1] != letter:
            kept.append(letter)
    text = "".join(kept)
    for size in range(2, len(text) // 2 + 1):
        at = 0
        while at + 2 * size <= len(text):
            if text[at : at + size] == text[at + size : at + 2 * size]:
                text = text[:at] + text[at + size :]
            else:
                at += 1
    return text


def what_remains(password: str, context: tuple[str, ...]) -> str:
    """What is left of a password when common words, context words, runs, repeats, digits and signs are taken away. Letters only, folded."""
    folded = password.casefold()
    best = None
    for spelling in (folded, folded.translate(PLAIN)):
        text = without_walks(spelling)
        for word in sorted({word.casefold() for word in context if len(word) >= 3}, key=len, reverse=True):
            text = text.replace(word, " ")
        for word in LONG_FIRST:
            text = text.replace(word, " ")
        text = without_repeats("".join(letter for letter in text if letter.isalpha()))
        if best is None or len(text) < len(best):
            best = text
    return best or ""


def is_easy(password: str, context: tuple[str, ...]) -> bool:
    rest = what_remains(password, context)
    return len(rest) < ENOUGH or len(set(rest)) < DIFFERENT
