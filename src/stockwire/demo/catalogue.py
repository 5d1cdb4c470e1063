"""What the simulated shop sells, where it keeps it, and who buys: plausible names from short lists."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

LOCATIONS: Final = {
    "warehouse": "Central warehouse",
    "riverside": "Riverside shop",
    "station": "Station shop",
}
WAREHOUSE: Final = "warehouse"
SHOPS: Final = ("riverside", "station")


class Category(NamedTuple):
    """A shelf: the letters its SKUs begin with, what lies on it, in which variants, and at what price (pence, about)."""

    letters: str
    nouns: tuple[str, ...]
    variants: tuple[str, ...]
    price: int


CATEGORIES: Final = (
    Category(
        "TEA",
        ("loose leaf Assam", "loose leaf Darjeeling", "jasmine pearls", "rooibos blend", "peppermint tea",
         "house espresso beans", "decaf beans", "filter roast"),
        ("100 g", "250 g", "500 g", "1 kg", "sample box"), 950,
    ),
    Category(
        "KIT",
        ("enamel mug", "oak chopping board", "linen tea towel", "glass storage jar", "carbon steel pan",
         "stoneware bowl", "measuring jug", "bread tin"),
        ("small", "medium", "large", "navy", "set of 2"), 1_850,
    ),
    Category(
        "GAR",
        ("terracotta pot", "hand trowel", "watering can", "bird feeder", "seed collection", "hanging basket",
         "pruning shears", "plant stand"),
        ("classic", "green", "copper", "small", "large"), 1_650,
    ),
    Category(
        "DES",
        ("dotted notebook", "fountain pen", "desk tray", "wall planner", "brass ruler", "writing pad",
         "washi tape", "card holder"),
        ("black", "sand", "forest", "A5", "A6"), 1_150,
    ),
    Category(
        "LIT",
        ("table lamp", "pendant shade", "LED filament bulb", "string lights", "reading light", "lantern",
         "clip lamp", "night light"),
        ("brass", "white", "smoke", "E14", "E27"), 3_400,
    ),
    Category(
        "BTH",
        ("hand soap", "bath towel", "soy wax candle", "olive oil soap", "bath salts", "hand cream",
         "waffle robe", "reed diffuser"),
        ("cedar", "fig", "sea salt", "lavender", "unscented"), 1_400,
    ),
    Category(
        "TOY",
        ("wooden train", "stacking rings", "jigsaw puzzle", "soft rabbit", "building blocks", "memory game",
         "kite", "paint set"),
        ("mini", "classic", "deluxe", "farm", "space"), 1_950,
    ),
    Category(
        "BAG",
        ("canvas tote", "weekend bag", "wash bag", "market basket", "rucksack", "lunch bag", "pencil case",
         "laptop sleeve"),
        ("natural", "navy", "rust", "stripe", "13 inch"), 2_900,
    ),
    Category(
        "PRT",
        ("botanical print", "city map", "linocut", "photo frame", "poster hanger", "greeting cards",
         "postcard set", "sketch print"),
        ("A4", "A3", "A2", "oak", "pack of 8"), 1_750,
    ),
    Category(
        "TEX",
        ("wool throw", "cushion cover", "cotton rug", "quilted blanket", "table runner", "napkins",
         "door mat", "oven glove"),
        ("grey", "ochre", "indigo", "check", "set of 4"), 2_600,
    ),
)  # fmt: skip

FIRST_NAMES: Final = (
    "Amara", "Ben", "Carla", "Dev", "Elin", "Farid", "Grace", "Hugo", "Isla", "Jonas", "Kemi", "Leo", "Mina", "Nora",
    "Oskar", "Priya", "Quinn", "Rosa", "Sam", "Tomas", "Uma", "Viktor", "Wren", "Yusuf", "Zoe",
)  # fmt: skip
LAST_NAMES: Final = (
    "Abbott", "Bergström", "Clarke", "Diaz", "Evans", "Fischer", "Greene", "Hughes", "Ito", "Jensen", "Khan", "Larsen",
    "Moreau", "Novak", "Okafor", "Patel", "Quinn", "Rossi", "Silva", "Taylor", "Ueda", "Varga", "Walker", "Young",
)  # fmt: skip
COUNTRIES: Final = ("United Kingdom",) * 14 + ("Ireland", "Ireland", "France", "Germany", "Netherlands", "Spain")


class Product(NamedTuple):
    """One thing for sale. Price and cost in pence; `demand` is its share of all lines sold; more of it comes after about
    `supply_days`."""

    sku: str
    name: str
    price: int
    cost: int
    demand: float
    supply_days: float

    def stock_for(self, days: float, lines_a_day: float) -> int:
        """Units that last about so many days."""
        return max(2, round(self.demand * lines_a_day * 1.6 * days))


def products(seed: int) -> tuple[Product, ...]:
    """The catalogue of a seed: 400 products, of which few sell much and many sell little."""
    chance = Random(f"catalogue/{seed}")
    found = list(_products(chance))
    weights = [1 / (rank + 12) ** 0.8 for rank in range(len(found))]
    chance.shuffle(weights)
    total = sum(weights)
    return tuple(product._replace(demand=weight / total) for product, weight in zip(found, weights, strict=True))


def _products(chance: Random) -> Iterator[Product]:
    for category in CATEGORIES:
        number = 100
        for noun in category.nouns:
            base = category.price * chance.uniform(0.5, 1.8)
            for variant in category.variants:
                number += chance.randint(1, 9)
                price = max(150, round(base * chance.uniform(0.8, 1.25) / 50) * 50 - 5)
                name = f"{noun[0].upper()}{noun[1:]}, {variant}"
                # One product in twelve has a supplier who takes his time: that is what runs out.
                days = chance.uniform(4.0, 9.0) if chance.random() < 0.08 else chance.uniform(0.6, 2.5)
                yield Product(
                    f"{category.letters}-{number}", name, price, round(price * chance.uniform(0.4, 0.62)), 0.0, days
                )


def customer(chance: Random) -> dict[str, str]:
    """Somebody who buys."""
    number = chance.randrange(20_000)
    known = Random(f"customer/{number}")
    name = f"{known.choice(FIRST_NAMES)} {known.choice(LAST_NAMES)}"
    return {"id": f"C{10_000 + number}", "name": name, "country": known.choice(COUNTRIES)}
