"""Mistakes that people make, in a bot's file or in config.yaml, and what each is told, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config.checking import check_all
from bridge.config.report import as_text
from tests import test_config_problems as problems

#: three accounts, as a person would write them; what follows begins at line 18
ACCOUNTS = """\
accounts:
  masto:
    network: mastodon
    server: https://mastodon.example
    access_token: ${T}
  bsky:
    network: bluesky
    handle: newsroom.example
    app_password: ${T}
  x:
    network: twitter
    api_key: ${T}
    api_key_secret: ${T}1
    access_token: ${T}2
    access_token_secret: ${T}3
    budget:
      usd_per_month: 30
"""

#: a bot's file beside three accounts, and what is wrong with it
BOTS: list[tuple[str, list[str]]] = [
    ("from masto\nto: bsky\n", ["1:1: a colon and a space are missing in this line: name: value"]),
    ("from:masto\nto: bsky\n", ["1:1: a space is missing after the colon of this line"]),
    (
        "from: masto\n to: bsky\n",
        [
            "2:4: a colon stands inside a value, or this line is indented wrongly; put the value in quotes"
        ],
    ),
    (
        "from: masto\nto: bsky, x\n",
        ["2:5: there is no account 'bsky, x'; several are a list: [bsky, x]"],
    ),
    (
        "from: masto\nto:\n- bsky\n  - x\n",
        ["3:3: there is no account 'bsky - x'; did you mean 'bsky'?"],
    ),
    (
        "from: masto\nto:\n  - bsky\n  -x\n",
        ["4:3: a colon, or a space after the -, is missing here"],
    ),
    (
        "from: masto -> bsky\n",
        [
            "1:1: the bot 'b' needs either from and to, or between",
            "1:7: there is no account 'masto -> bsky'",
        ],
    ),
    (
        "from: masto\nto: [bsky x]\n",
        ["2:6: there is no account 'bsky x'; several are a list: [bsky, x]"],
    ),
    (
        "from: masto\nto: [bsky, x\nlong: thread\n",
        ["2:5: a comma or ] is missing in the list that opens here"],
    ),
    ("from: Masto\nto: bsky\n", ["1:7: there is no account 'Masto'; did you mean 'masto'?"]),
    (
        "From: masto\nTo: bsky\n",
        [
            "1:1: the bot 'b' needs either from and to, or between",
            "1:1: unknown setting 'From'; did you mean 'from'?",
            "2:1: unknown setting 'To'; did you mean 'to'?",
        ],
    ),
    (
        "source: masto\ntarget: bsky\n",
        [
            "1:1: the bot 'b' needs either from and to, or between",
            "1:1: unknown setting 'source'; did you mean 'from'?",
            "2:1: unknown setting 'target'; did you mean 'to'?",
        ],
    ),
    (
        "between: masto, bsky\n",
        [
            "1:10: 'between' takes two accounts or more",
            "1:10: there is no account 'masto, bsky'; several are a list: [masto, bsky]",
        ],
    ),
    ("between: [masto, bsky]\nto: x\n", ["1:1: the bot 'b' needs either from and to, or between"]),
    (
        "from: mastodon\nto: bluesky\n",
        [
            "1:7: there is no account 'mastodon'; did you mean 'masto'?",
            "2:5: there is no account 'bluesky'; did you mean 'bsky'?",
        ],
    ),
    ("from: masto\nto: '@bsky'\n", ["2:5: there is no account '@bsky'; did you mean 'bsky'?"]),
    ("from: @masto\nto: bsky\n", ["1:7: put a value that begins with @ in quotes"]),
    (
        "from: masto\nto: bsky\nskip:\n  hashtags: #nobridge\n",
        ["4:3: 'hashtags' has no value, for # begins a comment; put the value in quotes"],
    ),
    (
        "from: masto\nto: bsky\nskip:\n  hashtags: [#a, #b]\n",
        ["4:14: # begins a comment, so this list or map has no end; put the value in quotes"],
    ),
    (
        "from: masto\nto: bsky\nskip:\n  hashtags:\n    nobridge\n    private\nskip:\n  words: [x]\n",
        ["7:1: 'skip' stands twice; first at bots/b.yaml:3:1"],
    ),
    (
        "from: masto\nto: bsky\nskip:\n  hashtags:\n    - nobridge\n   - private\n",
        ["6:4: this line is indented unlike those that it belongs to"],
    ),
    (
        "from: masto\nto: bsky\nskip: nobridge\n",
        ["3:7: 'skip' takes a map of settings, not a single value"],
    ),
    (
        "from: masto\nto: bsky\nexclude:\n  words: [a]\n",
        ["3:1: unknown setting 'exclude'; did you mean 'skip'?"],
    ),
    (
        "from: masto\nto: bsky\nskip:\n  regex: ad\n",
        ["4:3: unknown setting 'regex'; did you mean 'matching'?"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  hashtag: news\n",
        ["4:3: unknown setting 'hashtag'; did you mean 'hashtags'?"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  language: nb\n",
        ["4:3: unknown setting 'language'; did you mean 'languages'?"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  languages: [no, sv]\n",
        ['4:15: without quotes YAML takes no for true or false; write "no"'],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  languages: norwegian\n",
        ["4:14: 'norwegian' is not a language tag such as nb, en or en-GB"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  visibility: [public, unlisted, private]\n",
        ["4:34: 'visibility' takes public or unlisted, not 'private'"],
    ),
    (
        "from: masto\nto: bsky\nskip:\n  replies: true\n",
        ["4:3: 'replies' stands beside only and skip, not in them"],
    ),
    (
        "from: masto\nto: bsky\nskip:\n  kinds: retweet\n",
        ["4:10: 'kinds' takes reply, boost or quote, not 'retweet'"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  media: image\n",
        ["4:3: unknown setting 'media'"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  has: images\n",
        [
            "4:8: 'has' takes text, link, image, video, animation, audio, media, poll or content_warning, not 'images'; did you mean 'image'?"
        ],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  hours: 07.00-22.00\n",
        ["4:10: 'hours' takes a span of the day such as 7:00-22:30, not '07.00-22.00'"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  hours: 7:00\n",
        ["4:10: 'hours' takes a span of the day such as 7:00-22:30, not '7:00'"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  between: [7:00, 22:00]\n",
        ["4:3: 'between' belongs to the whole bot; spans of the day are 'hours'"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  weekday: mon\n",
        ["4:3: unknown setting 'weekday'; did you mean 'weekdays'?"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  weekdays: mon, tue\n",
        ["4:13: 'weekdays' takes weekdays such as mon, or mon-fri, not 'mon, tue'"],
    ),
    (
        "from: masto\nto: bsky\nskip:\n  longer_than: 1,000\n",
        ["4:16: 'longer_than' takes a whole number, 0 or more, not '1,000'"],
    ),
    (
        'from: masto\nto: bsky\nonly:\n  matching: "\\bnews\\d+"\n',
        [
            "4:20: between double quotes \\ begins a sign of its own; put the value between single quotes"
        ],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  matching: '[a-'\n",
        ["4:13: 'matching' is not a regular expression: unterminated character set at position 3"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  matching: *news*\n",
        ["4:13: put a value that begins with * in quotes"],
    ),
    (
        "from: masto\nto: bsky\nonly:\n  boosts: skip\n",
        ["4:3: 'boosts' stands beside only and skip, not in them"],
    ),
    (
        "from: masto\nto: bsky\nboosts: false\n",
        ["3:9: 'boosts' takes skip, link or quote, not 'false'"],
    ),
    ("from: masto\nto: bsky\nboosts: no\n", ["3:9: 'boosts' takes skip, link or quote, not 'no'"]),
    (
        "from: masto\nto: bsky\nreplies: true\n",
        ["3:10: 'replies' takes threads or skip, not 'true'"],
    ),
    (
        "from: masto\nto: bsky\ndelay: 120\n",
        ["3:8: 'delay' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '120'"],
    ),
    (
        "from: masto\nto: bsky\ndelay: 2 minutes\n",
        ["3:8: 'delay' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '2 minutes'"],
    ),
    (
        "from: masto\nto: bsky\ndelay: 2min\n",
        ["3:8: 'delay' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '2min'"],
    ),
    (
        "from: masto\nto: bsky\ndelay: -5m\n",
        ["3:8: 'delay' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '-5m'"],
    ),
    (
        "from: masto\nto: bsky\nmax_age: 1w\n",
        ["3:10: 'max_age' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '1w'"],
    ),
    (
        "from: masto\nto: bsky\nevery: hour\n",
        ["3:8: 'every' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not 'hour'"],
    ),
    (
        "from: masto\nto: bsky\ncron: '@daily'\n",
        [
            "3:7: a crontab has five fields: minute, hour, day, month, weekday, such as 30 8 * * mon-fri"
        ],
    ),
    (
        "from: masto\nto: bsky\ncron: 0 8 * * 1\n",
        ["3:7: write weekdays by name, such as mon-fri: programs disagree on which day is 0"],
    ),
    (
        "from: masto\nto: bsky\ncron: 08:00\n",
        [
            "3:7: a crontab has five fields: minute, hour, day, month, weekday, such as 30 8 * * mon-fri"
        ],
    ),
    (
        "from: masto\nto: bsky\ncron: * 8 * * mon\n",
        ["3:7: put a value that begins with * in quotes"],
    ),
    (
        "from: masto\nto: bsky\nmode: dry_run\n",
        [
            "3:7: 'mode' takes live, approve, dry-run or disabled, not 'dry_run'; did you mean 'dry-run'?"
        ],
    ),
    (
        "from: masto\nto: bsky\nmode: off\n",
        ["3:7: 'mode' takes live, approve, dry-run or disabled, not 'off'"],
    ),
    ("from: masto\nto: bsky\nenabled: false\n", ["3:1: unknown setting 'enabled'"]),
    (
        "from: masto\nto: bsky\nlong: threads\n",
        [
            "3:7: 'long' takes thread, truncate, first_and_link, numbered or skip, not 'threads'; did you mean 'thread'?"
        ],
    ),
    (
        "from: masto\nto: bsky\nlong:\n  thread: true\n",
        ["4:3: 'long' takes thread, truncate, first_and_link, numbered or skip, not a map"],
    ),
    (
        "from: masto\nto: bsky\nlink_back: true\n",
        [
            "3:12: 'link_back' takes truncated, always or never, not 'true'; did you mean 'truncated'?"
        ],
    ),
    (
        "from: masto\nto: bsky\nvisibility: followers\n",
        ["3:13: 'visibility' takes same, public, unlisted or private, not 'followers'"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  append: (first on Mastodon)\n",
        ["4:3: 'steps' takes a list of steps, such as: - append: text"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - append (first on Mastodon)\n",
        ["4:5: 'steps' takes steps of one name each, such as append: text"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - append: Read more: https://city.example\n",
        [
            "4:22: a colon stands inside a value, or this line is indented wrongly; put the value in quotes"
        ],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - append: {{ url }}\n",
        ["4:13: put a value with {{ }} in quotes"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - append: [Mastodon]\n",
        ["4:13: 'append' takes a text, not a list"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - append: 'It's here'\n",
        ['4:17: a quote ends before this; a text with \' in it goes between " and "'],
    ),
    (
        'from: masto\nto: bsky\nsteps:\n  - append: "first\n',
        ["4:13: the quote that opens here is never closed"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - suffix: (first on Mastodon)\n",
        [
            "4:5: unknown step 'suffix'; there is append, prepend, replace, hashtags, strip_tracking, content_warning, language, attribution or template"
        ],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - replace: {Oslo: Bergen}\n",
        [
            "4:14: 'replace' needs by: what stands there then, \"\" for nothing; \\1 and \\g<name> are groups of matching",
            "4:15: unknown setting 'Oslo'",
        ],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - replace:\n    text: Oslo\n    by: Bergen\n",
        ["4:5: 'steps' takes steps of one name each, such as append: text"],
    ),
    (
        'from: masto\nto: bsky\nsteps:\n  - replace: {matching: "(\\d+) kr", by: NOK $1}\n',
        [
            "4:27: between double quotes \\ begins a sign of its own; put the value between single quotes"
        ],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - hashtags:\n      add: #news\n",
        ["5:7: 'add' has no value, for # begins a comment; put the value in quotes"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - strip_tracking: [utm_source]\n",
        ["4:21: 'strip_tracking' takes a map of settings, not a list"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - language: no\n",
        ['4:15: without quotes YAML takes no for true or false; write "no"'],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n  - append: \n",
        ["4:5: 'append' has no value; give it one, or remove the line"],
    ),
    (
        "from: masto\nto: bsky\nsteps:\n\t- append: x\n",
        ["4:1: a tab stands here; indent with spaces"],
    ),
    (
        "from: masto\nto: bsky\nbackfill: 20\n",
        ["3:11: 'backfill' takes none, all, {last: 20} or {since: 2026-01-31}"],
    ),
    (
        "from: masto\nto: bsky\nbackfill: true\n",
        ["3:11: 'backfill' takes none, all, {last: 20} or {since: 2026-01-31}"],
    ),
    (
        "from: masto\nto: bsky\nbackfill:\n  since: 31.01.2026\n",
        ["4:10: 'since' takes a date, such as 2026-01-31"],
    ),
    (
        "from: masto\nto: bsky\nbackfill:\n  last: ten\n",
        ["4:9: 'last' takes a number of posts, 1 or more"],
    ),
    (
        "from: masto\nto: bsky\nfor:\n  twitter:\n    long: truncate\n",
        ["4:3: 'twitter' is no target of this bot; write bluesky or bsky"],
    ),
    (
        "from: masto\nto: bsky\nfor:\n  long: truncate\n",
        [
            "4:3: 'long' is no target of this bot; write bluesky or bsky",
            "4:9: 'long' takes a map of settings, not a single value",
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\nfor:\n  x:\n  long: truncate\n",
        [
            "4:3: 'x' has no value; give it one, or remove the line",
            "5:3: 'long' is no target of this bot; write bluesky, bsky, twitter or x",
            "5:9: 'long' takes a map of settings, not a single value",
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\nfor:\n  x: truncate\n",
        ["4:6: 'x' takes a map of settings, not a single value"],
    ),
    (
        "from: masto\nto: [bsky, x]\nfor:\n  x:\n    mode: approve\n",
        ["5:5: 'mode' is a setting of the whole bot, not of one target"],
    ),
    (
        "from: masto\nto: bsky\nalt_text: true\n",
        ["3:11: 'alt_text' takes optional or required, not 'true'"],
    ),
    (
        "from: masto\nto: bsky\nlabels:\n  sensitive: nsfw\n",
        ["4:14: 'sensitive' takes graphic-media, nudity, sexual, porn or none, not 'nsfw'"],
    ),
    (
        "from: masto\nto: bsky\nlabels: [nudity]\n",
        ["3:9: 'labels' takes a map of settings, not a list"],
    ),
    (
        "from: masto\nto: bsky\nedits: follow\n",
        ["3:8: 'edits' takes update, correct, replace, hold or ignore, not 'follow'"],
    ),
    (
        "from: masto\nto: bsky\ndeletes: delete\n",
        ["3:10: 'deletes' takes follow, hold or ignore, not 'delete'"],
    ),
    (
        "from: masto\nto: bsky\ncorrection:\n",
        ["3:1: 'correction' has no value; give it one, or remove the line"],
    ),
    (
        "from: masto\nto: bsky\nfollow_for: forever\n",
        [
            "3:13: 'follow_for' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not 'forever'"
        ],
    ),
    (
        "bots:\n  b:\n    from: masto\n    to: bsky\n",
        [
            "1:1: 'bots' belongs in config.yaml; a file in bots/ holds the settings of one bot",
            "1:1: the bot 'b' needs either from and to, or between",
        ],
    ),
    (
        "accounts:\n  a: {network: mastodon}\nfrom: masto\nto: bsky\n",
        ["1:1: 'accounts' belongs in config.yaml; a file in bots/ holds the settings of one bot"],
    ),
    (
        "from: masto\nto: bsky\ndescription: Mirrors: everything\n",
        [
            "3:21: a colon stands inside a value, or this line is indented wrongly; put the value in quotes"
        ],
    ),
    (
        "from: masto\nto: bsky\ndescription: “News”\nlong: “thread”\n",
        [
            "4:7: 'long' takes thread, truncate, first_and_link, numbered or skip, not '“thread”'; did you mean 'thread'?"
        ],
    ),
    (
        "from: masto\nto: bsky\n...\nlong: thread\n",
        [
            "4:1: the document ended before this line; remove what ended it, such as ... or a bracket"
        ],
    ),
    (
        "from: masto\nto: bsky\n\xa0long: thread\n",
        ["3:1: unknown setting '\\xa0long'; did you mean 'long'?"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - expect: skipped\n",
        ["4:5: a test needs given: a post, such as {text: Hello}"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {}\n    expect: skipped\n",
        ["4:12: 'given' has nothing of a post: write text, or file"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: 12}\n    expect: skipped\n",
        ['4:19: without quotes YAML takes 12 for a number; write "12"'],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given:\n      txt: Hello\n    expect: skipped\n",
        ["5:7: unknown setting 'txt'; did you mean 'text'?"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: Hello\n    expect: skipped\n",
        ["4:12: 'given' takes a map of settings, not a single value"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: skiped\n",
        [
            "5:13: 'expect' takes mirrored, skipped, or a map of targets, such as {bsky: text}; did you mean 'skipped'?"
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: Hello\n",
        [
            "5:13: 'expect' takes mirrored, skipped, or a map of targets, such as {bsky: text}, not 'Hello'"
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: [Hello]\n",
        [
            "5:13: 'expect' takes mirrored, skipped, or a map of targets, such as {bsky: text}, not a list"
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {}\n",
        ["5:13: 'expect' names no target; a word for all is mirrored or skipped"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: skipped: no\n",
        [
            "5:20: a colon stands inside a value, or this line is indented wrongly; put the value in quotes"
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: 'skipped:'\n",
        [
            "5:13: 'expect' takes mirrored, skipped, or a map of targets, such as {bsky: text}; did you mean 'skipped'?"
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {bksy: Hello}\n",
        ["5:14: 'bksy' is no target of posts from 'masto'; did you mean 'bsky'?"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {masto: Hello}\n",
        ["5:14: 'masto' is no target of posts from 'masto'; write bsky or x"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect:\n      bsky:\n",
        ["6:7: 'bsky' has no value; give it one, or remove the line"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {bsky: {}}\n",
        ["5:20: nothing is expected here; write mirrored, if any copy will do"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {bsky: 2026}\n",
        ['5:20: without quotes YAML takes 2026 for a number; write "2026"'],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {bsky: {loses: []}}\n",
        ["5:21: unknown setting 'loses'; did you mean 'losses'?"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {bsky: {text: a, parts: [a]}}\n",
        ["5:30: 'text' and 'parts' exclude each other; keep one"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {bsky: {skipped: no, text: a}}\n",
        [
            "5:21: 'skipped' stands alone: what is skipped has no copy",
            '5:30: without quotes YAML takes no for true or false; write "no"',
        ],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    expect: {bsky: {media: image}}\n",
        ["5:28: 'media' takes a list of maps, not a single value"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello, from: mosto}\n    expect: skipped\n",
        ["4:32: 'mosto' is no source of this bot; did you mean 'masto'?"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello, from: x}\n    expect: skipped\n",
        ["4:32: 'x' is no source of this bot; write masto"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello, file: a.json}\n    expect: skipped\n",
        ["4:13: 'text' is of a post that is written here; remove it, or file"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {media: [image]}\n    expect: mirrored\n",
        ["4:21: each of 'media' is a map with kind, alt, duration or bytes, not a single value"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {media: [{kind: picture}]}\n    expect: mirrored\n",
        ["4:28: 'kind' takes image, video, gif or audio, not 'picture'"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {quote: theirs}\n    expect: mirrored\n",
        ["4:20: 'quote' takes own, or the address of a post"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello, at: tomorrow}\n    expect: mirrored\n",
        ["4:30: 'at' takes a time, such as 2026-01-31T08:00"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello, reply: mine}\n    expect: mirrored\n",
        ["4:33: 'reply' takes own or other, not 'mine'"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello, visibility: followers}\n    expect: skipped\n",
        ["4:38: 'visibility' takes public, unlisted, private or direct, not 'followers'"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {poll: {multiple: true}}\n    expect: mirrored\n",
        ["4:19: 'poll' needs options: what can be chosen"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {boost: own, quote: own}\n    expect: mirrored\n",
        ["4:13: 'quote' and 'boost' exclude each other; keep one"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: Hello}\n    exepct: skipped\n",
        ["5:5: unknown setting 'exepct'; did you mean 'expect'?"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - Hello\n",
        ["4:5: a test is a map with given and expect"],
    ),
    (
        "from: masto\nto: [bsky, x]\ntests:\n  - given: {text: #hello}\n    expect: skipped\n",
        ["4:12: a comma or } is missing in the map that opens here"],
    ),
    (
        "from: masto\nto: bsky\ntests: {given: {text: a}, expect: skipped}\n",
        ["3:8: 'tests' takes a list, such as: - given: {text: Hello}, not a map"],
    ),
    ("from: masto\nto: bsky\ntest: []\n", ["3:1: unknown setting 'test'; did you mean 'tests'?"]),
    (
        "from: masto\nto: bsky\nfor: {bsky: {tests: []}}\n",
        ["3:14: 'tests' is a setting of the whole bot, not of one target"],
    ),
]

#: a configuration, or what follows the accounts in it, and what is wrong with it
CONFIGS: list[tuple[str, list[str]]] = [
    (
        "accounts:\n  - name: masto\n    network: mastodon\n",
        ["2:3: 'accounts' takes a map of settings, not a list"],
    ),
    (
        "account:\n  masto:\n    network: mastodon\n",
        ["1:1: unknown setting 'account'; did you mean 'accounts'?"],
    ),
    (
        "accounts:\nmasto:\n  network: mastodon\n",
        [
            "1:1: 'accounts' has no value; give it one, or remove the line",
            "2:1: unknown setting 'masto'",
        ],
    ),
    (
        "accounts:\n  masto:\n  network: mastodon\n",
        [
            "2:3: 'masto' has no value; give it one, or remove the line",
            "3:12: 'network' takes a map of settings, not a single value",
        ],
    ),
    (
        "accounts:\n  masto:\n    type: mastodon\n",
        ["2:3: account 'masto' needs a network: twitter, mastodon or bluesky"],
    ),
    (
        "accounts:\n  masto:\n    network: Mastodon\n    server: https://m.example\n    access_token: ${T}\n",
        [
            "3:14: 'network' takes twitter, mastodon or bluesky, not 'Mastodon'; did you mean 'mastodon'?"
        ],
    ),
    (
        "accounts:\n  x:\n    network: x\n",
        ["3:14: 'network' takes twitter, mastodon or bluesky, not 'x'"],
    ),
    (
        "accounts:\n  a:\n    network: bluesky\n    username: a.example\n    password: ${T}\n",
        [
            "2:3: account 'a' needs app_password: an app password of the account; or log in with `tribridge login a`",
            "2:3: account 'a' needs handle: the handle, such as newsroom.example",
            "4:5: unknown setting 'username'; did you mean 'handle'?",
            "5:5: unknown setting 'password'; did you mean 'app_password'?",
        ],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: mastodon.example\n    access_token: ${T}\n",
        ["4:13: 'server' takes a URL such as https://host.example"],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: https://mastodon.example/@anna\n    access_token: ${T}\n",
        ["4:13: 'server' takes a server alone: nothing after its name"],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: http://mastodon.example\n    access_token: ${T}\n",
        ["4:13: 'server' must begin with https://; http is for this machine only"],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: https://mastodon.example\n    access_token: $T\n    token: ${T}\n",
        ["6:5: unknown setting 'token'; did you mean 'access_token'?"],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: https://mastodon.example\n    access_token: ${T\n",
        ["5:19: write ${NAME} or ${file:PATH}; for the signs themselves write $${"],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: https://mastodon.example\n    access_token: ${MISSING}\n",
        [
            "5:19: the environment variable MISSING is not set; set it before starting, or use ${file:PATH}"
        ],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: https://mastodon.example\n    access_token: ${file:/run/none}\n",
        [
            "5:19: the file /run/none cannot be read: No such file or directory; write it, or correct its name"
        ],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: https://mastodon.example\n    access_token: {{ T }}\n",
        ["5:19: put a value with {{ }} in quotes"],
    ),
    (
        "accounts:\n  a:\n    network: mastodon\n    server: https://mastodon.example\n    access_token: Bearer abc\n",
        ["5:19: there is a space in 'access_token'; copy it again, without spaces"],
    ),
    (
        "accounts:\n  a: {network: mastodon, server: https://mastodon.example, access_token: ${T}}\n",
        ["2:75: inside { } put ${NAME} in quotes, or on a line of its own"],
    ),
    (
        "accounts:\n  a:\n    network: twitter\n    api_key: ${T}\n    api_secret: ${T}\n    access_token: ${T}\n    access_token_secret: ${T}\n",
        [
            "2:3: account 'a' needs api_key_secret: the app's API key secret",
            "5:5: unknown setting 'api_secret'; did you mean 'api_key_secret'?",
        ],
    ),
    (
        "accounts:\n  a:\n    network: bluesky\n    handle: a.example\n    app_password: ${T}\n    budget: 30\n",
        ["6:5: unknown setting 'budget'"],
    ),
    (
        "accounts:\n  a:\n    network: bluesky\n    handle: a.example\n    app_password: ${T}\n    limits: {posts_per_hour: unlimited}\n",
        ["6:30: 'posts_per_hour' takes a whole number, 1 or more, not 'unlimited'"],
    ),
    (
        "accounts:\n  a:\n    network: bluesky\n    handle: a.example\n    app_password: ${T}\n    limits: 60\n",
        ["6:13: 'limits' takes a map of settings, not a single value"],
    ),
    (
        "accounts:\n  my account:\n    network: bluesky\n    handle: a.example\n    app_password: ${T}\n",
        ["2:3: the name 'my account' may hold only A-Z a-z 0-9 _ . and -"],
    ),
    (
        "accounts:\n  a:\n    network: bluesky\n    handle: a.example\n    app_password: ${T}\n  a:\n    network: mastodon\n",
        ["6:3: 'a' stands twice; first at config.yaml:2:3"],
    ),
    (
        ACCOUNTS + "bots:\n  - from: masto\n    to: bsky\n",
        ["19:3: 'bots' takes a map of settings, not a list"],
    ),
    (ACCOUNTS + "bots:\n  b: masto\n", ["19:6: 'b' takes a map of settings, not a single value"]),
    (
        ACCOUNTS + "bots:\n  b:\n  from: masto\n  to: bsky\n",
        [
            "19:3: 'b' has no value; give it one, or remove the line",
            "20:9: 'from' takes a map of settings, not a single value",
            "21:7: 'to' takes a map of settings, not a single value",
        ],
    ),
    (
        ACCOUNTS + "bots:\n  b:\n    from: masto\n     to: bsky\n",
        [
            "21:8: a colon stands inside a value, or this line is indented wrongly; put the value in quotes"
        ],
    ),
    (
        ACCOUNTS + "bot:\n  b:\n    from: masto\n    to: bsky\n",
        ["18:1: unknown setting 'bot'; did you mean 'bots'?"],
    ),
    (
        ACCOUNTS + "defaults:\n  to: bsky\n",
        ["19:3: 'to' belongs to one bot and cannot be a default"],
    ),
    (
        ACCOUNTS + "default:\n  delay: 3m\n",
        ["18:1: unknown setting 'default'; did you mean 'defaults'?"],
    ),
    (
        ACCOUNTS + "defaults:\n  hashtags: [x]\n",
        ["19:13: 'hashtags' takes keep, move or strip, not a list; a list belongs in only or skip"],
    ),
    (ACCOUNTS + "defaults:\n  words: [x]\n", ["19:3: 'words' belongs in only or skip"]),
    (ACCOUNTS + "timezone: CEST\n", ["18:11: there is no time zone 'CEST', such as Europe/Oslo"]),
    (
        ACCOUNTS + "timezone: +01:00\n",
        ["18:11: there is no time zone '+01:00', such as Europe/Oslo"],
    ),
    (
        ACCOUNTS + "alerts: https://hooks.example/x\n",
        ["18:9: 'alerts' takes a map of settings, not a single value"],
    ),
    (
        ACCOUNTS + "alerts:\n  webhook: hooks.example\n",
        ["19:12: 'webhook' takes an address such as https://host.example/path"],
    ),
    (
        ACCOUNTS + "alerts:\n  after: 15\n",
        ["19:10: 'after' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '15'"],
    ),
    (ACCOUNTS + "state: state.db\n", ["18:8: 'state' takes a map of settings, not a single value"]),
    (ACCOUNTS + "state:\n  path: state.db\n", ["19:3: unknown setting 'path'"]),
    (
        ACCOUNTS + "state:\n  durability: full\n",
        ["19:15: 'durability' takes power-loss or process, not 'full'"],
    ),
    (
        ACCOUNTS.replace("    budget:\n      usd_per_month: 30\n", "")
        + "bots:\n  b:\n    from: masto\n    to: x\n",
        [
            "10:3: account 'x' needs budget, because bot 'b' posts to it: what X may charge: write budget: {usd_per_month: 30}"
        ],
    ),
    (
        ACCOUNTS.replace("      usd_per_month: 30\n", "      usd_per_month: $30\n"),
        ["17:22: 'usd_per_month' takes US dollars, such as 30 or 0.015, not '$30'"],
    ),
    (
        ACCOUNTS.replace("      usd_per_month: 30\n", "      usd_per_month: 30 USD\n"),
        ["17:22: 'usd_per_month' takes US dollars, such as 30 or 0.015, not '30 USD'"],
    ),
    (
        ACCOUNTS.replace("      usd_per_month: 30\n", "      usd: 30\n"),
        [
            "17:7: 'budget' needs usd_per_month: US dollars in a calendar month, UTC; what would cost more is held",
            "17:7: unknown setting 'usd'",
        ],
    ),
    (ACCOUNTS + "include: other.yaml\n", ["18:1: unknown setting 'include'"]),
    (
        ACCOUNTS + "bots:\n  b: &b\n    from: masto\n    to: bsky\n  c:\n    <<: *b\n    to: x\n",
        [
            "22:3: the bot 'c' needs either from and to, or between",
            "23:5: `<<` is not supported; use `defaults`, or write it out",
        ],
    ),
    (
        ACCOUNTS + "defaults:\n  tests: []\n",
        ["19:3: 'tests' belongs to one bot and cannot be a default"],
    ),
    (
        ACCOUNTS + "bots:\n  b: *defaults\n",
        ["19:6: a value that begins with * must be in quotes (an alias would need an anchor)"],
    ),
]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bots").mkdir()


def told_about(file: str) -> list[str]:
    """What is wrong, all of it in one file; every problem comes with its line and a caret."""
    checked = check_all(Path("config.yaml"), {"T": "token"})
    found = [str(problem) for severity, problem in checked.findings if severity == "error"]
    lines = as_text(checked.findings, checked.sources).splitlines()
    assert [line for line in lines if line.startswith(file)] == found
    assert sum(line.strip(" |") == "^" for line in lines) == len(found)
    return [problem.removeprefix(f"{file}:") for problem in found]


@pytest.mark.parametrize(("text", "told"), BOTS)
def test_a_bot_with_a_mistake(text: str, told: list[str]) -> None:
    Path("config.yaml").write_text(ACCOUNTS + "timezone: Europe/Oslo\n", encoding="utf-8")
    Path("bots/b.yaml").write_text(text, encoding="utf-8")
    assert told_about("bots/b.yaml") == told


@pytest.mark.parametrize(("text", "told"), CONFIGS)
def test_a_configuration_with_a_mistake(text: str, told: list[str]) -> None:
    Path("config.yaml").write_text(text, encoding="utf-8")
    assert told_about("config.yaml") == told


def test_the_mistakes_are_many(capsys: pytest.CaptureFixture[str]) -> None:
    here = {text for text, _ in (*BOTS, *CONFIGS)}
    tables = (
        problems.SYNTAX,
        problems.ACCOUNT,
        problems.ROUTES,
        problems.SETTINGS,
        problems.CRON,
    )
    there = {(number, text) for number, table in enumerate(tables) for text, _ in table}
    with capsys.disabled():
        print(f"seeded mistakes: {len(here)} here, {len(there)} in test_config_problems.py")
    assert len(here) >= 120
    assert all(told for _, told in (*BOTS, *CONFIGS))
