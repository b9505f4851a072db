import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bridge.post import Run
from bridge.text import html_to_runs

TAGS = (
    *("<p>", "</p>", "<br>", "<ul>", "<ol start=9>", "<li>", "</ul>", "<blockquote>", "<pre>"),
    *("</pre>", "<a href='https://a.no/b'>", "<a class=mention href=//>", "</a>", "<a rel=tag>#"),
    *("<span class=ellipsis>", "<frameset>", "<template>", "<script>", "<!--", "-->", "<![CDATA["),
    *("&amp", "&#0;", "&#xd800;", "\0", "\n", " ", "x", "#", "@"),
)


def text_of(html: str) -> str:
    return "".join(run.text for run in html_to_runs(html))


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>Hei på deg<br>ny linje</p><p>Neste</p>", "Hei på deg\nny linje\n\nNeste"),
        ("<p>Fisk &amp; vilt &lt;3 &#x1F41F;</p>", "Fisk & vilt <3 🐟"),
        ("ren tekst", "ren tekst"),
        ("", ""),
        ("<p> a\n b </p>\n\n<p>c</p>\n", "a b\n\nc"),
        ("<p>a<br></p><p>b<br><br>c</p>", "a\n\nb\n\nc"),
        ("<ul><li>eins</li><li>zwei</li></ul><p>Ende</p>", "- eins\n- zwei\n\nEnde"),
        ("<ol start=3><li><p>a</p></li><li>b<ul><li>c</li></ul></li></ol>", "3. a\n4. b\n  - c"),
        ("<p>Ja:</p><blockquote><p>en</p><p>to<br>tre</p></blockquote><p>nei</p>",
         "Ja:\n\n> en\n>\n> to\n> tre\n\nnei"),
        ("<pre><code>x = 1\n  y</code></pre>", "x = 1\n  y"),
        ("<blockquote><pre>a\nb</pre></blockquote>", "> a\n> b"),
        ("<p>en <em>viktig</em> <ukjent>sak</ukjent></p>", "en viktig sak"),
        ("<p>a</p><script>alert(1)</script><style>p{}</style><!-- x -->", "a"),
        ('<p class="quote-inline">RE: <a href="https://a.no/1">x</a></p><p>Min egen</p>', "Min egen"),
        ('<p>Mitt<span class="quote-inline"><br>RE: x</span></p>', "Mitt"),
        ('<img class="emoji" alt="😀"> hei', "😀 hei"),
        ("<p>مرحبا <b>Oslo</b> يا</p>", "مرحبا Oslo يا"),
    ],
)  # fmt: skip
def test_html_becomes_the_text_that_a_reader_sees(html: str, text: str) -> None:
    assert text_of(html) == text


def test_a_link_shows_what_a_reader_sees_and_keeps_its_real_target() -> None:
    html = (
        '<p>Se <a href="https://avis.example/en/lang/sak?a=1&amp;b=2" rel="nofollow">'
        '<span class="invisible">https://</span><span class="ellipsis">avis.example/en/lang</span>'
        '<span class="invisible">/sak?a=1</span></a> nå</p>'
    )
    assert html_to_runs(html) == (
        Run("Se "),
        Run("avis.example/en/lang…", "link", target="https://avis.example/en/lang/sak?a=1&b=2"),
        Run(" nå"),
    )


def test_a_link_that_is_no_web_address_is_plain_text() -> None:
    html = '<a href="javascript:alert(1)">a</a> <a href="/b">b</a> <a>c</a> <a href="https://d.no"></a>'
    assert html_to_runs(html) == (Run("a b c"),)


@pytest.mark.parametrize(
    "html",
    [
        '<span class="h-card"><a href="https://s.example/@alice" class="u-url mention">'
        "@<span>alice</span></a></span>",
        '<a href="https://s.example/@alice" class="mention">alice</a>',
        '@<a href="https://s.example/@alice" class="mention">alice</a>',
    ],
)
def test_a_mention_begins_with_its_sign_and_has_a_plain_name(html: str) -> None:
    mention = Run("@alice", "mention", "https://s.example/@alice", "alice")
    assert html_to_runs(html) == (mention,)
    whole = Run("@alice@s.example", "mention", "https://s.example/@alice", "alice")
    assert html_to_runs(html, {"https://s.example/@alice": "alice@s.example"}) == (whole,)


def test_a_link_to_a_mentioned_profile_is_a_mention_whatever_its_class() -> None:
    html = 'Takk <a href="https://s.example/@bob">Bob B.</a>'
    assert html_to_runs(html, {"https://s.example/@bob": "bob@s.example"}) == (
        Run("Takk "),
        Run("@bob@s.example", "mention", "https://s.example/@bob", "bob"),
    )


@pytest.mark.parametrize(
    "html",
    [
        '<a href="https://s.example/tags/tromso" class="mention hashtag" rel="tag">'
        "#<span>Tromsø</span></a>",
        '<a href="https://s.example/tags/Tromsø" rel="tag">#Tromsø</a>',
        '#<a href="https://s.example/search?tag=x">Tromsø</a>',
        '<a href="https://s.example/explore/x">#Tromsø</a>',
    ],
)
def test_a_hashtag_is_one_however_a_server_writes_it(html: str) -> None:
    assert html_to_runs(html, tags=["tromsø"]) == (Run("#Tromsø", "hashtag", target="Tromsø"),)


def test_nesting_has_no_limit() -> None:
    assert text_of("<b>" * 20_000 + "dypt") == "dypt"
    assert text_of("<blockquote>" * 3_000 + "dypt").endswith("> dypt")
    assert text_of('<a href="https://a.no">' + "<i>" * 20_000 + "dypt") == "dypt"


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.one_of(st.text(), st.lists(st.sampled_from(TAGS)).map("".join)))
@example("\ud800")
@example("<frameset><p>a")
def test_any_string_is_read(html: str) -> None:
    runs = html_to_runs(html, {"https://a.no/b": "b@a.no"}, ["x"])
    assert all(run.text for run in runs)
    assert all(run.kind == "text" or run.target for run in runs)
