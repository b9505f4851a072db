"""Bytes of web pages as text, whatever they say of themselves."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.text import charsets
from bridge.text.charsets import decode_page


@pytest.mark.parametrize("label", ["iso-8859-1", "latin1", "US-ASCII", "windows-1252", "x-cp1252"])
def test_latin_pages_are_windows_pages(label: str) -> None:
    assert decode_page("„Fünf“ – 20 €".encode("cp1252"), label) == "„Fünf“ – 20 €"


@pytest.mark.parametrize(
    ("text", "written", "label"),
    [
        ("朱镕基的港口", "gb18030", "gb2312"),
        ("港口㐀", "gb18030", "x-gbk"),
        ("髙橋①㈱", "cp932", "shift_jis"),
        ("髙橋①", "cp932", "x-sjis"),
        ("뷁 항구", "cp949", "euc-kr"),
        ("똠방각하", "cp949", "ks_c_5601-1987"),
        ("똠방각하", "cp949", "windows-949"),
        ("港口嘅", "big5hkscs", "big5"),
        ("İstanbul – 5 €", "cp1254", "iso-8859-9"),
        ("ท่าเรือ…", "cp874", "tis-620"),
        ("Паромы", "koi8-r", "KOI"),
        ("fährt", "utf-8", "unicode-1-1-utf-8"),
        ("Ferry", "utf-16-le", "utf-16"),
    ],
)
def test_labels_mean_what_browsers_take_them_for(text: str, written: str, label: str) -> None:
    assert decode_page(text.encode(written), f" {label} ") == text


@pytest.mark.parametrize(
    ("mark", "written"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_the_first_bytes_of_a_page_outweigh_all_that_is_said(mark: bytes, written: str) -> None:
    page = '<meta charset="shift_jis">Ferja går på ålløp'
    assert decode_page(mark + page.encode(written), "iso-8859-1") == page


@pytest.mark.parametrize(
    ("charset", "declared", "written"),
    [
        ("windows-1251", "utf-8", "cp1251"),
        ("", "windows-1251", "cp1251"),
        ("nonsense", "windows-1251", "cp1251"),
        ("", "nonsense", "utf-8"),
        ("", "utf-16", "utf-8"),
        ("utf-7", "", "utf-8"),
        ("punycode", "hex", "utf-8"),
    ],
)
def test_the_server_is_believed_before_the_page(charset: str, declared: str, written: str) -> None:
    page = f'<meta charset="{declared}"><p>Паромы</p>'
    assert decode_page(page.encode(written), charset) == page


@given(st.binary(max_size=100), st.text(max_size=12) | st.sampled_from(sorted(charsets._LABELS)))
def test_nothing_is_raised_and_all_can_be_stored(body: bytes, charset: str) -> None:
    assert decode_page(body, charset).encode() is not None
