// Rules with code of their own, and the words that rules share.
#include "features/privacy/pii/rule.h"

namespace causeway::pii {
namespace {

constexpr OtherRule kOthers[] = {
    {"email", Kind::Email, "local part, @, a domain with a letter in its last label", "",
     "https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1"},
    {"phone.international", Kind::Phone,
     "\"+\" or \"00\" and a country code, valid or possible by libphonenumber", "@phone",
     "https://www.itu.int/rec/T-REC-E.164"},
    {"phone.national", Kind::Phone,
     "valid by libphonenumber in one of the countries set, and written as one or with a word "
     "nearby",
     "@phone", "https://github.com/google/libphonenumber"},
    {"phone.shape", Kind::Phone,
     "written as North Americans write phone numbers, surer where area and exchange begin with 2 "
     "to 9; or any number that is called one",
     "@phone", "https://nanpa.com/"},
    {"ip.v4", Kind::Ip, "four numbers up to 255; not where a version is spoken of", "@ip",
     "https://www.rfc-editor.org/rfc/rfc791"},
    {"ip.v6", Kind::Ip, "eight groups, or fewer with \"::\"", "@ip",
     "https://www.rfc-editor.org/rfc/rfc4291#section-2.2"},
    {"mac", Kind::Mac,
     "six or eight pairs of hex digits parted by \":\" or \"-\", or three groups of four by \".\"",
     "mac|mac address|hardware address|bssid|ethernet",
     "https://standards.ieee.org/products-programs/regauth/"},
    {"coordinates.decimal", Kind::Coordinates, "latitude and longitude with four or more decimals",
     "@place", "https://www.iso.org/standard/75147.html"},
    {"coordinates.degrees", Kind::Coordinates, "degrees, minutes and seconds with N, S, E, W",
     "@place", "https://www.iso.org/standard/75147.html"},
    {"coin.base58", Kind::CryptoAddress,
     "Bitcoin, Litecoin, Dogecoin, Dash, Tron, Ripple: Base58Check", "@coin",
     "https://en.bitcoin.it/wiki/Base58Check_encoding"},
    {"birth_date", Kind::BirthDate, "a date next to a word of birth", "@born",
     "https://www.iso.org/standard/70907.html"},
    {"birth_date.since", Kind::BirthDate,
     "a date of 1900 to 2011 right behind \"since\": of birth, of a wedding, of an illness",
     "@since",
     "https://www.hhs.gov/hipaa/for-professionals/special-topics/de-identification/index.html"},
    {"person.full", Kind::Person, "a given name of the list and a surname", "@person",
     "lists/README.md"},
    {"person.given", Kind::Person,
     "a given name of the list by itself, if it is no common word or place", "@person",
     "lists/README.md"},
    {"person.titled", Kind::Person, "a title and a name: Dr., Mrs., Herr, Mme, Sig., …", "@person",
     "written for this program"},
    {"person.labelled", Kind::Person,
     "words that begin with capitals behind \"name is\", \"patient\", \"signed\", …", "@person",
     "written for this program"},
    {"person.initials", Kind::Person, "initials and a surname of the list", "@person",
     "lists/README.md"},
    {"person.surname_first", Kind::Person, "\"Surname, Given name\" of the lists", "@person",
     "lists/README.md"},
    {"organisation.suffix", Kind::Organisation,
     "words that begin with capitals and a legal form: Ltd, GmbH, S.A., …", "@company",
     "written for this program"},
    {"organisation.kind", Kind::Organisation,
     "words that begin with capitals and what it is: bank, university, hospital, …", "@company",
     "written for this program"},
    {"organisation.known", Kind::Organisation, "names of large organisations", "@company",
     "lists/README.md"},
    {"address.en", Kind::Address,
     "number, street with its type, and what follows: flat, city, state, postcode", "@address",
     "https://pe.usps.com/text/pub28/"},
    {"address.de", Kind::Address,
     "street (-straße, -weg, -platz, …) and number, postcode, city; also Dutch", "@address",
     "https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions"},
    {"address.fr", Kind::Address, "number, rue (avenue, place, …) and name, postcode, city",
     "@address",
     "https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions"},
    {"address.south", Kind::Address, "calle, via, rua and name, number, postcode, city", "@address",
     "https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions"},
    {"address.box", Kind::Address,
     "PO box, Postfach, apartado, casella postale, postbus and number", "@address",
     "https://pe.usps.com/text/pub28/"},
    {"address.postcode", Kind::Address,
     "a postcode of the UK, Canada or the Netherlands; a postcode with a city of the list",
     "@address",
     "https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions"},
    {"own", Kind::Custom, "words and patterns of one's own", "", "the configuration"},
};

constexpr WordGroup kGroups[] = {
    {"card",
     "card|credit card|debit "
     "card|visa|mastercard|amex|cc|pan|kreditkarte|karte|carte|tarjeta|carta|creditcard|kaart|cvv|"
     "expiry|expires"},
    {"account",
     "account|account number|acct|a/c|bank "
     "account|kontonummer|konto|compte|cuenta|conto|rekening|rekeningnummer|account "
     "no|bank|checking|savings"},
    {"routing", "routing number|routing|transit number|rtn"},
    {"vat", "vat|vat number|vat no|tva|iva|mwst|btw|ust|umsatzsteuer|tax"},
    {"tax",
     "tax id|tax number|tax no|tin|taxpayer|tax identification|steuernummer|steuer|numero "
     "fiscal|fiscal|nif|tax file|belastingnummer|codice fiscale|impot|hacienda|tax"},
    {"national",
     "national id|national identification|identity number|id number|identity card|id "
     "card|citizen|ssn|social security|personal number|personal id|ausweis|personalausweis|carte "
     "d'identite|identidad|identita|identiteitskaart|national number|insee"},
    {"national_number",
     "national id|national identification number|identity number|id number|identity card|id card "
     "number|national identity|identification number|personal id|national "
     "number|identificacion|numero di identita|identiteitsnummer|social security|social "
     "insurance|ssn"},
    {"passport",
     "passport|passport number|passport "
     "no|reisepass|reisepassnummer|passnummer|pass-nr|passeport|pasaporte|passaporto|paspoort|"
     "paspoortnummer|passaporte|paszport|passports"},
    {"licence",
     "driving licence|driver's license|drivers license|driver license|driver's licence|drivers "
     "licence|driver licence|driving license|license number|licence number|license no|licence "
     "no|dl|dl#|dl number|license|licence|fuhrerschein|fuhrerscheinnummer|permis de "
     "conduire|permis|carnet de conducir|permiso de conducir|patente|patente di "
     "guida|rijbewijs|rijbewijsnummer|driver's licence number|carnet"},
    {"mrn",
     "mrn|medical record|medical record number|medical record no|record number|patient id|patient "
     "number|patient no|chart number|chart|hospital number|health "
     "record|patientennummer|patienten-id|fallnummer|krankenakte|aktenzeichen|dossier "
     "medical|numero de dossier|numero patient|historia clinica|numero de historia|numero de "
     "paciente|cartella clinica|numero paziente|patientnummer|dossiernummer|medisch "
     "dossier|mr#|mrn#|encounter|dossier|medical rec|unit number|accession|specimen"},
    {"insurance",
     "insurance|policy number|policy no|member id|member number|subscriber id|subscriber|group "
     "number|policy|health plan|insurance id|insurance "
     "number|medicaid|medicare|beneficiary|versicherungsnummer|versichertennummer|police|"
     "policennummer|krankenkasse|numero "
     "d'assure|assurance|mutuelle|poliza|seguro|polizza|assicurazione|polis|polisnummer|"
     "verzekering|verzekeringsnummer|insured|claim|claim number|coverage"},
    {"phone",
     "phone|telephone|tel|mobile|cell|cellphone|fax|call|call me|whatsapp|text me|sms|phone "
     "number|contact "
     "number|reach|dial|ring|hotline|telefon|telefonnummer|handy|mobil|rufnummer|anrufen|"
     "erreichbar|telephone|portable|appelez|appeler|joindre|telefono|movil|llame|llamar|llamame|"
     "cellulare|chiamare|chiami|chiamami|telefoonnummer|mobiel|bel|bellen|telefoon|telefone|ph|"
     "voicemail|callback|caller|llamarme|chiamarmi|bereiken|erreichen|unter|marque|llama|chiamate|"
     "numero de telefono|numero di telefono|numero de telephone"},
    {"born",
     "born|date of birth|dob|d.o.b|d.o.b.|birth "
     "date|birthdate|birthday|bday|birth|geboren|geburtsdatum|geburtstag|geb|geb.|ne le|nee "
     "le|date de naissance|naissance|nacido|nacida|fecha de "
     "nacimiento|nacimiento|nacio|nato|nata|data di nascita|nascita|geboortedatum|geboren "
     "op|verjaardag|cumpleanos|anniversaire|compleanno|data de "
     "nascimento|nascido|nascida|geboorte"},
    {"since", "since|since the|seit|seit dem|depuis|depuis le|desde|desde el|dal|sinds"},
    {"ip",
     "ip|ip address|address|host|server|client|from|remote|addr|subnet|gateway|dns|ipv4|ipv6"},
    {"place",
     "lat|latitude|lon|long|lng|longitude|gps|coordinates|coords|location|located|position|"
     "koordinaten|standort|breitengrad|coordonnees|coordenadas|ubicacion|coordinate|posizione|"
     "coordinaten|locatie|geo|pin|meet"},
    {"coin",
     "bitcoin|btc|ethereum|eth|wallet|crypto|usdt|usdc|litecoin|ltc|dogecoin|doge|solana|sol|"
     "ripple|xrp|tron|trx|monero|xmr|coin|send to|deposit|blockchain"},
    {"person",
     "name|my name is|i am|i'm|this "
     "is|called|patient|customer|client|employee|contact|mr|mrs|ms|dr|signed|regards|dear|hi|hello|"
     "sincerely|manager|doctor|nurse|attorney|from|author|herr|frau|name ist|ich bin|je "
     "m'appelle|je suis|me llamo|soy|mi chiamo|sono|mijn naam is|ik "
     "ben|heisse|nombre|nom|nome|naam|paciente|paziente|kunde|kundin|client|cliente|klant|monsieur|"
     "madame|senor|senora|signor|signora|meneer|mevrouw|spoke|met|asked|told|colleague|cc|attn|"
     "applicant|tenant|beneficiary|witness|husband|wife|brother|sister|mother|father|son|daughter|"
     "friend"},
    {"company",
     "company|employer|works at|work at|working at|firm|corporation|employed|joined|firma|arbeitet "
     "bei|entreprise|travaille|empresa|trabaja|azienda|lavora|bedrijf|werkt "
     "bij|vendor|supplier|client|bank|invoice|contract|partner|ceo"},
    {"address",
     "address|live|lives|living|located|ship|shipping|deliver|delivery|street|home|house|residence|"
     "resides|wohnt|wohnhaft|adresse|anschrift|lieferung|habite|domicile|livraison|vive|direccion|"
     "domicilio|envio|abita|indirizzo|residente|spedire|woont|adres|bezorgen|mail to|send "
     "to|billing|moved|postcode|zip"},
    {"version",
     "version|versions|ver|release|released|build|firmware|upgrade|upgraded|update|updated|"
     "section|chapter|sdk|rfc|driver|kernel|oid|chrome|changelog|revision|package|library"},
};

}  // namespace

std::span<const OtherRule> other_rules() { return kOthers; }
std::span<const WordGroup> word_groups() { return kGroups; }

namespace {

template <class Rule>
std::vector<Rule> joined(std::initializer_list<std::span<const Rule>> tables) {
  std::vector<Rule> all;
  for (const auto& table : tables) all.insert(all.end(), table.begin(), table.end());
  return all;
}

}  // namespace

std::vector<NumberRule> number_rules() {
  return joined({financial_numbers(), european_numbers(), world_numbers(), document_numbers(),
                 health_numbers()});
}

std::vector<PatternRule> pattern_rules() {
  return joined({secret_patterns(), service_patterns(), coin_patterns(), labelled_patterns()});
}

}  // namespace causeway::pii
