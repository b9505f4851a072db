"""What the people of the demo post: made up, in several languages, one of each kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Said:
    """A post of the demo: who says it, and on which accounts how many parts must arrive.

    `answers`, `quotes` and `boosts` are indexes of earlier posts of the same account; `images` are
    the alt texts of pictures to draw, `film` that of a video; `more` goes to the
    simulator's `say` as it is.
    """

    account: str
    text: str
    arrives: dict[str, int]
    images: tuple[str, ...] = ()
    film: str = ""
    answers: int | None = None
    quotes: int | None = None
    boosts: int | None = None
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mended:
    """A post, by its index, that gets another text, or is deleted if that is empty.

    `then` is what must happen to its copies, by account.
    """

    post: int
    text: str
    then: dict[str, str]


M, B, X = "newsroom_mastodon", "newsroom_bluesky", "newsroom_twitter"
CM, CB, CX = "city_mastodon", "city_bluesky", "city_twitter"

_LONG = (
    "Budsjettet for neste år er klart, og dette er de viktigste punktene. "
    "Bussene får to nye linjer, og de gamle stoppestedene på Torvet flyttes tilbake dit de sto. "
    "Biblioteket holder åpent til klokka ni på hverdager, også om sommeren. "
    "Svømmehallen pusses opp fra mars til september, og skolene får låne bassenget i nabobyen. "
    "Skøytebanen bak rådhuset blir kunstfrossen, så isen holder selv i en mild vinter. "
    "Det settes av penger til sykkelvei langs elva, med belysning hele veien ut til Neset. "
    "Barnehagene får tre nye avdelinger, og køen skal være borte innen august. "
    "Til sist: brannstasjonen får ny stigebil, den første siden 1998. "
    "Les hele planen, med tall og kart, på https://budsjett.example.com/plan/2027?kapittel=samferdsel#kart"
)

BEFORE = Said(M, "An old post from long before anybody thought of bots.", {})

POSTS: tuple[Said, ...] = (
    Said(M, "Good morning from the night desk. The kettle is on.", {B: 1, X: 1}),
    Said(
        M,
        "God morgen! Snøen har lagt seg over hele dalen i natt: https://vaer.example.com/dalen/snø",
        {B: 1, X: 1},
        more={"language": "nb"},
    ),
    Said(
        B,
        "Guten Morgen aus der Redaktion. Heute im Blatt: warum die Fähre wieder fährt. #Hafen",
        {M: 1, X: 1},
        more={"language": "de"},
    ),
    Said(
        X,
        "Godmorgen! Bageren på hjørnet har fået ny ovn, og hele gaden dufter. #Søndag",
        {M: 1, B: 1},
        more={"language": "da"},
    ),
    Said(
        M,
        "صباح الخير من غرفة الأخبار مع @city ونشرة اليوم "
        "على https://akhbar.example.com/صباح قبل الظهر",
        {B: 1, X: 1},
        more={"language": "ar"},
    ),
    Said(
        B,
        "شكرا لكل من حضر معرض الكتاب أمس، والصور على https://maarad.example.com/kutub هنا",
        {M: 1, X: 1},
        more={"language": "ar"},
    ),
    Said(M, "A thread about the harbour. First: what was decided yesterday.", {B: 1, X: 1}),
    Said(M, "Second: the new quay is paid for by the fish market.", {B: 1, X: 1}, answers=6),
    Said(M, "Third and last: work begins after the herring season.", {B: 1, X: 1}, answers=7),
    Said(
        M,
        "The market hall, before and after the restoration.",
        {B: 1, X: 1},
        images=("The market hall in 1971, with broken windows", "The market hall today, lit up"),
    ),
    Said(
        B,
        "Ein Bild vom Turm, heute früh aufgenommen.",
        {M: 1, X: 1},
        images=("Der Turm im Nebel, nur die Uhr ist zu sehen",),
        more={"language": "de"},
    ),
    Said(
        X,
        "Regnbuen over fjorden i går kveld.",
        {M: 1, B: 1},
        images=("En dobbel regnbue over et blikkstille vann",),
        more={"language": "nb"},
    ),
    Said(B, "Families at the parade 👨‍👩‍👧‍👦👩🏽‍🚒🏳️‍🌈 and flags 🇳🇴🇩🇰🇩🇪 all along it", {M: 1, X: 1}),
    Said(X, _LONG, {M: 2, B: 3}, more={"language": "nb"}),
    Said(
        M,
        "The verdict in the fire case is here, with details of what happened that night.",
        {B: 1, X: 1},
        more={"warning": "court case, violence"},
    ),
    Said(
        M,
        "For our followers only: the canteen moves on Monday.",
        {},
        more={"visibility": "private"},
    ),
    Said(
        M,
        "Quietly, off the public timeline: a test of the new masts.",
        {},
        more={"visibility": "unlisted"},
    ),
    Said(
        B,
        "Vi søker en vikar til kulturredaksjonen #jobb #kultur",
        {M: 1, X: 1},
        more={"language": "nb"},
    ),
    Said(X, "Deadline is at six, as every day since 1887.", {M: 1, B: 1}),
    Said(M, "Not for the bridges, please. #nobridge", {}),
    Said(
        X,
        "Two links in one: https://ferje.example.com/rute and https://ferje.example.com/billett?antall=2",
        {M: 1, B: 1},
    ),
    Said(M, 'Prices: 3 < 5 & 7 > 4, says the "maths" desk.', {B: 1, X: 1}),
    Said(B, "Same time tomorrow: questions for the mayor. Send them in.", {M: 1, X: 1}),
    Said(CM, "The water is off in Elvegata until 14:00. #alert", {CB: 1, CX: 1}),
    Said(
        CM,
        "The council meets on Thursday; the papers are at https://city.example.com/papers",
        {CB: 1},
    ),
    Said(CM, "Utkast: ikke ferdig, ikke les dette ennå.", {}, more={"language": "nb"}),
    Said(
        CM,
        "Snow clearing begins at four in the morning. #alert Please move cars from the odd side "
        "of the street, keep hydrants free, and put the bins out only after the plough has passed; "
        "where it has not passed by noon, call the number on the city's page or come to the office "
        "at the square, which is open all night until Sunday, with coffee and a place to sit.",
        {CB: 2, CX: 1},
    ),
    Said(CB, "The library's bus is at the school today until three o'clock.", {CM: 1}),
    Said(
        CB,
        "Der Stadtpark ist heute Abend länger geöffnet, bis elf.",
        {CM: 1},
        more={"language": "de"},
    ),
    Said(
        CB,
        "A picture from the opening of the playground.",
        {CM: 1},
        images=("Children on a slide",),
    ),
    Said(M, "As promised before sunrise: tea for everybody, and buns.", {B: 1, X: 1}, quotes=0),
    Said(B, "", {M: 1, X: 1}, boosts=2),
    Said(
        M,
        "Ferja går herfra fra mandag av: https://havna.example.com/kaia",
        {B: 1, X: 1},
        more={
            "language": "nb",
            "card": {
                "url": "https://havna.example.com/kaia",
                "title": "Den nye kaia åpner",
                "description": "Fra mandag går ferja herfra.",
            },
        },
    ),
    Said(
        M,
        "The ferry on its first crossing, filmed from the quay.",
        {B: 1, X: 1},
        film="A white ferry turns in the harbour",
    ),
    Said(
        X,
        "Which of the three names should the new tram have?",
        {M: 1, B: 1},
        more={"poll": ["Sirius", "Vega", "Orion"]},
    ),
)

EDITED, CORRECTED, DELETED = "edited", "a reply", "deleted"

MENDED: tuple[Mended, ...] = (
    Mended(
        18,
        "Deadline is at seven from now on, for the first time since 1887.",
        {M: EDITED, B: CORRECTED},
    ),
    Mended(
        21,
        "Prices: 3 < 5 & 8 > 4, says the desk that can count.",
        {B: CORRECTED, X: CORRECTED},
    ),
    Mended(22, "", {M: DELETED, X: DELETED}),
)
