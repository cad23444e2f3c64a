// Written for this project, under its licence.
#include "platform/similar/words.h"

namespace causeway::similar {

const std::string_view kOpposites = R"(
enable activate on allow permit open|disable deactivate off deny forbid forbidden prohibit ban
increase raise grow rise higher bigger larger up|decrease lower reduce shrink drop fall smaller down cut
before prior previously|after afterwards following
buy purchase order|sell vend
cheap cheaper cheapest lowest-price inexpensive|expensive dear dearest costly pricey
import|export
upload|download
open opens|close closed shut
start begin launch boot commence startup|stop end finish quit halt terminate
add append insert include put|remove delete drop erase exclude
create make new|delete remove destroy erase
accept approve|reject decline refuse deny
send|receive
borrow|lend loan
deposit|withdraw
lock|unlock
show display visible reveal|hide invisible conceal
block|unblock
mute silence|unmute
subscribe|unsubscribe
install|uninstall
connect join|disconnect leave
freeze|unfreeze thaw
encrypt|decrypt
encode|decode
compress zip pack|decompress extract unzip unpack
serialize marshal|deserialize unmarshal
push|pull
read load|write save
ascending|descending
uppercase upper|lowercase lower
first initial|last final
next upcoming|last previous|this current
synchronous sync|asynchronous async
mutable|immutable
foreground|background
maximum max most highest largest biggest greatest tallest longest|minimum min least lowest smallest fewest tiniest shortest
big large huge|small little tiny
best|worst
better|worse
good positive pro advantage benefit pros plus|bad negative con disadvantage drawback cons minus downside
easy easiest simple simplest|hard hardest difficult toughest
fast quick faster fastest quickly quickest|slow slower slowest slowly
high|low
long longer|short shorter
early earlier earliest|late later latest
old older oldest used|new newer newest
old older oldest|young younger youngest
hot hotter hottest warm warmer warmest|cold colder coldest cool cooler coolest
indoor indoors inside|outdoor outdoors outside
left|right
north|south|east|west
northern|southern|eastern|western
arrive arrival land|depart departure leave
in|out
enter entry|exit
win won|lose lost
found find|lose lost
pass|fail
gain|lose
gross|net
paid|unpaid free
part-time part|full-time full whole
hire recruit employ|fire dismiss
mandatory compulsory obligatory required must obliged have|optional voluntary
legal legally lawful allowed|illegal illegally unlawful forbidden
landlord lessor|tenant lessee renter
buyer customer purchaser|seller vendor
employer|employee
plaintiff claimant|defendant
lender creditor|borrower debtor
teacher|student pupil
doctor|patient
host|guest
client|server
parent|child
internal|external
public|private
local|remote
manual manually|automatic automatically
online|offline
fixed|variable
credit|debit
cash|card
active|passive|inactive
past|future|present
cause causes reason|consequence consequences effect result
add plus sum|subtract minus
multiply multiplication|divide division
acid|base
positive|negative
increase|decrease
same equal identical|different unequal
more|less fewer
above over|below under beneath
with|without
all every everyone everything each everybody|some part several partly few
all every everyone everything each everybody|any
raw uncooked|cooked boiled
sweet|sour|bitter|salty|savoury
hot|mild
thick thicken thicker|thin thinner
dry|wet
fresh|stale frozen
full|empty
heavy heavier|light lighter
dark|light bright
hard|soft
strong stronger|weak weaker
rich|poor
safe secure|dangerous unsafe insecure
clean|dirty
wide wider|narrow narrower
deep|shallow
loud|quiet
true|false
yes|no
success succeed|failure fail
expand|collapse
zoom|shrink
attach|detach
mount|unmount
merge join combine|split separate
archive|restore unarchive
backup|restore
commit|revert rollback
upgrade update|downgrade
grant give|revoke take
allow|deny
login signin|logout signout
register enrol enroll|deregister
publish|unpublish
follow|unfollow
like|dislike hate
love|hate
remember|forget
agree|disagree
appear|disappear
approve|disapprove
attack|defend
build|demolish
build construct|tear
question|answer
ask|answer
sunrise|sunset
rise|set
wake awake|sleep asleep
day daytime|night nighttime
morning|evening|afternoon
breakfast|lunch|dinner
summer|winter|spring|autumn fall
window|aisle
front|back rear
top|bottom
horizontal horizontally|vertical vertically
row|column
input|output
source|target destination
sender|recipient receiver
forward|backward backwards
ahead|behind
permanent permanently|temporary temporarily
single one-way oneway|return round-trip
single|double
single|married
male|female
man men|woman women
husband|wife
mother|father
brother|sister
son|daughter
formal|informal
singular|plural
serious|funny
simple|complex complicated
basic|advanced
beginner|expert
major|minor
majority|minority
primary|secondary
wholesale|retail
supply|demand
profit gain|loss
income revenue earnings|expense expenditure spending
asset|liability
surplus|deficit
inflation|deflation
debit|credit
accelerate|decelerate brake
charge|discharge
inhale|exhale
inject|extract
heat heating warm|cool cooling chill
freeze|melt defrost
plug|unplug
tighten|loosen
fasten|unfasten
wrap|unwrap
fold|unfold
pin|unpin
hypertension|hypotension
hyperthyroidism|hypothyroidism
benign|malignant
acute|chronic
systolic|diastolic
odd|even
vertical|horizontal
clockwise|anticlockwise counterclockwise
convex|concave
ancient old|modern
attend|skip miss
win|draw
arrival|departure
ascend climb|descend
lengthen extend|shorten
widen|narrow
strengthen|weaken
improve|worsen
save|spend
earn|spend
save|discard
keep retain store|discard
stay remain|leave
hired|fired
renew extend|cancel terminate
book reserve schedule|cancel
track|cancel
activate|cancel
confirm|cancel
redeem use|buy
set reset|unset
select choose check|deselect uncheck
zoom-in|zoom-out
pause|resume continue
play|pause
record|play
minimise minimize|maximise maximize
minimum|maximum
sharpen|blur
enlarge|reduce
rough|smooth
tall taller|short shorter
near close nearest|far farthest
ever|never
always|never
often frequently|rarely seldom
aktivieren einschalten anschalten erlauben an|deaktivieren ausschalten abschalten verbieten aus
kaufen einkaufen|verkaufen
öffnen eröffnen|schließen
vor vorher bevor|nach nachher nachdem
erhöhen|senken verringern
beginnen starten anfangen|enden stoppen beenden aufhören
hinzufügen|entfernen löschen
hochladen|herunterladen
anmelden einloggen|abmelden ausloggen
sperren|entsperren
anzeigen einblenden|ausblenden verstecken
annehmen|ablehnen
günstig günstiger günstigste günstigsten billig billigste|teuer teurer teuerste teuersten
größte größten höchste längste|kleinste kleinsten niedrigste kürzeste
groß|klein
gut|schlecht
schnell|langsam
früh|spät
erste ersten|letzte letzten
nächste nächsten|letzte letzten
mieter|vermieter
käufer|verkäufer
arbeitgeber|arbeitnehmer
brutto|netto
mehr|weniger
alle alles jeder jede|einige manche
alle alles jeder jede|nur
warm heiß|kalt
links|rechts
ein|aus
ankunft ankommen|abfahrt abfahren abflug
vorteil vorteile|nachteil nachteile
activer autoriser|désactiver interdire
acheter|vendre
ouvrir|fermer
avant|après
augmenter|diminuer réduire
commencer démarrer|finir terminer arrêter
ajouter|supprimer enlever
télécharger|téléverser
accepter|refuser
envoyer|recevoir
plus|moins
plus grand|plus petit
premier première|dernier dernière
prochain prochaine|dernier dernière
grand grande|petit petite
bon bonne|mauvais mauvaise
chaud|froid
gauche|droite
tous toutes tout|seuls seulement|certains certaines quelques
locataire|propriétaire
activo activar activa encender enciende|desactivo desactivar desactiva apagar apaga
compro comprar|vendo vender
abrir abro abren|cerrar cierro cierran
antes|después
aumentar|reducir disminuir
empezar comenzar|terminar acabar
añadir agregar|eliminar quitar borrar
enviar|recibir
subir|bajar descargar
aceptar|rechazar
más|menos
primer primero primera|último última
grande mayor|pequeño menor
bueno mejor|malo peor
caliente|frío
izquierda|derecha
todos todas|algunos algunas|solo sólo
attivare|disattivare
comprare|vendere
aprire|chiudere
prima|dopo
aumentare|ridurre
aggiungere|rimuovere eliminare
più|meno
accettare|rifiutare
inschakelen aanzetten|uitschakelen uitzetten
kopen|verkopen
openen|sluiten
voor|na
verhogen|verlagen
toevoegen|verwijderen
meer|minder
change modify update edit switch
fix repair solve
get obtain receive
book reserve appointment
show display list view see
ship deliver shipping delivery
parcel package order
shirt tshirt
phone smartphone
picture image photo
folder directory
display screen
drug medicine medication
pill tablet
shares stocks
vacation holiday holidays
salary pay wage paid
doctor physician
autumn fall
movie film
car automobile
app application
error bug
rejected declined
poor bad
explain define meaning mean
money cash
discount rebate
warranty guarantee
item article
duties obligations
advantages benefits pros
boss manager supervisor
colleagues coworkers
kids children
recipe bake cook make
substitute replacement instead
cost price fee charge
users people persons
)";

}  // namespace causeway::similar
