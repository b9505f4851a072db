"""What a post is warned of, in the words of Bluesky's self-labels. Pure."""

from __future__ import annotations

from bridge.post import Post
from bridge.schema import Labels
from bridge.text import find_word

#: the names that people read where a label becomes a content warning; each matches its own words
_NAMES = {
    "porn": "Pornography",
    "sexual": "Sexual content",
    "nudity": "Nudity",
    "graphic-media": "Graphic media",
}


def labels_of(post: Post, words: Labels) -> tuple[str, ...]:
    """The self-labels of a copy (lexicon com.atproto.label.defs).

    Those of the original; else, for a post that warns, by the words of its warning and its
    hashtags: the strictest of porn, sexual and nudity, and graphic-media. Sensitive media that no
    word tells of get the label that `words.sensitive` names.
    """
    if post.labels or not (post.content_warning or post.sensitive):
        return post.labels
    tags = [run.target for run in post.runs if run.kind == "hashtag"]
    text = "\n".join((post.content_warning, *tags, *post.tags))
    adult = (("porn", words.porn), ("sexual", words.sexual), ("nudity", words.nudity))
    found = [label for label, named in adult if find_word(text, named)][:1]
    if find_word(text, words.graphic_media):
        found.append("graphic-media")
    if not found and post.sensitive and post.media and words.sensitive != "none":
        found.append(words.sensitive)
    return tuple(found)


def warning_of(post: Post) -> str:
    """The content warning that a post has, or that its labels are."""
    return post.content_warning or ", ".join(_NAMES.get(label, label) for label in post.labels)
