"""Values for generated sentences: names from values.json, numbers with check digits computed here, on their own,
so that a mistake in the program's checks shows."""

import hashlib
import json
from pathlib import Path

LISTS = json.loads((Path(__file__).parent / "values.json").read_text())
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
DNI = "TRWAGMYFPDXBNJZSQVHLCKE"


def luhn_digit(digits):
    total = 0
    for i, c in enumerate(reversed(digits)):
        value = int(c) * (2 if i % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def parted(digits, sizes, by):
    out, at = [], 0
    for size in sizes:
        out.append(digits[at:at + size])
        at += size
    return by.join(out)


class Values:
    """One value of a kind at a time, in the manner of a language's country."""

    def __init__(self, random, language):
        self.r, self.lang, self.lists = random, language, LISTS[language]

    def digits(self, n, first="0123456789"):
        return self.r.choice(first) + "".join(self.r.choice("0123456789") for _ in range(n - 1))

    def of(self, alphabet, n):
        return "".join(self.r.choice(alphabet) for _ in range(n))

    def given(self):
        return self.r.choice(self.lists["given"])

    def surname(self):
        return self.r.choice(self.lists["surnames"])

    def city(self):
        return self.r.choice(self.lists["cities"])

    def person(self):
        forms = {"en": ["{g} {s}"] * 5 + ["{g} {i}. {s}", "{g} {s}-{t}", "{g}"], "de": ["{g} {s}"] * 4 + ["{g} von {s}", "{g}"],
                 "es": ["{g} {s}", "{g} {s} {t}", "{g} {s} {t}"], "nl": ["{g} {s}"] * 3 + ["{g} van der {s}", "{g}"]}
        form = self.r.choice(forms.get(self.lang, ["{g} {s}"] * 4 + ["{g}"]))
        return form.format(g=self.given(), s=self.surname(), t=self.surname(), i=self.r.choice(LETTERS))

    def titled(self):
        return self.r.choice([self.surname(), self.given() + " " + self.surname()])

    def organisation(self):
        forms = {"en": ["{s} Ltd", "{s} Inc.", "{s}, {t} and Sons", "{s} Group", "{s} & {t} LLC", "{s} Consulting", "{s} University", "{s} PLC", "Bank of {c}", "{s} Industries"],
                 "de": ["{s} GmbH", "{s} AG", "{s} & {t} KG", "{s} GmbH & Co. KG", "Universität {c}", "Sparkasse {c}"],
                 "fr": ["{s} SARL", "{s} SAS", "{s} et Fils SA", "Université de {c}", "Groupe {s}"],
                 "es": ["{s} S.L.", "{s} e Hijos S.A.", "Grupo {s}", "Universidad de {c}", "Banco {s}"],
                 "it": ["{s} S.p.A.", "{s} S.r.l.", "Gruppo {s}", "Banca di {c}", "{s} e Figli SNC"],
                 "nl": ["{s} B.V.", "{s} N.V.", "Stichting {s}", "{s} en Zonen BV", "Universiteit {c}"]}
        return self.r.choice(forms[self.lang]).format(s=self.surname(), t=self.surname(), c=self.city())

    def address(self):
        n, r = str(self.r.randint(1, 399)), self.r
        if self.lang == "en":
            street = f"{r.choice([self.surname(), self.given()])} {r.choice(['Street', 'St', 'Avenue', 'Ave.', 'Road', 'Lane', 'Drive', 'Court', 'Blvd', 'Place', 'Crescent', 'Way'])}"
            if r.random() < 0.4:
                street = r.choice(self.lists["streets"])
            unit = r.choice(["", "", "", f", Apt {r.randint(1, 90)}", f" Suite {r.randint(100, 900)}", f", Flat {r.randint(1, 30)}"])
            state = r.choice("CA NY TX FL IL WA OH GA MA CO AZ OR NC MI".split())
            uk = self.of("BLMNSE", 1) + str(r.randint(1, 19)) + " " + str(r.randint(1, 9)) + self.of("ABDEFGHJLNPQRSTUWXYZ", 2)
            return r.choice([f"{n} {street}{unit}, {self.city()}, {state} {self.digits(5)}", f"{n} {street}{unit}, {self.city()} {uk}",
                             f"{n} {street}{unit},\n{self.city()}, {state} {self.digits(5)}", f"{n} {street}{unit}", f"{n} {street}, {self.city()}",
                             f"PO Box {r.randint(10, 9999)}, {self.city()}, {state} {self.digits(5)}"])
        city, code = self.city(), self.digits(5, "123456789")
        if self.lang == "de":
            street = r.choice([self.surname() + "straße", self.surname() + "weg", self.city() + "er Straße", "Am " + self.surname() + "platz", r.choice(["Bahnhofstr.", "Gartenstr.", "Lindenallee", "Hauptstraße"])])
            return r.choice([f"{street} {n}, {code} {city}", f"{street} {n}", f"{street} {n}\n{code} {city}"])
        if self.lang == "fr":
            street = f"{r.choice(['rue', 'avenue', 'boulevard', 'place', 'impasse', 'chemin'])} {r.choice(['de la Paix', 'Victor Hugo', 'des ' + 'Lilas', 'du ' + self.surname(), self.given() + ' ' + self.surname()])}"
            return r.choice([f"{n} {street}, {code} {city}", f"{n}, {street}, {code} {city}", f"{n} {street}", f"{n} bis {street}\n{code} {city}"])
        if self.lang == "es":
            street = f"{r.choice(['Calle', 'Avenida', 'Plaza', 'Paseo', 'C/'])} {r.choice(['de ', ''])}{r.choice([self.surname(), self.given(), 'Mayor'])}"
            return r.choice([f"{street} {n}, {code} {city}", f"{street}, {n}, {code} {city}", f"{street} {n}, 3º B, {code} {city}", f"{street} {n}"])
        if self.lang == "it":
            street = f"{r.choice(['Via', 'Viale', 'Piazza', 'Corso'])} {r.choice([self.given() + ' ' + self.surname(), self.surname(), 'della Repubblica'])}"
            return r.choice([f"{street} {n}, {code} {city}", f"{street}, {n}, {code} {city}", f"{street} {n}"])
        street = self.surname().replace(" ", "") + r.choice(["straat", "laan", "weg", "plein", "gracht"])
        dutch = self.digits(4, "123456789") + " " + self.of("ABCDEGHJKLMNPRSTVWXZ", 2)
        return r.choice([f"{street} {n}, {dutch} {city}", f"{street} {n}", f"{street} {n}\n{dutch} {city}"])

    def email(self):
        local = (self.given() + self.r.choice([".", "_", ""]) + self.surname()).lower().encode("ascii", "ignore").decode().replace(" ", "").replace("'", "")
        return f"{local or 'info'}{self.r.choice(['', str(self.r.randint(1, 99))])}@{self.of('abcdefghiklmnoprstu', 6)}.{self.r.choice(['com', 'org', 'net', 'co.uk', 'io', 'example', 'de', 'eu'])}"

    def phone(self):
        area, rest = self.digits(3, "23456789"), self.digits(7, "23456789")
        forms = {"en": [f"({area}) {rest[:3]}-{rest[3:]}", f"{area}-{rest[:3]}-{rest[3:]}", f"+1 {area} {rest[:3]} {rest[3:]}", f"{area}.{rest[:3]}.{rest[3:]}",
                        f"+44 20 7{self.digits(3)} {self.digits(4)}", f"07700 9{self.digits(5)}", f"020 7{self.digits(3)} {self.digits(4)}", f"1-{area}-{rest[:3]}-{rest[3:]}"],
                 "de": [f"+49 30 {self.digits(7, '23456789')}", f"030 {self.digits(7, '23456789')}", f"0171 {self.digits(7)}", f"+49 (0)89 {self.digits(6, '23456789')}", f"0221/{self.digits(7, '23456789')}"],
                 "fr": [f"+33 6 {self.digits(2)} {self.digits(2)} {self.digits(2)} {self.digits(2)}", f"01 {self.digits(2, '4')} {self.digits(2)} {self.digits(2)} {self.digits(2)}", f"06.{self.digits(2)}.{self.digits(2)}.{self.digits(2)}.{self.digits(2)}"],
                 "es": [f"+34 6{self.digits(2)} {self.digits(3)} {self.digits(3)}", f"6{self.digits(2)} {self.digits(3)} {self.digits(3)}", f"91 {self.digits(3, '2345')} {self.digits(2)} {self.digits(2)}"],
                 "it": [f"+39 02 {self.digits(7, '234568')}", f"347 {self.digits(7)}", f"06 {self.digits(7, '234568')}"],
                 "nl": [f"+31 6 {self.digits(8, '12345')}", f"06-{self.digits(8, '12345')}", f"020-{self.digits(7, '23456')}"]}
        return self.r.choice(forms[self.lang])

    def card(self):
        prefix, size = self.r.choice([("4", 16), ("51", 16), ("37", 15), ("6011", 16)])
        digits = prefix + self.of("0123456789", size - 1 - len(prefix))
        digits += luhn_digit(digits)
        sizes = [4, 4, 4, 4] if size == 16 else [4, 6, 5]
        return self.r.choice([digits, parted(digits, sizes, " "), parted(digits, sizes, "-")])

    def iban(self):
        country, body = {"de": ("DE", self.digits(18)), "fr": ("FR", self.digits(23)), "es": ("ES", self.digits(20)), "it": ("IT", self.of(LETTERS, 1) + self.digits(22)),
                         "nl": ("NL", self.of(LETTERS, 4) + self.digits(10)), "en": ("GB", self.of(LETTERS, 4) + self.digits(14))}[self.lang]
        number = int("".join(str(int(c, 36)) for c in body + country + "00"))
        text = country + f"{98 - number % 97:02d}" + body
        return self.r.choice([text, " ".join(text[i:i + 4] for i in range(0, len(text), 4))])

    def bank_routing(self):
        while True:
            digits = self.r.choice(["02", "11", "12", "26", "31", "06"]) + self.of("0123456789", 6)
            total = sum(int(c) * w for c, w in zip(digits, [3, 7, 1, 3, 7, 1, 3, 7]))
            if digits[2:] != "000000":
                return digits + str(-total % 10)

    def national_id(self):
        if self.lang == "en":
            ssn = f"{self.r.randint(100, 665)}-{self.r.randint(10, 99)}-{self.r.randint(1000, 9999)}"
            nino = self.of("ABCEHJKLMPRSTWXY", 1) + self.of("ABCEHJKLMPRSTWXY", 1) + " " + " ".join(self.digits(2) for _ in range(3)) + " " + self.of("ABCD", 1)
            return self.r.choice([ssn, ssn, nino, nino.replace(" ", "")])
        if self.lang == "de":
            body = f"{self.r.randint(10, 79)}{self.r.randint(10, 28)}{self.r.randint(1, 12):02d}{self.r.randint(50, 99)}{self.r.choice(LETTERS)}{self.r.randint(10, 99)}"
            values = body[:8] + f"{LETTERS.index(body[8]) + 1:02d}" + body[9:]
            total = sum(sum(divmod(int(c) * w, 10)) for c, w in zip(values, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]))
            return body + str(total % 10)
        if self.lang == "fr":
            body = self.r.choice("12") + f"{self.r.randint(40, 99)}{self.r.randint(1, 12):02d}{self.r.randint(1, 95):02d}{self.digits(3)}{self.digits(3)}"
            text = body + f"{97 - int(body) % 97:02d}"
            return self.r.choice([text, parted(text, [1, 2, 2, 2, 3, 3, 2], " ")])
        if self.lang == "es":
            number = self.r.randint(1_000_000, 99_999_999)
            return self.r.choice([f"{number:08d}{DNI[number % 23]}", f"{number:08d}-{DNI[number % 23]}"])
        if self.lang == "it":
            return self.of(LETTERS, 2) + self.digits(5) + self.of(LETTERS, 2)
        while True:
            digits = self.digits(8, "123456789")
            check = sum(int(c) * w for c, w in zip(digits, range(9, 1, -1))) % 11
            if check < 10:
                return digits + str(check)

    def tax_id(self):
        if self.lang == "it":
            return self.codice_fiscale()
        if self.lang == "de":
            return self.steuer_id()
        if self.lang == "es":
            return self.r.choice("XYZ") and self.nie()
        if self.lang == "fr":
            body = "0" + self.digits(9) if self.r.random() < .5 else "1" + self.digits(9)
            return body + f"{int(body) % 511:03d}"
        if self.lang == "nl":
            return f"NL{self.digits(9)}B{self.digits(2)}"
        return self.r.choice([f"9{self.digits(2)}-{self.r.randint(70, 88)}-{self.digits(4)}", f"{self.r.choice([12, 27, 45, 81])}-{self.digits(7)}"])

    def nie(self):
        letter, digits = self.r.choice("XYZ"), self.digits(7)
        return letter + digits + DNI[int(str("XYZ".index(letter)) + digits) % 23]

    def steuer_id(self):
        order = list("1234567890")
        self.r.shuffle(order)
        if order[0] == "0":
            order.reverse()
        order[9] = order[self.r.randint(0, 7)]
        product = 10
        for c in order:
            total = (int(c) + product) % 10 or 10
            product = total * 2 % 11
        text = "".join(order) + str((11 - product) % 10)
        return self.r.choice([text, parted(text, [2, 3, 3, 3], " ")])

    def codice_fiscale(self):
        odd = dict(zip("0123456789", [1, 0, 5, 7, 9, 13, 15, 17, 19, 21]))
        odd.update(zip(LETTERS, [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23]))
        body = self.of("BCDFGLMNPRSTVZ", 6) + self.digits(2) + self.r.choice("ABCDEHLMPRST") + f"{self.r.randint(1, 28):02d}" + self.r.choice("ABCDEFGHL") + self.digits(3)
        total = sum(odd[c] if i % 2 == 0 else (int(c) if c.isdigit() else LETTERS.index(c)) for i, c in enumerate(body))
        return body + LETTERS[total % 26]

    def passport(self):
        return self.r.choice([self.digits(9), self.of("CFGHJK", 1) + self.digits(8), self.of(LETTERS, 2) + self.digits(7)])

    def driving_licence(self):
        return self.r.choice([self.of(LETTERS, 1) + self.digits(7), self.of(LETTERS, 1) + self.digits(12), self.digits(9), self.of(LETTERS, 2) + self.digits(6)])

    def medical_record(self):
        return self.r.choice([self.digits(8), self.digits(7), self.of(LETTERS, 1) + self.digits(6), f"{self.digits(3)}-{self.digits(2)}-{self.digits(4)}", "MRN" + self.digits(7)])

    def insurance(self):
        return self.r.choice([self.of(LETTERS, 3) + self.digits(9), self.digits(10), self.of(LETTERS, 2) + "-" + self.digits(7), self.of(LETTERS, 1) + self.digits(9)])

    def birth_date(self):
        d, m, y = self.r.randint(1, 28), self.r.randint(1, 12), self.r.randint(1935, 2010)
        months = {"en": "January February March April May June July August September October November December", "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
                  "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre", "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
                  "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre", "nl": "januari februari maart april mei juni juli augustus september oktober november december"}
        name = months[self.lang].split()[m - 1]
        named = {"en": f"{name} {d}, {y}", "de": f"{d}. {name} {y}", "es": f"{d} de {name} de {y}"}.get(self.lang, f"{d} {name} {y}")
        return self.r.choice([named, f"{d:02d}/{m:02d}/{y}", f"{d:02d}.{m:02d}.{y}", f"{y}-{m:02d}-{d:02d}"])

    def ip(self):
        v6 = ":".join(self.of("0123456789abcdef", 4) for _ in range(8))
        return self.r.choice([f"{self.r.randint(11, 223)}.{self.r.randint(0, 255)}.{self.r.randint(0, 255)}.{self.r.randint(1, 254)}"] * 3 + [v6, "2001:db8::" + self.of("0123456789abcdef", 4)])

    def mac(self):
        return self.r.choice(":-").join(self.of("0123456789ABCDEF", 2) for _ in range(6))

    def coordinates(self):
        return f"{self.r.uniform(-89, 89):.5f}, {self.r.uniform(-179, 179):.5f}"

    def url_credentials(self):
        return f"{self.of('abcdefghij', 5)}:{self.of(ALNUM, 10)}"

    def crypto_address(self):
        payload = bytes([0]) + self.r.randbytes(20)
        payload += hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
        number, text = int.from_bytes(payload, "big"), ""
        while number:
            number, rest = divmod(number, 58)
            text = BASE58[rest] + text
        return self.r.choice(["1" * (len(payload) - len(payload.lstrip(b"\0"))) + text, "0x" + self.of("0123456789abcdef", 40)])

    def api_key(self):
        return self.r.choice(["AKIA" + self.of(LETTERS + "234567", 16), "ghp_" + self.of(ALNUM, 36), "sk_live_" + self.of(ALNUM, 24), "AIza" + self.of(ALNUM + "_-", 35),
                              "xoxb-" + self.digits(12) + "-" + self.of(ALNUM, 24), "glpat-" + self.of(ALNUM, 20), "npm_" + self.of(ALNUM, 36), "hf_" + self.of(ALNUM[:52], 34)])

    def private_key(self):
        lines = "\n".join(self.of(ALNUM + "+/", 64) for _ in range(3))
        return f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"
