// Written for this project, under its licence.
#include "platform/similar/words.h"

namespace causeway::similar {

const std::string_view kUnits = R"(
eur euro euros €
usd dollar dollars $
gbp pound pounds £
jpy yen ¥
chf franken francs
km kilometre kilometres kilometer kilometers
mi mile miles meile meilen milles millas
m metre metres meter meters
ft foot feet
inch inches
cm centimetre centimeter centimetres centimeters
kg kilo kilos kilogram kilograms
g gram grams gramm
oz ounce ounces
lb lbs
mg milligram milligrams
l litre litres liter liters
ml millilitre milliliter
gal gallon gallons
kb kilobyte
mb megabyte megabytes
gb gigabyte gigabytes
tb terabyte terabytes
celsius
fahrenheit
kelvin
bags bag
second seconds sekunde sekunden
minute minutes minuten
hour hours stunde stunden heure heures hora horas
)";

const std::string_view kPeople = R"(
manager boss supervisor chef
admin administrator admins
wife husband spouse partner frau mann
neighbour neighbor neighbours neighbors
employer
employee employees
colleague colleagues coworker coworkers kollege kollegen
friend friends freund freunde amis amigos
child children kid kids
son daughter
mother father parents
teacher teachers
student students pupil pupils
customer customers
dog dogs
cat cats
tenant tenants
landlord landlords
doctor
)";

const std::string_view kTimes = R"(
today heute aujourd'hui hoy oggi vandaag
tonight
tomorrow morgen demain mañana domani
yesterday gestern hier ayer ieri gisteren
monday mondays montag lundi lunes
tuesday tuesdays dienstag mardi martes
wednesday wednesdays mittwoch mercredi miércoles
thursday thursdays donnerstag jeudi jueves
friday fridays freitag vendredi viernes
saturday saturdays samstag samedi sábado
sunday sundays sonntag dimanche domingo
january januar janvier enero
february februar février febrero
april avril abril
june juni juin junio
july juli juillet julio
august août agosto
september septembre septiembre
october oktober octobre octubre
november
december dezember décembre diciembre
summer sommer été verano
winter hiver invierno
weekend weekends wochenende
)";

const std::string_view kNumbers = R"(
2 two zwei deux dos due twee
3 three drei trois tres tre drie
4 four vier quatre cuatro
5 five fünf cinq cinco vijf
6 six sechs seis zes
7 seven sieben sept siete zeven
8 eight acht huit ocho
9 nine neun neuf nueve
10 ten zehn dix diez
11 eleven elf onze once
12 twelve zwölf douze doce twaalf
13 thirteen
14 fourteen
15 fifteen fünfzehn quinze quince
16 sixteen
17 seventeen
18 eighteen
19 nineteen
20 twenty zwanzig vingt veinte
30 thirty dreißig trente treinta
40 forty vierzig quarante cuarenta
50 fifty fünfzig cinquante cincuenta
60 sixty
70 seventy
80 eighty
90 ninety
100 hundred hundert cent cien
1000 thousand tausend mille mil
1000000 million
)";

const std::string_view kNegations =
    "not no never without unless except cannot nothing none nobody nowhere neither nor lacking "
    "excluding "
    "cant dont doesnt isnt wont "
    "nicht kein keine keinen keinem keiner ohne nie niemals außer weder "
    "pas jamais sans sauf aucun aucune ni "
    "sin nunca jamás excepto ningún ninguna "
    "non senza mai nessun nessuna "
    "niet geen zonder nooit";
const std::string_view kOnly =
    "only solely exclusively nur lediglich seul seuls seulement uniquement solo sólo solamente "
    "alleen slechts";
const std::string_view kMay =
    "can may able possible allowed could kann darf können dürfen peut puis puedo puede posible";
const std::string_view kMust =
    "must need have required obliged necessary mandatory muss müssen verpflichtet dois doit debo "
    "debe";
const std::string_view kShould = "should ought sollte soll devrais debería";

const std::string_view kNames =
    "python java javascript typescript rust kotlin swift perl ruby php scala haskell sql html css "
    "c++ c# golang "
    "bash powershell docker kubernetes git linux ubuntu debian windows macos ios android excel "
    "word outlook teams "
    "slack zoom paypal klarna visa mastercard amazon netflix google apple iphone samsung "
    "postgresql postgres mysql "
    "sqlite oracle redis mongodb kafka json yaml xml csv toml pdf docx xlsx png jpg flexbox grid "
    "grep sed awk tar gpg "
    "quicksort mergesort germany france spain italy poland norway sweden switzerland austria "
    "australia japan china "
    "india iceland ireland kenya vietnam egypt mexico canada brazil london paris rome berlin "
    "munich hamburg vienna "
    "prague madrid lisbon oslo athens oxford mars venus earth french german spanish english "
    "italian dutch";

const std::array<std::string_view, 6> kFunctionWords = {
    "a an the i me my mine you your he she it its we us our they them their is are was were be "
    "been being am do does "
    "did done doing have has had will would shall should can could may might must of in on at to "
    "for from by with "
    "about into onto as if or and but so than then that this these those there here how what when "
    "where who whom "
    "whose which why please tell want need like d'd i'd ll ve re get way possible able much many "
    "just some any "
    "happen happens when's what's really still ok okay hi hello thanks thank work works let know "
    "find help could whats "
    "also too now yet out up off one",
    "der die das den dem des ein eine einen einem einer ich du er sie es wir ihr mich mir mein "
    "meine meinen meinem "
    "ist sind war bin bist wird werden hat habe haben kann können darf muss soll will möchte wie "
    "was wann wo wer "
    "warum welche welcher welches und oder aber mit von zu nach bei für auf in im am um an aus "
    "nicht kein keine zum "
    "zur bitte geht gibt man ihnen ihre viele hoch",
    "le la les un une des du de je tu il elle nous vous ils mon ma mes est sont suis êtes a ai "
    "peut puis comment "
    "quand où qui pourquoi quel quelle quels quelles que quoi et ou mais avec pour par sur dans en "
    "au aux ne pas ce "
    "cette se veux voudrais souhaite combien faire possible l d j qu c n s",
    "el la los las un una unos unas yo tú mi mis es son está están soy puedo puede cómo cuándo "
    "dónde quién qué cuál "
    "cuáles cuánto cuánta por para con sin de del a al en y o pero no se quiero que su sus como "
    "posible",
    "il lo la i gli le un una io mi mio mia è sono posso può come quando dove chi cosa quale "
    "quanto perché e o ma con "
    "per di del della da in su non si che vorrei",
    "de het een ik jij hij zij wij mijn is zijn was ben kan mag moet hoe wat wanneer waar wie "
    "waarom welke en of maar "
    "met van voor op in aan naar bij niet geen te om dat dit"};

}  // namespace causeway::similar
