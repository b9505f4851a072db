"""Language tags: which are well formed, and which name a language."""

import re

# RFC 5646, section 2.1, `langtag`, without languages of 4 to 8 letters: there are none. What `x`
# begins is private use, and small as the AT Protocol's own check of the format `language` has it.
_TAG = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}"
    r"(-[A-Za-z]{4})?"  # script
    r"(-([A-Za-z]{2}|[0-9]{3}))?"  # region
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"  # variants
    r"(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*"  # extensions
    r"(-x(-[A-Za-z0-9]{1,8})+)?"
)
#: codes of ISO 639-2 that stand for no one language
_NO_LANGUAGE = frozenset(["mis", "mul", "und", "zxx"])


def is_language_tag(tag: str) -> bool:
    """Whether a tag is well formed by BCP 47: whether anybody has assigned it is not asked.

    No variant and no extension may stand twice (RFC 5646, sections 2.2.5 and 2.2.6).
    """
    if _TAG.fullmatch(tag) is None:
        return False
    subtags = re.split("-x-", tag.lower())[0].split("-")[1:]
    extensions = [subtag for subtag in subtags if len(subtag) == 1]
    before = subtags[: subtags.index(extensions[0])] if extensions else subtags
    variants = [subtag for subtag in before if len(subtag) > 4 or subtag[:1].isdigit()]
    return all(len(set(group)) == len(group) for group in (extensions, variants))


def language_code(tag: str) -> str:
    """The ISO 639 code that a tag begins with, in lower case; "" if it names no language."""
    code = re.split("[-_]", tag)[0].lower()
    return code if re.fullmatch("[a-z]{2,3}", code) and code not in _NO_LANGUAGE else ""
