"""What each mistake is told, word for word, and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config_files import ACCOUNTS, bot, complaints, load_text


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


#: a whole file, and what is wrong with it
SYNTAX = [
    ("", ["1:1: the file is empty; `tribridge init` shows one"]),
    ("# x\n", ["1:1: the file is empty; `tribridge init` shows one"]),
    ("- x\n", ["1:1: 'config.yaml' takes a map of settings, not a list"]),
    ("x\n", ["1:1: 'config.yaml' takes a map of settings, not a single value"]),
    (
        "--- {}\n--- {}\n",
        ["2:1: a second document begins here; a file holds one: remove the line `---`"],
    ),
    ("a: [x\n", ["1:4: a comma or ] is missing in the list that opens here"]),
    ("a: {b: c\n", ["1:4: a comma or } is missing in the map that opens here"]),
    ("a: 'x\n", ["1:4: the quote that opens here is never closed"]),
    (
        "a: b: c\n",
        [
            "1:5: a colon stands inside a value, or this line is indented wrongly; put the value in quotes"
        ],
    ),
    ("\ta: b\n", ["1:1: a tab stands here; indent with spaces"]),
    ("a: @x\n", ["1:4: put a value that begins with @ in quotes"]),
    ("a: %x\n", ["1:4: put a value that begins with % in quotes"]),
    ("a: `x`\n", ["1:4: put a value that begins with ` in quotes"]),
    ("a: * * *\n", ["1:4: put a value that begins with * in quotes"]),
    (
        "a: {{ x }} y\n",
        ["1:4: put a value with {{ }} in quotes", "1:12: put a value with {{ }} in quotes"],
    ),
    ("? [a]\n: b\n", ["1:1: a map or list cannot be a name here"]),
    (
        "a: &a [*a]\n",
        ["1:1: unknown setting 'a'", "1:8: this alias stands inside the value that it repeats"],
    ),
    (
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        ["1:65: nested deeper than 64 levels"],
    ),
    (
        "bots: {a/b: {from: x, to: y}}\n",
        [
            "1:8: the name 'a/b' holds /, which is reserved",
            "1:20: there is no account 'x'",
            "1:27: there is no account 'y'",
        ],
    ),
    ("zone: x\n", ["1:1: unknown setting 'zone'; did you mean 'timezone'?"]),
    (
        "timezone: Europe/Olso\n",
        ["1:11: there is no time zone 'Europe/Olso'; did you mean 'Europe/Oslo'?"],
    ),
    ("timezone: Norge\n", ["1:11: there is no time zone 'Norge', such as Europe/Oslo"]),
    ("timezone: ../etc\n", ["1:11: there is no time zone '../etc', such as Europe/Oslo"]),
    ("state: {file: }\n", ["1:9: 'file' has no value; give it one, or remove the line"]),
    (
        "accounts:\nbots:\n",
        [
            "1:1: 'accounts' has no value; give it one, or remove the line",
            "2:1: 'bots' has no value; give it one, or remove the line",
        ],
    ),
    ("accounts: [x]\n", ["1:11: 'accounts' takes a map of settings, not a list"]),
    ("a: \x07", ["1:4: the control character U+0007 stands here; remove it"]),
    (
        "a: 1\na: 2\n",
        ["1:1: unknown setting 'a'", "2:1: 'a' stands twice; first at config.yaml:1:1"],
    ),
    ("timezone: UTC\ntimezone: UTC\n", ["2:1: 'timezone' stands twice; first at config.yaml:1:1"]),
]


@pytest.mark.parametrize(("text", "told"), SYNTAX)
def test_a_file_that_is_no_configuration(text: str, told: list[str]) -> None:
    assert complaints(text) == told


#: settings of an account, and what is wrong with them
ACCOUNT = [
    (
        "network: mastadon",
        [
            "2:16: 'network' takes twitter, mastodon or bluesky, not 'mastadon'; did you mean 'mastodon'?"
        ],
    ),
    ("network: ", ["2:7: 'network' has no value; give it one, or remove the line"]),
    (
        "server: https://a.example",
        ["2:3: account 'a' needs a network: twitter, mastodon or bluesky"],
    ),
    (
        "network: mastodon",
        [
            "2:3: account 'a' needs access_token: an access token of the account; or log in with `tribridge login a`",
            "2:3: account 'a' needs server: the server, such as https://mastodon.example",
        ],
    ),
    (
        "network: mastodon, server: http://a.example, access_token: t",
        ["2:34: 'server' must begin with https://; http is for this machine only"],
    ),
    (
        "network: mastodon, server: ftp://a.example, access_token: t",
        ["2:34: 'server' takes a URL such as https://host.example"],
    ),
    (
        "network: mastodon, server: a.example, access_token: t",
        ["2:34: 'server' takes a URL such as https://host.example"],
    ),
    (
        "network: mastodon, server: https://a.example/api, access_token: t",
        ["2:34: 'server' takes a server alone: nothing after its name"],
    ),
    (
        "network: mastodon, server: 'https://a.example?x', access_token: t",
        ["2:34: 'server' takes a server alone: nothing after its name"],
    ),
    (
        "network: mastodon, server: 'https://u:p@a.example', access_token: t",
        ["2:34: 'server' may not hold a user name or password"],
    ),
    (
        "network: mastodon, server: 'http://127.0.0.1.evil.example', access_token: t",
        ["2:34: 'server' must begin with https://; http is for this machine only"],
    ),
    (
        "network: mastodon, server: 'https://[::1', access_token: t",
        ["2:34: 'server' takes a URL such as https://host.example"],
    ),
    (
        "network: mastodon, server: https://a.example, access_token: 12",
        ["2:67: YAML takes this for a number; put it in quotes"],
    ),
    (
        "network: mastodon, server: https://a.example, access_token: a b",
        ["2:67: there is a space in 'access_token'; copy it again, without spaces"],
    ),
    (
        "network: mastodon, server: https://a.example, access_token: t, acess_token: t",
        ["2:70: unknown setting 'acess_token'; did you mean 'access_token'?"],
    ),
    (
        "network: mastodon, server: https://a.example, access_token: ",
        ["2:53: 'access_token' has no value; give it one, or remove the line"],
    ),
    (
        "network: bluesky, handle: 12:30, app_password: p",
        ['2:33: without quotes YAML takes 12:30 for a number; write "12:30"'],
    ),
]


@pytest.mark.parametrize(("settings", "told"), ACCOUNT)
def test_an_account_that_cannot_be_used(settings: str, told: list[str]) -> None:
    assert complaints(f"accounts:\n  a: {{{settings}}}\n") == told


#: a bot, and what is wrong with its directions
ROUTES = [
    ("{from: masto}", ["2:3: the bot 'b' needs either from and to, or between"]),
    ("{}", ["2:3: the bot 'b' needs either from and to, or between"]),
    ("", ["2:3: 'b' has no value; give it one, or remove the line"]),
    ("[from]", ["2:6: 'b' takes a map of settings, not a list"]),
    (
        "{from: masto, to: bsky, between: [masto, x]}",
        ["2:30: the bot 'b' needs either from and to, or between"],
    ),
    ("{between: [masto]}", ["2:16: 'between' takes two accounts or more"]),
    ("{between: masto}", ["2:16: 'between' takes two accounts or more"]),
    ("{between: [masto, masto]}", ["2:24: the account 'masto' is named twice"]),
    ("{from: masto, to: [masto, bsky]}", ["2:25: the account 'masto' stands in both from and to"]),
    ("{from: masto, to: []}", ["2:24: 'to' names no account"]),
    ("{from: masto, to: [bsky, bsky]}", ["2:31: the account 'bsky' is named twice"]),
    (
        "{from: [masto, mast], to: bksy}",
        [
            "2:21: there is no account 'mast'; did you mean 'masto'?",
            "2:32: there is no account 'bksy'; did you mean 'bsky'?",
        ],
    ),
    ("{from: masto, to: 1}", ['2:24: without quotes YAML takes 1 for a number; write "1"']),
    ("{from: {a: b}, to: x}", ["2:13: 'from' takes a text, not a map"]),
    ("{from: masto, to: bsky, was: c}", ["2:35: 'was' names 'c', which is a bot still"]),
]


@pytest.mark.parametrize(("written", "told"), ROUTES)
def test_a_bot_that_leads_nowhere(written: str, told: list[str]) -> None:
    text = f"bots:\n  b: {written}\n  c: {{from: masto, to: x}}\n"
    assert complaints(text + ACCOUNTS) == told


#: settings of a bot, and what is wrong with them
SETTINGS = [
    ("mode: true", ["2:41: 'mode' takes live, approve, dry-run or disabled, not 'true'"]),
    ("words: x", ["2:35: 'words' belongs in only or skip"]),
    ("hashtags: x", ["2:45: 'hashtags' takes keep, move or strip, not 'x'"]),
    ("visiblity: same", ["2:35: unknown setting 'visiblity'; did you mean 'visibility'?"]),
    (
        "long: {}",
        ["2:41: 'long' takes thread, truncate, first_and_link, numbered or skip, not a map"],
    ),
    (
        "long: trunkate",
        [
            "2:41: 'long' takes thread, truncate, first_and_link, numbered or skip, not 'trunkate'; did you mean 'truncate'?"
        ],
    ),
    ("replies: no", ["2:44: 'replies' takes threads or skip, not 'no'"]),
    ("boosts: [skip]", ["2:43: 'boosts' takes skip, link or quote, not a list"]),
    ("description: no", ['2:48: without quotes YAML takes no for true or false; write "no"']),
    ("description: 12:30", ['2:48: without quotes YAML takes 12:30 for a number; write "12:30"']),
    (
        "description: 2026-01-31",
        ['2:48: without quotes YAML takes 2026-01-31 for a date; write "2026-01-31"'],
    ),
    ("description: ~", ['2:48: without quotes YAML takes ~ for nothing; write "~"']),
    ("description: ''", ["2:48: 'description' is empty; give it a value, or remove the line"]),
    (
        "description: #x\n   ",
        ["2:35: 'description' has no value, for # begins a comment; put the value in quotes"],
    ),
    ("description: {{ x }}", ["2:48: put a value with {{ }} in quotes"]),
    ("description: {x}", ["2:48: 'description' takes a text, not a map"]),
    (
        "skip: {hashtags: #x\n   }",
        ["2:42: 'hashtags' has no value, for # begins a comment; put the value in quotes"],
    ),
    (
        "skip: {words: [draft, no, ~]}",
        [
            '2:57: without quotes YAML takes no for true or false; write "no"',
            '2:61: without quotes YAML takes ~ for nothing; write "~"',
        ],
    ),
    ("skip: {words: }", ["2:42: 'words' has no value; give it one, or remove the line"]),
    ("skip: [draft]", ["2:41: 'skip' takes a map of settings, not a list"]),
    ("skip: {wrods: x}", ["2:42: unknown setting 'wrods'; did you mean 'words'?"]),
    (
        "only: {visibility: []}",
        ["2:54: 'visibility' is empty; name one or more of public or unlisted"],
    ),
    (
        "only: {visibility: [public, private]}",
        ["2:63: 'visibility' takes public or unlisted, not 'private'"],
    ),
    (
        "only: {languages: [en, no, en_GB]}",
        [
            '2:58: without quotes YAML takes no for true or false; write "no"',
            "2:62: 'en_GB' is not a language tag such as nb, en or en-GB",
        ],
    ),
    (
        "skip: {kinds: [replies, boost]}",
        ["2:50: 'kinds' takes reply, boost or quote, not 'replies'; did you mean 'reply'?"],
    ),
    (
        "skip: {has: photo}",
        [
            "2:47: 'has' takes text, link, image, video, animation, audio, media, poll or content_warning, not 'photo'"
        ],
    ),
    (
        "only: {longer_than: 5.5}",
        ["2:55: 'longer_than' takes a whole number, 0 or more, not '5.5'"],
    ),
    (
        "only: {shorter_than: '280 characters'}",
        ["2:56: 'shorter_than' takes a whole number, 0 or more, not '280 characters'"],
    ),
    (
        "only: {hours: 7:00-22:00}",
        ["2:49: 'hours' needs a time zone: set timezone in config.yaml, such as Europe/Oslo"],
    ),
    (
        "only: {weekdays: [mon-fri]}",
        ["2:53: 'weekdays' needs a time zone: set timezone in config.yaml, such as Europe/Oslo"],
    ),
    (
        "only: {hours: [7:00, 22:00]}",
        [
            "2:50: 'hours' takes a span of the day such as 7:00-22:30, not '7:00'",
            "2:56: 'hours' takes a span of the day such as 7:00-22:30, not '22:00'",
        ],
    ),
    (
        "only: {hours: 7:00-24:30}",
        ["2:49: 'hours' takes a span of the day, which ends at 24:00, not '7:00-24:30'"],
    ),
    (
        "only: {hours: 0:00-24:00}",
        [
            "2:49: 'hours' takes a span of the day that ends at another time than it begins, not '0:00-24:00'"
        ],
    ),
    (
        "skip: {weekdays: [saturday, 7]}",
        [
            "2:53: 'weekdays' takes weekdays such as mon, or mon-fri, not 'saturday'",
            '2:63: without quotes YAML takes 7 for a number; write "7"',
        ],
    ),
    (
        "skip: {older_than: 1 day}",
        ["2:54: 'older_than' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '1 day'"],
    ),
    (
        "skip: {matching: '('}",
        ["2:52: 'matching' is not a regular expression: missing ) at position 1"],
    ),
    (
        "unlisted_in_threads: 'yes'",
        ["2:56: 'unlisted_in_threads' takes true or false, without quotes"],
    ),
    ("unlisted_in_threads: 1", ["2:56: 'unlisted_in_threads' takes true or false, without quotes"]),
    (
        "every: 30",
        ["2:42: 'every' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '30'"],
    ),
    (
        "every: 12:30",
        ["2:42: 'every' takes a number with its unit: 30s, 5m, 2h, 7d or 1h30m, not '12:30'"],
    ),
    ("every: 0s", ["2:42: 'every' takes at least 1s"]),
    ("max_age: 4000d", ["2:44: 'max_age' takes at most 3650d, not '4000d'"]),
    (
        "every: 1m, cron: 0 0 * * *",
        [
            "2:46: 'cron' and 'every' exclude each other; keep one",
            "2:52: 'cron' needs a time zone: set timezone in config.yaml, such as Europe/Oslo",
        ],
    ),
    (
        "cron: 0 0 * * *",
        ["2:41: 'cron' needs a time zone: set timezone in config.yaml, such as Europe/Oslo"],
    ),
    ("language: no", ['2:45: without quotes YAML takes no for true or false; write "no"']),
    (
        "language: norsk bokmål",
        ["2:45: 'norsk bokmål' is not a language tag such as nb, en or en-GB"],
    ),
    ("steps: x", ["2:42: 'steps' takes a list of steps, such as: - append: text"]),
    (
        "steps: [append]",
        [
            "2:43: the step 'append' needs a value, such as append: \"(first on {{ network }}: {{ url }})\""
        ],
    ),
    ("steps: [apend]", ["2:43: 'steps' takes steps of one name each, such as append: text"]),
    (
        'steps: [{append: "{{ ulr }}"}]',
        ["2:52: '{{ ulr }}' stands for nothing; did you mean 'url'?"],
    ),
    (
        'steps: [{append: "{{ user }} {{ url"}]',
        [
            "2:52: '{{ url' is not closed with }}",
            "2:52: '{{ user }}' stands for nothing; there is url, author or network",
        ],
    ),
    (
        "steps: [{append: a, prepend: b}]",
        ["2:43: 'steps' takes steps of one name each, such as append: text"],
    ),
    (
        "steps: [{apend: a}, {append: 1}]",
        [
            "2:44: unknown step 'apend'; did you mean 'append'?",
            '2:64: without quotes YAML takes 1 for a number; write "1"',
        ],
    ),
    ("steps: [replace: {by: x}]", ["2:43: 'replace' needs either text or matching, and by"]),
    (
        "steps: [replace: {text: a, matching: b, by: c}]",
        ["2:43: 'replace' needs either text or matching, and by"],
    ),
    (
        "steps: [replace: {text: a}]",
        [
            "2:52: 'replace' needs by: what stands there then, \"\" for nothing; \\1 and \\g<name> are groups of matching"
        ],
    ),
    (
        "steps: [replace: {matching: '(a', by: b}]",
        ["2:63: 'matching' is not a regular expression: missing ) at position 2"],
    ),
    (
        "steps: [replace: {matching: '(?:a{1,99}){99999}', by: b}]",
        [
            "2:63: 'matching' is longer than 10,000 characters with its counts, such as {99}, written out"
        ],
    ),
    (
        "steps: [replace: {matching: '(a)', by: '\\2'}]",
        ["2:74: 'by' names a group that 'matching' does not have"],
    ),
    (
        "steps: [replace: {matching: '(?P<x>a)', by: '\\g<y>'}]",
        ["2:79: 'by' names a group that 'matching' does not have"],
    ),
    (
        "steps: [replace: {matching: a, by: 'C:\\'}]",
        ["2:70: 'by' cannot be used: bad escape (end of pattern) at position 3; write \\\\ for \\"],
    ),
    ("steps: [hashtags: {}]", ["2:43: 'hashtags' needs add, remove or rename"]),
    (
        "steps: [hashtags: {add: [a b]}]",
        ["2:59: 'a b' is no hashtag: letters, digits and _ only"],
    ),
    ("steps: [hashtags: a]", ["2:53: 'hashtags' takes a map of settings, not a single value"]),
    (
        "steps: [strip_tracking: true]",
        ["2:59: 'strip_tracking' takes a map of settings, not a single value"],
    ),
    ("steps: [strip_tracking: {als: a}]", ["2:60: unknown setting 'als'; did you mean 'also'?"]),
    (
        "steps: [content_warning: Politics]",
        ["2:60: 'content_warning' takes a map of settings, not a single value"],
    ),
    (
        "steps: [content_warning: {Politics: []}]",
        ["2:71: 'Politics' names no words that call for it"],
    ),
    (
        "steps: [content_warning: {}]",
        ["2:60: 'content_warning' is empty; name a warning, and words that call for it"],
    ),
    ("steps: [language: norsk]", ["2:53: 'norsk' is not a language tag such as nb, en or en-GB"]),
    ("backfill: some", ["2:45: 'backfill' takes none, all, {last: 20} or {since: 2026-01-31}"]),
    ("backfill: {last: 0}", ["2:52: 'last' takes a number of posts, 1 or more"]),
    (
        "backfill: {last: 3, since: 2026-01-31}",
        ["2:45: 'backfill' takes none, all, {last: 20} or {since: 2026-01-31}"],
    ),
    ("backfill: {since: yesterday}", ["2:53: 'since' takes a date, such as 2026-01-31"]),
    (
        "backfill: {first: 3}",
        ["2:46: 'backfill' takes none, all, {last: 20} or {since: 2026-01-31}"],
    ),
    ("for: {bksy: {}}", ["2:41: 'bksy' is no target of this bot; did you mean 'bsky'?"]),
    (
        "for: {mastodon: {}}",
        ["2:41: 'mastodon' is no target of this bot; write bluesky, bsky, twitter or x"],
    ),
    ("for: [x]", ["2:40: 'for' takes a map of settings, not a list"]),
    ("for: {x: }", ["2:41: 'x' has no value; give it one, or remove the line"]),
    ("for: {x: {every: 5m}}", ["2:45: 'every' is a setting of the whole bot, not of one target"]),
    ("for: {x: {words: a}}", ["2:45: 'words' belongs in only or skip"]),
    ("for: {x: {lnog: skip}}", ["2:45: unknown setting 'lnog'; did you mean 'long'?"]),
    ("was: b", ["2:40: 'was' names 'b', which is a bot still"]),
    ("was: a/b", ["2:40: the name 'a/b' holds /, which is reserved"]),
    ("<<: {}", ["2:35: `<<` is not supported; use `defaults`, or write it out"]),
    ("mode: live, mode: disabled", ["2:47: 'mode' stands twice; first at config.yaml:2:35"]),
    ("mode: !!str live", ["2:41: tags (words with !) are not used here; put the value in quotes"]),
    (
        "mode: *live",
        ["2:41: a value that begins with * must be in quotes (an alias would need an anchor)"],
    ),
    ("description: ${A}", ["2:49: inside { } put ${NAME} in quotes, or on a line of its own"]),
    (
        'description: "${A"',
        ["2:48: write ${NAME} or ${file:PATH}; for the signs themselves write $${"],
    ),
    (
        'description: "${A b}"',
        ["2:48: write ${NAME} or ${file:PATH}; for the signs themselves write $${"],
    ),
    (
        'description: "${NOPE}"',
        [
            "2:48: the environment variable NOPE is not set; set it before starting, or use ${file:PATH}"
        ],
    ),
    ('description: "${EMPTY}"', ["2:48: the environment variable EMPTY is empty; give it a value"]),
    (
        'description: "${LINES}"',
        [
            "2:48: the environment variable LINES holds a line break or control character; it should hold one line"
        ],
    ),
    (
        "description: '${file:nope}'",
        [
            "2:48: the file nope cannot be read: No such file or directory; write it, or correct its name"
        ],
    ),
    ("description: '${file:empty}'", ["2:48: the file empty is empty; give it a value"]),
    ("description: '${file:.}'", ["2:48: the file . is not an ordinary file"]),
    ('description: "\\a"', ["2:48: this value holds a control character; remove it"]),
]


@pytest.mark.parametrize(("settings", "told"), SETTINGS)
def test_a_setting_that_cannot_be_used(settings: str, told: list[str]) -> None:
    environ = {"EMPTY": "", "LINES": "a\nb"}
    assert complaints(bot(settings), environ, {"empty": ""}) == told


#: a crontab, and what is wrong with it
CRON = [
    (
        "* * * *",
        [
            "3:41: a crontab has five fields: minute, hour, day, month, weekday, such as 30 8 * * mon-fri"
        ],
    ),
    ("0 0 30 feb *", ["3:41: this crontab never fires: no such date comes"]),
    (
        "0 0 * * 1-5",
        ["3:41: write weekdays by name, such as mon-fri: programs disagree on which day is 0"],
    ),
    ("0 0 * * mon-sunday", ["3:41: 'mon-sunday' is no weekday of a crontab"]),
    (
        "0 0 * * fri-mon",
        [
            "3:41: this crontab is wrong: The minimum value in a range must not be higher than the maximum"
        ],
    ),
    (
        "60 * * * *",
        [
            "3:41: this crontab is wrong: Error validating expression '60': the last value (60) is higher than the maximum value (59)"
        ],
    ),
    ("* * * febr *", ["3:41: 'febr' is no month of a crontab"]),
    ("* * * feb/2 *", ["3:41: 'feb/2' is no month of a crontab"]),
    ("x * * * *", ["3:41: 'x' is no minute of a crontab"]),
    (
        "*/99 * * * *",
        [
            "3:41: this crontab is wrong: Error validating expression '*/99': the step value (99) is higher than the total range of the expression (59)"
        ],
    ),
    ("0 0 31 4,6,9,11 *", ["3:41: this crontab never fires: no such date comes"]),
]


@pytest.mark.parametrize(("crontab", "told"), CRON)
def test_a_crontab_that_cannot_be_used(crontab: str, told: list[str]) -> None:
    assert complaints("timezone: Europe/Oslo\n" + bot(f'cron: "{crontab}"')) == told


@pytest.mark.parametrize("crontab", ["0 0 last * *", "0 0 29 feb mon", "*/5 8-16 * * mon,wed-fri"])
def test_a_crontab_that_fires_some_day_is_fine(crontab: str) -> None:
    config = load_text("timezone: Europe/Oslo\n" + bot(f"cron: '{crontab}'"))
    assert config.bots["b"].cron == crontab


def test_one_account_stands_under_one_name() -> None:
    text = (
        "accounts:\n"
        "  a: {network: bluesky, handle: A.example, app_password: one}\n"
        "  b: {network: bluesky, handle: a.example, app_password: two}\n"
        "  c: {network: bluesky, handle: a.example, app_password: 'b', service: https://b.example}\n"
        "  d: {network: mastodon, server: https://M.example, access_token: t}\n"
        "  e: {network: mastodon, server: https://m.example/, access_token: t}\n"
        "  f: {network: mastodon, server: https://m.example, access_token: T}\n"
        "  g: {network: twitter, api_key: a, api_key_secret: b, access_token: c, "
        "access_token_secret: d}\n"
        "  h: {network: twitter, api_key: a, api_key_secret: b, access_token: c, "
        "access_token_secret: d}\n"
    )
    assert complaints(text) == [
        "3:3: the same account twice: 'b' is 'a' at config.yaml:2:3",
        "6:3: the same account twice: 'e' is 'd' at config.yaml:5:3",
        "9:3: the same account twice: 'h' is 'g' at config.yaml:8:3",
    ]


def test_a_name_that_is_a_network_is_for_an_account_of_it() -> None:
    text = "accounts:\n  bluesky: {network: mastodon, server: https://a.example, access_token: a}\n"
    assert complaints(text) == [
        "2:3: 'bluesky' is also a network; give this mastodon account another name"
    ]
    assert load_text(text.replace("bluesky", "mastodon")).accounts


def test_defaults_hold_no_setting_of_one_bot_and_name_accounts_or_networks() -> None:
    text = "defaults:\n  from: masto\n  was: x\n  words: [x]\n  for: {bksy: {}, twitter: {}}\n"
    assert complaints(text + ACCOUNTS) == [
        "2:3: 'from' belongs to one bot and cannot be a default",
        "3:3: 'was' belongs to one bot and cannot be a default",
        "4:3: 'words' belongs in only or skip",
        "5:9: 'bksy' is no account, group or network; did you mean 'bsky'?",
    ]


def test_two_bots_cannot_both_have_been_another() -> None:
    text = (
        "bots:\n  a: {from: masto, to: x, was: c}\n  b: {from: masto, to: x, was: c}\n" + ACCOUNTS
    )
    assert complaints(text) == ["3:32: 'c' was another bot's name; see config.yaml:2:32"]


def test_a_file_for_a_secret_that_would_never_end_is_not_read() -> None:
    assert complaints(bot("description: '${file:/dev/zero}'")) == [
        "2:48: the file /dev/zero is not an ordinary file"
    ]
    assert complaints(bot("description: '${file:big}'"), files={"big": "x" * 70_000}) == [
        "2:48: the file big is larger than 64 KiB; it should hold one value"
    ]
