"""A tiny taxonomy with the traps of the real one: shared words, glued words, names with digits."""

import pytest

from classification.engine import Category, Classifier, Example, Text, fit

LEAVES = (
    ("drills", "Tools", "Hammer drills", "combi drill|SDS+|hammer drill driver"),
    ("bits", "Tools", "Drill bits", "twist drill bit|masonry bit|auger bit|jobber drill"),
    ("screwdrivers", "Tools", "Screwdrivers", "screw driver|slotted screwdriver|pozidriv"),
    ("strippers", "Tools", "Wire strippers", "cable stripper|wire stripping pliers"),
    ("wood-screws", "Fasteners", "Wood screws", "chipboard screw|countersunk screw|csk"),
    ("plugs", "Fasteners", "Wall plugs", "rawl plug|plasterboard fixing"),
    ("masks", "Safety", "Dust masks", "FFP2|FFP3|respirator"),
    ("gloves", "Safety", "Work gloves", "nitrile glove|rigger glove"),
    ("lamps", "Electrical", "Lamps & bulbs", "GU10|E27|light bulb|LED bulb"),
    ("ssd", "IT", "Solid state drives", "SSD|M.2|NVMe"),
    ("sockets", "Tools", "Sockets & ratchets", '1/2" drive|socket set'),
    ("trailing", "Electrical", "Trailing sockets", "extension lead|trailing socket"),
)


@pytest.fixture(scope="session")
def categories() -> list[Category]:
    parents = sorted({parent for _, parent, _, _ in LEAVES})
    inner = [Category(number, name.lower(), name, name, (), False) for number, name in enumerate(parents, 1)]
    leaves = [
        Category(number, code, name, f"{parent} > {name}", tuple(keywords.split("|")), True)
        for number, (code, parent, name, keywords) in enumerate(LEAVES, 100)
    ]
    return inner + leaves


@pytest.fixture(scope="session")
def ids(categories: list[Category]) -> dict[str, int]:
    return {category.code: category.id for category in categories if category.is_leaf}


@pytest.fixture(scope="session")
def cold(categories: list[Category]) -> Classifier:
    return fit(categories)


MAKERS = ("Acme", "Brunel", "Corvid", "Delta", "Eagle", "Falcon")
KINDS = {
    "drills": ("brushless percussion borer", "two speed percussion borer"),
    "bits": ("tungsten tip cutter for masonry", "cobalt tip cutter for steel"),
    "wood-screws": ("pointed wood fixing yellow", "pointed wood fixing black"),
    "gloves": ("knitted hand protection", "leather hand protection"),
    "masks": ("fold flat breathing protection", "cup shaped breathing protection"),
}


@pytest.fixture(scope="session")
def examples(ids: dict[str, int]) -> list[Example]:
    """180 products named in words that the taxonomy does not have."""
    return [
        Example(Text(f"{maker} {kind} {adjective} {size}mm"), ids[code])
        for code, kinds in KINDS.items()
        for kind in kinds
        for maker in MAKERS
        for adjective, size in (("classic", 5), ("expert", 8), ("sturdy", 12))
    ]


@pytest.fixture(scope="session")
def trained(categories: list[Category], examples: list[Example]) -> Classifier:
    return fit(categories, examples)
