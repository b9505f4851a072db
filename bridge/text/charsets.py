"""Bytes of web pages as text, as browsers read them (WHATWG Encoding Standard). Pure."""

from __future__ import annotations

import codecs
import re

#: the signs at a page's beginning that name its encoding, whatever else does (6, "BOM sniff")
_BEGINNINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE
)
#: labels that Python has no encoding for (4.2, "Names and labels"); with "x-" before them too
_LABELS = {
    "cn-big5": "big5",
    "csbig5": "big5",
    "cseuckr": "euc-kr",
    "cseucpkdfmtjapanese": "euc-jp",
    "csgb2312": "gbk",
    "csiso58gb231280": "gbk",
    "csunicode": "utf-16-le",
    "dos-874": "cp874",
    "gb_2312": "gbk",
    "gb_2312-80": "gbk",
    "iso-8859-8-e": "iso-8859-8",
    "iso-8859-8-i": "iso-8859-8",
    "iso-ir-149": "euc-kr",
    "koi": "koi8-r",
    "koi8": "koi8-r",
    "koi8-ru": "koi8-u",
    "ks_c_5601-1989": "euc-kr",
    "ksc_5601": "euc-kr",
    "logical": "iso-8859-8",
    "mac": "macintosh",
    "mac-ukrainian": "mac-cyrillic",
    "ucs-2": "utf-16-le",
    "unicode": "utf-16-le",
    "unicode-1-1-utf-8": "utf-8",
    "unicode11utf8": "utf-8",
    "unicode20utf8": "utf-8",
    "unicodefeff": "utf-16-le",
    "visual": "iso-8859-8",
    "windows-31j": "cp932",
    "windows-874": "cp874",
    "windows-949": "cp949",
    "x-big5": "big5",
}
#: what pages that name one of Python's encodings are written in: mostly one that has more
_MEANT = {
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "shift_jis": "cp932",
    "tis-620": "cp874",
    "utf-16": "utf-16-le",
}
#: Python's own encodings, which no page is written in; some take a time that grows as the square
_NONE = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined", "utf-7"}


def decode_page(body: bytes, charset: str) -> str:
    """A page as text: by its first bytes, else its server's word, else its own, else as UTF-8.

    `charset` is what its server names, "" if nothing. Never raises: what is no text is marked.
    """
    for mark, name in _BEGINNINGS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    if name := _encoding(charset):
        return _decoded(body, name)
    declared = _DECLARED.search(body[:4096])
    name = _encoding(declared[1].decode("ascii")) if declared else ""
    if name.startswith("utf-16"):  # could not have been read so far (HTML, 13.2.3.2)
        name = "utf-8"
    return _decoded(body, name)


def _encoding(label: str) -> str:
    """Python's name of the encoding that a label means; "" if there is none."""
    plain = label.strip().casefold().removeprefix("x-")
    try:
        name = codecs.lookup(_LABELS.get(plain, plain)).name
    except (LookupError, ValueError):  # a name that is none
        return ""
    return "" if name in _NONE else _MEANT.get(name, name)


def _decoded(body: bytes, name: str) -> str:
    try:
        return body.decode(name or "utf-8", "replace")
    except (LookupError, ValueError):  # what is no encoding of text
        return body.decode("utf-8", "replace")
