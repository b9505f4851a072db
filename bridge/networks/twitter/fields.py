"""What is asked of X for each post, in either family of names that its API has."""

from __future__ import annotations

from collections.abc import Mapping

from bridge import wire

#: parameters of a timeline in either family of names; which one the API takes is found out.
#: The author comes along because it tells whether the account is protected now.
FAMILIES: Mapping[str, Mapping[str, str]] = {
    "post": {
        "post.fields": "attachments,created_at,entities,lang,note_post,possibly_sensitive",
        "expansions": "author_id,attachments.media_keys,attachments.poll_ids,referenced_posts,"
        "in_reply_to_user_id,edit_history_post_ids",
    },
    "tweet": {
        "tweet.fields": "attachments,author_id,created_at,edit_history_tweet_ids,entities,"
        "in_reply_to_user_id,lang,note_tweet,possibly_sensitive,referenced_tweets",
        "expansions": "author_id,attachments.media_keys,attachments.poll_ids",
    },
}
COMMON = {
    "media.fields": "alt_text,duration_ms,preview_image_url,type,url,variants,width,height",
    "poll.fields": "options,duration_minutes,end_datetime,voting_status",
    "user.fields": "protected,username",
}


def refuses_names(answer: wire.Answer) -> bool:
    """Whether a request failed over the family of names that it used."""
    signs = (b"post.fields", b"tweet.fields", b"expansions")
    return answer.status == 400 and any(sign in answer.body for sign in signs)
