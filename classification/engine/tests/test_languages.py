"""Titles in German, French and Spanish find categories that carry translated names."""

import pytest

from classification.engine import Category, Text
from classification.engine.cold_start import ColdStart

NAMES = (
    ("drivers", "Drill drivers", ("Akkuschrauber", "Perceuses-visseuses", "Taladros atornilladores")),
    ("reels", "Cable reels", ("Kabeltrommeln", "Enrouleurs de câble", "Enrolladores de cable")),
    ("hex-keys", "Hex keys", ("Innensechskantschlüssel", "Clés Allen", "Llaves Allen")),
    ("hammers", "Hammers", ("Hämmer", "Marteaux", "Martillos")),
    ("boots", "Safety boots", ("Sicherheitsstiefel", "Bottes de sécurité", "Botas de seguridad")),
    ("helmets", "Safety helmets", ("Schutzhelme", "Casques de chantier", "Cascos de obra")),
    ("paint", "Wall paint", ("Wandfarbe", "Peintures murales", "Pinturas de pared")),
)


@pytest.fixture(scope="module")
def start() -> ColdStart:
    return ColdStart(
        [
            Category(number, code, name, f"Goods > {name}", keywords)
            for number, (code, name, keywords) in enumerate(NAMES)
        ]
    )


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Bosch Akku-Schrauber 18V", "drivers"),
        ("Kabeltrommel 40 m", "reels"),
        ("Innensechskantschluessel 6 mm", "hex-keys"),
        ("INNENSECHSKANTSCHLÜSSEL", "hex-keys"),
        ("Latthammer magnetisch", "hammers"),
        ("Stiefel S3", "boots"),
        ("Schutzhelm weiss", "helmets"),
        ("Innenwandfarbe 10 L", "paint"),
        ("Perceuse visseuse sans fil", "drivers"),
        ("Enrouleur de cable 25 m", "reels"),
        ("Jeu de clés allen", "hex-keys"),
        ("Marteau de menuisier", "hammers"),
        ("Peinture murale blanche", "paint"),
        ("Taladro atornillador", "drivers"),
        ("Martillo de carpintero", "hammers"),
        ("Bota de seguridad", "boots"),
        ("Casco de obra blanco", "helmets"),
    ],
)
def test_a_title_finds_the_translated_name(start: ColdStart, title: str, code: str) -> None:
    assert start.leaves[start.read([Text(title)]).best[0]].code == code


@pytest.fixture(scope="module")
def english() -> ColdStart:
    return ColdStart(
        [Category(number, code, name, f"Goods > {name}") for number, (code, name, _) in enumerate(NAMES)]
    )


@pytest.mark.parametrize(
    ("title", "code"),
    [
        ("Bohrschrauber mit 2 Akkus", "drivers"),
        ("Schlosserhammer 500 g", "hammers"),
        ("Sicherheitsstiefel S3", "boots"),
        ("Stahlkabeltrommel", "reels"),
        ("Perceuse 18V sans fil", "drivers"),
        ("Marteaux de coffreur", "hammers"),
        ("Casque de sécurité", "helmets"),
        ("Pinturas para pared", "paint"),
        ("Botas negras", "boots"),
    ],
)
def test_a_title_finds_the_english_name(english: ColdStart, title: str, code: str) -> None:
    assert english.leaves[english.read([Text(title)]).best[0]].code == code


def test_a_word_of_the_taxonomy_is_no_foreign_word() -> None:
    start = ColdStart([Category(1, "sierra", "Sierra", "Sierra"), Category(2, "saws", "Saws", "Saws")])
    assert start.leaves[start.read([Text("Sierra")]).best[0]].code == "sierra"


def test_a_part_of_a_compound_makes_nothing_certain(start: ColdStart) -> None:
    whole, part = start.read([Text("Sicherheitsstiefel S3"), Text("Sommerstiefel S3")]).confidence()
    assert part < whole


@pytest.mark.parametrize("title", ["für die und mit der", "de la et avec le", "para el con los"])
def test_stop_words_say_nothing(start: ColdStart, title: str) -> None:
    assert not start.read([Text(title)]).is_known()[0]
