"""What X charges for a call. Plain data; an account's setting `prices` overrides it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

#: when these were read off X's public pricing page, docs.x.com/x-api/getting-started/pricing
AS_OF = date(2026, 11, 22)

#: US dollars for one post that is created or one resource that is read, by kind of call
PRICES: Mapping[str, float] = {
    "post": 0.015,
    "post_with_url": 0.2,
    "delete": 0.01,
    "repost": 0.015,
    "media_metadata": 0.005,
    "owned_read": 0.001,
    "post_read": 0.005,
    "user_read": 0.01,
}
#: what each kind is, for people
MEANINGS: Mapping[str, str] = {
    "post": "a post without a URL",
    "post_with_url": "a post with a URL; `example.com` is one for X",
    "delete": "a post that is deleted; by the price of a deleted interaction, for X names none",
    "repost": "a post that is boosted; X lists it as an interaction",
    "media_metadata": "the alt text of an image or a video",
    "owned_read": "a post of the account that is read; 0.005 if the app is not the account's own",
    "post_read": "a post that is looked up, or comes along: one that is quoted or answered",
    "user_read": "an account that is read",
}
