#include "features/traffic/routing/complexity_words.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace causeway::routing {
namespace {

struct List {
  Mark mark;
  std::string_view words;
};

constexpr List kLists[] = {
    {Mark::Reason,
     "why explain compare contrast prove proof derive deduce analyse analyze evaluate assess argue "
     "argument justify discuss reason reasons reasoning implications consequences trade offs "
     "tradeoffs weigh critique interpret step steps cause causes difference differences advantages "
     "disadvantages pros cons relate estimate conclude infer convincing factors affect effect "
     "warum weshalb erkläre erklären vergleiche vergleichen begründe beweise unterschied "
     "analysiere "
     "bewerte schritt pourquoi explique expliquer compare comparez différence prouve analyse étape "
     "explica compara diferencia demuestra analiza paso spiega perché confronta differenza "
     "dimostra "
     "analizza waarom vergelijk verschil bewijs stap"},
    {Mark::Create,
     "write draft compose create design plan planning outline develop story poem essay letter "
     "email sonnet speech article strategy schedule itinerary proposal organise organize build "
     "implement generate roadmap report review suggest recommend recommendation newsletter press "
     "schreibe schreib verfasse entwirf erstelle gedicht brief écris rédige poème lettre "
     "planifie crée escribe redacta poema carta crea scrivi lettera poesia schrijf maak gedicht"},
    {Mark::Constraint,
     "exactly without must each every least most only avoid ensure include including mention keep "
     "under over between limit maximum minimum words sentences paragraphs lines bullet table json "
     "markdown format tone rhyme deadline budget constraints requirements never neither cover "
     "consider considering given assume except versions sections columns "
     "genau ohne höchstens mindestens wörter sätze jeder sans exactement moins mots  "
     "exactamente máximo palabras senza esattamente massimo parole zonder precies hoogstens "
     "woorden"},
    {Mark::Code,
     "code python javascript typescript java rust golang sql query function class bug compile "
     "regex regular algorithm api docker dockerfile kubernetes git bash script unit tests thread "
     "pointer stack trace exception parser refactor database array loop recursive cache server "
     "def return const import select from where html css node react async complexity implement "
     "funktion programm abfrage fonction requête función consulta funzione functie"},
    {Mark::Maths,
     "sum add plus minus times multiply multiplied divide divided percent percentage average mean "
     "median square root equation solve integral derivative probability calculate compute fraction "
     "decimal prime multiple angle area volume formula number numbers sequence convert total cost "
     "costs price speed many much half double older younger twice dice coins "
     "berechne wieviel prozent summe rechne combien calcule pourcent cuánto calcula suma quanto "
     "calcola hoeveel bereken procent"},
    {Mark::Domain,
     "law legal contract clause liability court tenant landlord lease gdpr statute negligence "
     "defendant plaintiff enforceable compliance employer dismissal patent copyright privacy "
     "patient patients diagnosis symptoms treatment dose drug therapy clinical disease blood "
     "creatinine mg ml doctor statistics regression variance hypothesis sample significance "
     "estimator confidence bias cohort trial investment tax interest monetary inflation policy "
     "vertrag vermieter mieter kündigung haftung klausel gesetz recht patient diagnose contrat "
     "loi bail contrato ley contratto legge contract huurder"},
    {Mark::Recall,
     "capital wrote written author invented discovered painted composed president king queen "
     "planet country city river mountain ocean continent currency language population year born "
     "died symbol chemical war largest smallest longest highest tallest fastest closest located "
     "hauptstadt geschrieben erfunden capitale écrit inventé capital escribió inventó scritto "
     "dipinto hoofdstad schreef"},
    {Mark::Meaning,
     "define definition meaning mean means synonym synonyms antonym opposite plural tense stand "
     "stands abbreviation idiom rhymes called term word bedeutet gegenteil mehrzahl contraire "
     "signifie significa contrario betekent"},
    {Mark::Classify,
     "classify classification sentiment positive negative spam category categorise label topic "
     "true false yes no rate decide urgent formal informal toxic tone odd bewertung positiv "
     "negativ "
     "avis positif négatif opinión positiva negativa recensione positivo negativo"},
    {Mark::Extract,
     "extract find list identify mentioned pull locate sender extrahiere finde extrais trouve "
     "extrae encuentra estrai trova vind"},
    {Mark::Rewrite,
     "correct fix rewrite rephrase paraphrase shorten summarise summarize summary simplify repeat "
     "complete finish spelling grammar typo polite reverse sort alphabetically  "
     "passive voice title fasse korrigiere résume corrige resume riassumi correggi samenvatten"},
    {Mark::Translate,
     "translate translation french german spanish italian dutch english übersetze traduis traduce "
     "traduci vertaal englische ins anglais inglés inglese engels"},
    {Mark::Greet,
     "hello hi hey thanks thank bye goodbye morning evening night welcome birthday meet "
     "hallo danke tschüss bonjour merci salut hola gracias adiós ciao grazie dank"},
    {Mark::Connect,
     "if then because therefore however first second third finally after before while when unless "
     "although also both either whether so still but until once than wenn dann weil obwohl si "
     "alors parce puis entonces cuando poi quando als dan omdat"},
    {Mark::Plain,
     "name tell give say show cat dog cats dogs bird animal animals colour color colours fruit "
     "milk water tea cake eggs friend day week month shop open opens closed hotel ticket tickets "
     "phone password room bus sun sky food house family people children school music game"},
    {Mark::Foreign,
     "der das ist und nicht ein eine wie wer wo den dem mit für von auf ich sie zu im le les est "
     "une pour dans quelle quel qui où des du et un je el los las es una qué cuál quién cómo por "
     "del y il è di che chi qual lo gli sono het een wat hoe wie een en de la"},
    {Mark::Asks,
     "what who whom whose where when which was wer wo wann welche que quel quelle qui où quién qué "
     "cuál dónde chi qual dove wat wie waar"},
    {Mark::YesNo, "is are do does did can could will would should has have was were may am"},
};
static_assert(std::size(kLists) == kMarks);

struct Slot {
  std::uint32_t hash = 0, marks = 0;
};
constexpr std::size_t kSlots = 4096;  // a power of two, four times the words
using Table = std::array<Slot, kSlots>;

constexpr std::size_t next(std::size_t slot) { return (slot + 1) % kSlots; }

constexpr void enter(Table& table, std::string_view word, Mark mark) {
  std::uint32_t hash = kHashBegin;
  for (const char c : word) hash = hash_more(hash, static_cast<unsigned char>(c));
  std::size_t slot = hash % kSlots;
  while (table[slot].marks != 0 && table[slot].hash != hash) slot = next(slot);
  table[slot].hash = hash;
  table[slot].marks |= 1u << static_cast<unsigned>(mark);
}

constexpr Table make_table() {
  Table table{};
  for (const auto& list : kLists) {
    std::size_t begin = 0;
    while (begin < list.words.size()) {
      const std::size_t end = std::min(list.words.find(' ', begin), list.words.size());
      enter(table, list.words.substr(begin, end - begin), list.mark);
      begin = end + 1;
    }
  }
  return table;
}

constexpr Table kTable = make_table();

}  // namespace

std::uint32_t marks_of(std::uint32_t hash) {
  std::size_t slot = hash % kSlots;
  while (kTable[slot].marks != 0) {
    if (kTable[slot].hash == hash) return kTable[slot].marks;
    slot = next(slot);
  }
  return 0;
}

}  // namespace causeway::routing
