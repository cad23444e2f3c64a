"""Long conversations made from templates of our own: early on somebody says something that the last
question asks for, in other words. In between there is talk about other things, and some about the
same things that does not answer it. The same ones each time."""

from __future__ import annotations

import dataclasses
import random

# What is said early, the question at the end, and talk of the same things that is no answer.
# {n}, {p}, {c}, {w} are a number, a person, a city and a weekday.
FACTS = {
    "en": [
        ("The code for the warehouse gate is {n}, please remember it.", "Which code opens the gate of the warehouse?",
         ["The gate at the car park was painted last {w}.", "Is the warehouse open on {w}?"]),
        ("{p} is allergic to peanuts, so no desserts with nuts for her.", "What allergies does {p} have?",
         ["{p} liked the restaurant in {c}.", "Are peanuts cheaper this month?"]),
        ("Our budget for the kitchen renovation is {n} euros in total.", "How much may the renovation of the kitchen cost?",
         ["The kitchen window was cleaned on {w}.", "What does a new oven weigh?"]),
        ("My booking reference for the flight to {c} is QX{n}.", "What was the reference of my flight booking?",
         ["Was the flight to {c} late on {w}?", "I lost a reference book on the train."]),
        ("The database password rotates every {n} hours; {p} owns that job.", "Who owns the job that rotates the password?",
         ["{p} has a new job since {w}.", "The database was upgraded on {w}."]),
        ("We agreed with {p} that the delivery arrives on {w} at the back entrance.", "To which entrance does the delivery come?",
         ["The front entrance is closed on {w}.", "A delivery to {c} takes {n} hours."]),
        ("The serial number of my dishwasher is DW-{n}, bought in {c}.", "Please repeat the serial number of the dishwasher.",
         ["The dishwasher is loud on {w}.", "A number of people in {c} asked about it."]),
        ("For the record: the patient takes {n} milligrams of the blue tablets in the morning.",
         "How many milligrams does the patient take in the morning?",
         ["The patient slept well on {w} morning.", "The tablets are made in {c}."]),
        ("{p} will chair the steering committee from {w} on.", "Who chairs the steering committee?",
         ["The committee met in {c}.", "A chair in the office of {p} is broken."]),
        ("The old contract with the landlord ends after {n} days, he told me on {w}.",
         "When does the contract with the landlord end?",
         ["The landlord lives in {c}.", "A contract of {n} pages is too long."]),
        ("Invoices go to accounting-{n}@example.com and nowhere else.", "What is the address for invoices?",
         ["The last invoices were late on {w}.", "{p} has a new address in {c}."]),
        ("The meeting room for the workshop is called Heron, on floor {n}.", "On which floor is the room of the workshop?",
         ["The workshop in {c} was fun.", "My room has a view of {c}."]),
        ("In the greenhouse the temperature must never fall below {n} degrees.",
         "What is the lowest temperature allowed in the greenhouse?",
         ["The greenhouse in {c} has {n} panes.", "The temperature on {w} was pleasant."]),
        ("{p} speaks Norwegian at home and prefers to be called in the evening.",
         "Which language does {p} speak at home?",
         ["{p} was not at home on {w}.", "Which language is spoken in {c}?"]),
        ("The spare key of the cabin hangs behind the {n}th plank of the shed.", "Where is the spare key for the cabin?",
         ["The cabin near {c} is cold on {w}.", "A spare tyre costs {n} euros."]),
        ("Our release branch is frozen until {w}; only {p} may approve changes.",
         "Who may approve changes on the release branch?",
         ["The release notes are {n} lines long.", "A branch fell from the tree on {w}."]),
        ("The violin lesson was moved to {w} because {p} is in {c}.", "To which day was the violin lesson moved?",
         ["The violin needs new strings for {n} euros.", "A lesson takes {n} minutes."]),
        ("Our insurance policy covers water damage up to {n} thousand euros.",
         "Up to which amount does the insurance cover water damage?",
         ["The insurance office in {c} is closed on {w}.", "The water in {c} is very soft."]),
        ("The telescope's mirror has a diameter of {n} millimetres.", "What diameter does the mirror of the telescope have?",
         ["The telescope was shipped to {c}.", "The mirror in the hall is dusty since {w}."]),
        ("{p} asked that nobody mentions the surprise party in {c} before {w}.",
         "Who asked us not to mention the party?",
         ["The party last {w} was loud.", "There is a party in {c} every {n} days."]),
    ],
    "de": [
        ("Der Code für das Lagertor lautet {n}, bitte merken.", "Mit welchem Code geht das Lagertor auf?",
         ["Das Tor am Parkplatz wurde am {w} gestrichen.", "Ist das Lager am {w} offen?"]),
        ("Die Rechnungen schickt {p} immer an die Buchhaltung in {c}.", "Wohin schickt {p} die Rechnung?",
         ["Die Buchhaltung war am {w} geschlossen.", "{p} war gestern in {c}."]),
    ],
    "fr": [
        ("Le code du portail de l'entrepôt est {n}, merci de le retenir.", "Quel est le code du portail de l'entrepôt ?",
         ["Le portail du parking a été repeint {w}.", "L'entrepôt est-il ouvert {w} ?"]),
        ("{p} est allergique aux noix, donc pas de gâteau aux noix.", "Quelle allergie a {p} ?",
         ["{p} a aimé le restaurant à {c}.", "Les noix sont-elles moins chères ?"]),
    ],
    "es": [
        ("El código de la puerta del almacén es {n}.", "¿Cuál es el código de la puerta del almacén?",
         ["Pintaron la puerta del garaje el {w}.", "¿Abre el almacén el {w}?"]),
        ("El presupuesto para la reforma de la cocina es de {n} euros.", "¿Cuál era el presupuesto de la reforma?",
         ["Limpiaron la cocina el {w}.", "¿Cuánto pesa un horno?"]),
    ],
    "it": [
        ("Il codice del cancello del magazzino è {n}.", "Qual è il codice del cancello del magazzino?",
         ["Il cancello del parcheggio è stato dipinto {w}.", "Il magazzino è aperto {w}?"]),
        ("La lezione di violino è spostata a {w}, perché {p} è a {c}.", "A quale giorno è spostata la lezione di violino?",
         ["Il violino ha bisogno di corde nuove.", "Una lezione dura {n} minuti."]),
    ],
    "nl": [
        ("De code van de poort van het magazijn is {n}.", "Welke code heeft de poort van het magazijn?",
         ["De poort bij de parkeerplaats is {w} geverfd.", "Is het magazijn {w} open?"]),
        ("De reservesleutel van de hut hangt achter plank {n} van de schuur.", "Waar hangt de reservesleutel van de hut?",
         ["De hut bij {c} is koud.", "Een reserveband kost {n} euro."]),
    ],
}
PEOPLE = ["Ingrid", "Tomasz", "Akemi", "Farid", "Lucía", "Bram", "Chiara", "Noah", "Zeynep", "Oluwaseun"]
CITIES = ["Bergen", "Gdańsk", "Porto", "Graz", "Utrecht", "Lyon", "Bologna", "Cork", "Tartu", "Malmö"]
DAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
    "de": ["Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"],
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi"],
    "es": ["lunes", "martes", "miércoles", "jueves", "viernes"],
    "it": ["lunedì", "martedì", "mercoledì", "giovedì", "venerdì"],
    "nl": ["maandag", "dinsdag", "woensdag", "donderdag", "vrijdag"],
}
ASKED = [
    "Can you explain how {a} differs from {b}?", "What should I know about {a} before {w}?",
    "Give me three tips about {a}, please.", "Which of {a} and {b} would you choose in {c}, and why?",
    "Is it true that {a} was invented in {c}?", "How does {p} get better at {a}?",
    "What is the best time of the year for {a}?", "Write two sentences about {a} for a newsletter.",
    "Why do so many people in {c} talk about {b}?", "Who could I ask about {a}?",
    "Translate a proverb about {b} for {p}.", "How much time does {a} take in a usual week?",
]
TOPICS = [
    "sourdough baking", "trail running", "garden ponds", "jazz piano", "bee keeping", "chess openings", "bicycle repair",
    "watercolour", "sailing knots", "stargazing", "wood carving", "cheese making", "bird watching", "origami",
    "mushroom hunting", "pottery glazes", "long-distance trains", "spreadsheet formulas", "unit tests", "soap making",
    "city maps", "old radios", "knitting patterns", "rock climbing", "tea ceremonies", "photo archives"]
ANSWERED = [
    "{A} rewards patience more than talent.", "Most people begin with {b} and come to {a} later.",
    "In {c} there is a club that meets every {w}.", "A good book costs about {n} euros.",
    "The usual mistake is to hurry.", "Start small, and write down what you have tried.",
    "I would not compare it with {b}, though many do.", "{p} once gave a talk about it that is worth hearing.",
    "There is no single answer, but a few habits help.", "It depends on the season and on the light.",
    "If the weather allows it, do it outdoors.", "Ask for a short introduction before you buy anything.",
    "After about {n} hours you will notice a difference.", "Keep the tools clean and dry.",
    "Some say that {a} began in {c}, but nobody knows for certain.",
]


@dataclasses.dataclass
class Conversation:
    language: str
    messages: list[dict]
    fact: str
    fact_at: int
    tools: bool


def fill(template: str, random_: random.Random, **fixed) -> str:
    a, b = random_.sample(TOPICS, 2)
    values = {"n": random_.randint(12, 98765), "p": random_.choice(PEOPLE), "c": random_.choice(CITIES),
              "a": a, "b": b, "A": a.capitalize(), "w": random_.choice(DAYS["en"]), **fixed}
    return template.format(**values)


def small_talk(random_: random.Random) -> list[dict]:
    a, b = random_.sample(TOPICS, 2)
    fixed = {"a": a, "b": b, "A": a.capitalize()}
    answer = " ".join(fill(one, random_, **fixed) for one in random_.sample(ANSWERED, random_.randint(3, 7)))
    return [{"role": "user", "content": fill(random_.choice(ASKED), random_, **fixed)},
            {"role": "assistant", "content": answer}]


def looked_up(number: int, said: str, random_: random.Random) -> list[dict]:
    """A round in which a tool told it."""
    call = {"id": f"call_{number}", "type": "function", "function": {"name": "notes", "arguments": "{}"}}
    return [{"role": "user", "content": "Please look into our notes."},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": f"call_{number}", "content": said},
            {"role": "assistant", "content": fill("I have read it. {A} can wait until {w}.", random_)}]


def conversation(number: int, language: str, template: tuple, random_: random.Random) -> Conversation:
    said, question, others = template
    fixed = {"n": random_.randint(1000, 9999), "p": random_.choice(PEOPLE), "c": random_.choice(CITIES),
             "w": random_.choice(DAYS[language])}
    fact = said.format(**fixed)
    tools = number % 4 == 3
    rounds = [small_talk(random_) for _ in range(random_.randint(22, 40))]
    for other in others:
        text = fill(other, random_, w=random_.choice(DAYS[language]),
                    p=fixed["p"] if random_.random() < 0.5 else random_.choice(PEOPLE))
        place = random_.randint(len(rounds) // 4, len(rounds) - 3)
        rounds.insert(place, [{"role": "user", "content": text}, small_talk(random_)[1]])
    early = random_.randint(0, len(rounds) // 6)
    rounds.insert(early, looked_up(number, fact, random_) if tools else
                  [{"role": "user", "content": fact}, {"role": "assistant", "content": "Thanks, I will remember that."}])
    messages = [{"role": "system", "content": "You are a patient assistant who answers briefly."}]
    messages += [message for one in rounds for message in one]
    fact_at = next(i for i, message in enumerate(messages) if message["content"] == fact)
    messages.append({"role": "user", "content": question.format(**fixed)})
    return Conversation(language, messages, fact, fact_at, tools)


def conversations() -> list[Conversation]:
    random_ = random.Random(20261126)
    templates = [(language, one) for language, some in FACTS.items() for one in some]
    return [conversation(i, *templates[i % len(templates)], random_) for i in range(4 * len(templates))]


def tokens(messages: list[dict]) -> int:
    """As the gateway estimates them for a target of which it knows nothing yet."""
    size = 0
    for message in messages:
        size += -(-len((message["content"] or "").encode()) // 4) + 4
        for call in message.get("tool_calls", []):
            size += -(-len(call["function"]["arguments"]) // 4)
    return size


def last_that_fit(messages: list[dict], budget: int) -> list[dict]:
    """What is usually done: as many of the last messages as the budget allows."""
    kept: list[dict] = []
    for message in reversed(messages[1:]):
        if tokens([messages[0], message, *kept]) > budget:
            break
        kept.insert(0, message)
    return [messages[0], *kept]
