"""How many products a second go through how many rules, on one core, measured on the built-in demo products.

    python -m benchmarks.rules

The rules are made of words of the products themselves: a third name a manufacturer and a word, a third two words
that stand together anywhere, a third the beginning of a word. Prints one JSON line.
"""

import json
import random
import time
from itertools import cycle, islice

from benchmarks.cold_sets import demo_products, nexus_hardware
from classification.engine import Text
from classification.engine.rules import Condition, Rule, RuleSet

PRODUCTS = 20_000
NUMBERS_OF_RULES = (1, 100, 1_000, 5_000)


def main() -> None:
    """Measure and print."""
    demo = [product.text for product in demo_products(nexus_hardware())]
    products = list(islice(cycle(demo), PRODUCTS))
    print(json.dumps({f"{number} rules": figures(number, demo, products) for number in NUMBERS_OF_RULES}))


def figures(number: int, demo: list[Text], products: list[Text]) -> dict[str, float]:
    """Products a second, products x rules a second, and hits a product, for some number of rules."""
    chosen = random.Random(number)
    rules = RuleSet([made_of(chosen.choice(demo), index, chosen) for index in range(number)])
    began = time.perf_counter()
    found = sum(len(rules.hits(product)) for product in products)
    pace = len(products) / (time.perf_counter() - began)
    return {
        "products_per_s": round(pace),
        "products_x_rules_per_s": round(pace * number),
        "hits_per_product": round(found / len(products), 2),
    }


def made_of(product: Text, number: int, chosen: random.Random) -> Rule:
    """A rule that holds at least of the product it is made of."""
    words = [word for word in product.name.split() if word.isalpha()] or ["drill"]
    place = chosen.randrange(len(words))
    word = words[place]
    kinds = (
        (
            Condition("manufacturer", "is", product.manufacturer or "none"),
            Condition("name", "contains", word),
        ),
        (Condition("text", "contains", " ".join(words[place : place + 2])),),
        (Condition("text", "contains", f"{word[:5]}*"),),
    )
    return Rule(number, f"Rule {number}", number % 50, kinds[number % 3])


if __name__ == "__main__":
    main()
