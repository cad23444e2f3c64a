"""Sentences with {kind} where a value stands; those at even places are for tuning, those at odd ones for measuring
only. {titled} is a person's name behind a title. Written for this program."""

TEMPLATES = {
    "en": """My name is {person} and my email is {email}.
Please forward the report to {person} at {organisation} before noon.
I talked to {person} yesterday about the broken heater.
{person} will join us for the review, and so will {person}.
Ship the parcel to {address}.
We moved to {address} last spring.
Dr. {titled} asked for the blood results of {person}.
The invoice should go to {organisation}, {address}.
You can reach me on {phone} after six.
If that fails, ring {phone} or write to {email}.
Charge my credit card {card} for the rest.
The card number on file, {card}, was declined twice.
Send the refund to IBAN {iban}, please.
My account is {iban} and the bank has the form.
Use routing number {bank_routing} for the wire.
ABA {bank_routing} belongs to our checking account.
His social security number is {national_id}.
SSN or NI number on the form: {national_id}.
Her taxpayer number, {tax_id}, is on page two.
Tax ID: {tax_id}
Passport number {passport} expires in June.
The traveller's passport, no. {passport}, was scanned at the gate.
Driver's license {driving_licence} was issued in Ohio.
I lost my driving licence ({driving_licence}) on the train.
MRN {medical_record}: patient complains of chest pain.
Please pull the chart for medical record number {medical_record}.
Her member ID with the health plan is {insurance}.
Policy number {insurance} covers the accident.
Patient {person}, born {birth_date}, was admitted on Tuesday.
DOB: {birth_date}
The login came from {ip} at midnight.
Block {ip} in the firewall, it keeps trying passwords.
The printer has MAC address {mac}.
Device {mac} joined the network twice.
The hikers were last seen at GPS {coordinates}.
Meet me at coordinates {coordinates} at nine.
The database is at postgres://{url_credentials}@db.internal:5432/app today.
Clone it with https://{url_credentials}@git.example.com/repo.git please.
Send the coins to {crypto_address} before the price drops.
My wallet is {crypto_address}, as before.
The key {api_key} was committed by mistake.
export TOKEN={api_key}
Here is my key:
{private_key}
Please rotate this one:
{private_key} Thanks.
Hi {person}, thanks for the quick answer.
Dear {person}, your order has shipped.
Regards,
{person}
{person} works at {organisation} and lives at {address}.
{organisation} announced that {person} will leave the board.
Is {person} still with {organisation}?
The contract between {organisation} and {organisation} ends in May.
Our supplier {organisation} raised prices again.
Mrs. {titled} of {address} called about her meter.
Could you ask {person} to call {phone}?
Nurse {titled} gave patient {person} (MRN {medical_record}) the second dose.
Deliver to {person}, {address}, phone {phone}.
Please update my address to {address} and my phone to {phone}.
{person}'s appointment is on Monday, insurance {insurance}.
The witness, {person}, gave {address} as his home.""",
    "de": """Mein Name ist {person} und meine E-Mail ist {email}.
Bitte leiten Sie den Bericht an {person} von der {organisation} weiter.
Frau {titled} wohnt in der {address}.
Die Lieferung geht an {address}.
Sie erreichen mich unter {phone} nach 18 Uhr.
Rufen Sie {person} unter {phone} an.
Die IBAN lautet {iban}.
Bitte überweisen Sie auf {iban} bis Freitag.
Meine Sozialversicherungsnummer ist {national_id}.
Versicherungsnummer {national_id} steht auf dem Ausweis.
Steuer-ID: {tax_id}
Die Steueridentifikationsnummer {tax_id} fehlt noch.
Reisepass {passport} läuft im Juni ab.
Führerschein {driving_licence} wurde in Bonn ausgestellt.
Patientin {person}, geboren am {birth_date}, wurde aufgenommen.
Geburtsdatum: {birth_date}
Ich habe gestern mit {person} über die Heizung gesprochen.
Die {organisation} hat den Vertrag gekündigt.
Meine Kreditkarte {card} wurde abgelehnt.
Die Patientennummer {medical_record} ist falsch.
Herr {titled} schreibt von {email}.
Unsere neue Adresse ist {address}.
Mit freundlichen Grüßen
{person}
Krankenkasse, Versichertennummer {insurance}.""",
    "fr": """Je m'appelle {person} et mon adresse est {email}.
Veuillez transmettre le rapport à {person} chez {organisation}.
Madame {titled} habite {address}.
La livraison est prévue au {address}.
Vous pouvez me joindre au {phone} après 18 heures.
Appelez {person} au {phone}.
Mon IBAN est {iban}.
Merci de virer la somme sur {iban}.
Mon numéro de sécurité sociale est {national_id}.
Numéro de sécu : {national_id}
Numéro fiscal : {tax_id}
Mon identifiant fiscal {tax_id} a changé.
Passeport numéro {passport}, valable jusqu'en juin.
Mon permis de conduire {driving_licence} a été volé.
La patiente {person}, née le {birth_date}, est arrivée.
Date de naissance : {birth_date}
J'ai parlé hier avec {person} de la facture.
La société {organisation} a résilié le contrat.
Ma carte {card} a été refusée.
Le dossier médical {medical_record} est incomplet.
Monsieur {titled} écrit depuis {email}.
Notre nouvelle adresse : {address}.
Cordialement,
{person}
Mutuelle, numéro d'assuré {insurance}.""",
    "es": """Me llamo {person} y mi correo es {email}.
Por favor envíe el informe a {person} de {organisation}.
La señora {titled} vive en {address}.
El paquete va a {address}.
Puede llamarme al {phone} por la tarde.
Llame a {person} al {phone}.
Mi IBAN es {iban}.
Transfiera el importe a {iban}, por favor.
Mi DNI es {national_id}.
DNI número {national_id}, expedido en Madrid.
NIE: {tax_id}
El NIE {tax_id} está caducado.
Pasaporte {passport}, válido hasta junio.
Perdí el carnet de conducir {driving_licence}.
La paciente {person}, nacida el {birth_date}, ingresó ayer.
Fecha de nacimiento: {birth_date}
Hablé ayer con {person} sobre la factura.
La empresa {organisation} canceló el contrato.
Mi tarjeta {card} fue rechazada.
La historia clínica {medical_record} está incompleta.
El señor {titled} escribe desde {email}.
Nuestra nueva dirección es {address}.
Un saludo,
{person}
Seguro médico, póliza {insurance}.""",
    "it": """Mi chiamo {person} e la mia email è {email}.
Inoltri il rapporto a {person} di {organisation}.
La signora {titled} abita in {address}.
Il pacco va spedito a {address}.
Può chiamarmi al {phone} dopo le sei.
Chiami {person} al {phone}.
Il mio IBAN è {iban}.
Versi la somma su {iban}, grazie.
Carta d'identità {national_id}.
La carta di identità numero {national_id} è scaduta.
Codice fiscale: {tax_id}
Il codice fiscale {tax_id} non è valido.
Passaporto {passport}, valido fino a giugno.
Ho perso la patente {driving_licence}.
La paziente {person}, nata il {birth_date}, è ricoverata.
Data di nascita: {birth_date}
Ieri ho parlato con {person} della fattura.
La ditta {organisation} ha disdetto il contratto.
La mia carta {card} è stata rifiutata.
La cartella clinica {medical_record} è incompleta.
Il signor {titled} scrive da {email}.
Il nostro nuovo indirizzo è {address}.
Cordiali saluti,
{person}
Assicurazione, polizza {insurance}.""",
    "nl": """Mijn naam is {person} en mijn e-mail is {email}.
Stuur het rapport naar {person} van {organisation}.
Mevrouw {titled} woont op {address}.
Het pakket gaat naar {address}.
U kunt mij bereiken op {phone} na zes uur.
Bel {person} op {phone}.
Mijn IBAN is {iban}.
Maak het bedrag over naar {iban}, graag.
Mijn BSN is {national_id}.
Burgerservicenummer {national_id} staat op de pas.
BTW-nummer {tax_id}
Ons btw-nummer {tax_id} is gewijzigd.
Paspoort {passport}, geldig tot juni.
Ik ben mijn rijbewijs {driving_licence} kwijt.
Patiënt {person}, geboren op {birth_date}, is opgenomen.
Geboortedatum: {birth_date}
Gisteren sprak ik met {person} over de factuur.
Het bedrijf {organisation} heeft het contract opgezegd.
Mijn creditcard {card} is geweigerd.
Het medisch dossier {medical_record} is onvolledig.
De heer {titled} schrijft vanaf {email}.
Ons nieuwe adres is {address}.
Met vriendelijke groet,
{person}
Zorgverzekering, polisnummer {insurance}.""",
}

# Nothing in these is of a person. {…} here are harmless values.
NEGATIVES = """Upgrade to version {v4} before Friday.
Release {v3} fixes the crash when the cache is cold.
Product code {sku} is out of stock until May.
Order {int6} ships on Monday with {int2} boxes.
commit {sha1} broke the build on main.
The file has SHA-256 {sha256}.
Request id {uuid} took {int3} ms.
{stamp} INFO worker-{int2} finished job {int6} in {int3} ms
{stamp} WARN retry {int1}/{int2} after HTTP {int3}
The integral of x^{int1} from {int1} to {int2} is {float}.
pi is 3.14159 and e is 2.71828, so their sum is {float}.
for (int i = {int1}; i < {int4}; ++i) total += a[i] * {int3};
std::map<std::string, int> m{{}}; m.at("a") = {int4};
def f(x): return x ** {int1} + {int3}
SELECT count(*) FROM orders WHERE total > {int4} LIMIT {int2};
The room is {int2} by {int2} metres and costs {int4} euros a month.
In {year}, sales rose by {int2}.{int1}% to {int6} units.
Chapter {int2}, section {int1}.{int1}.{int1}, page {int3}.
The meeting is at 10:{int2} on Thursday in room {int3}.
ISBN 978-3-16-{int6}-0 is a book about birds.
Set timeout={int4} and retries={int1} in the file.
The server answered {int3} times within {int2} seconds.
Flight LH{int3} leaves from gate B{int2}.
Add {int3} g of flour, {int2} g of butter and {int1} eggs.
Mozilla/5.0 (X11; Linux x86_64) Chrome/{v4} Safari/537.36
npm install left-pad@{v3} --save-exact
Temperatures between {int2} and {int2} degrees are normal in May.
Our plant makes {int6} bolts of type M{int2} a day.
The ratio is 16:9 and the size {int4}x{int4} pixels.
Ticket #{int5} was closed because it was a duplicate.
We will mark the chase as done when spring comes.
Thanks for the help, the new release works fine now.
Bitte aktualisieren Sie auf Version {v3}, Artikel {sku}.
La commande {int6} sera expédiée lundi, réf. {sku}.
El pedido {int6} sale el lunes, referencia {sku}.
L'ordine {int6} parte lunedì, riferimento {sku}.
Bestelling {int6} gaat maandag weg, artikel {sku}.
Can Java call Rust through a C interface?
Total: {int5} items, {int3} errors, {int2} warnings.
The checksum of block {int6} is {hex8}, expected {hex8}."""
