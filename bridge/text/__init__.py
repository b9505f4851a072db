"""Text as the networks count, read and cut it. Pure functions."""

from bridge.text.charsets import decode_page
from bridge.text.entities import (
    Span,
    comparable,
    defuse_mentions,
    escape_url,
    is_web,
    mastodon_entities,
    plain_name,
    shorten_url,
    to_runs,
    x_entities,
)
from bridge.text.folding import composed, find_word, folded, tag_key
from bridge.text.languages import is_language_tag, language_code
from bridge.text.length import byte_length, clusters, graphemes, mastodon_length, weighted_length
from bridge.text.links import defuse_links, drop_links, has_link, shows_other_site, shows_url
from bridge.text.markup import html_to_runs
from bridge.text.splitting import ends_sentence, split_runs, truncate_runs

__all__ = [
    "Span",
    "byte_length",
    "clusters",
    "comparable",
    "composed",
    "decode_page",
    "defuse_links",
    "defuse_mentions",
    "drop_links",
    "ends_sentence",
    "escape_url",
    "find_word",
    "folded",
    "graphemes",
    "has_link",
    "html_to_runs",
    "is_language_tag",
    "is_web",
    "language_code",
    "mastodon_entities",
    "mastodon_length",
    "plain_name",
    "shorten_url",
    "shows_other_site",
    "shows_url",
    "split_runs",
    "tag_key",
    "to_runs",
    "truncate_runs",
    "weighted_length",
    "x_entities",
]
