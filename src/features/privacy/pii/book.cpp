#include "features/privacy/pii/book.h"

#include <re2/re2.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace causeway::pii {
namespace {

// Right behind these stands a name; ordinary words with a capital do not count as one.
constexpr std::string_view kIntroductions =
    "my name is|name is|name:|full name:|patient|patient:|patient "
    "name:|customer|customer:|client|client name:|employee|"
    "employee:|dear|hi|hello|hey|regards,|sincerely,|signed by|signed,|i am|i'm|this "
    "is|called|named|contact|attn|attn:|"
    "name ist|ich heisse|mein name ist|patientin|kunde|kundin|liebe|lieber|hallo|je "
    "m'appelle|nom:|bonjour|cher|chere|"
    "me llamo|mi nombre es|nombre:|paciente|hola|querido|querida|mi "
    "chiamo|nome:|paziente|ciao|caro|cara|mijn naam is|"
    "naam:|beste|ik ben|applicant|applicant:|tenant|witness|beneficiary|spoke with|spoke to|asked "
    "for|cardholder|"
    "cardholder:|holder:|insured:|insured|policyholder|author:|from:|to:|name "
    "of|versicherter|mitarbeiter|mitarbeiterin|"
    "cliente|client:|klant|patient:|nurse|attorney|colleague|talked to|talk to|speak to|speak "
    "with|talking to|met|met with|"
    "meet with|ask|asked|tell|told|thank|thanks|email to|report to|sent to|send to|send it "
    "to|forward to|forwarded to|"
    "results of|behalf of|regards|greetings|yours|yours truly,|best,|cheers,|thanks,|mit "
    "freundlichen grussen|viele grusse|"
    "beste grusse|liebe grusse|cordialement,|bien a vous,|un "
    "saludo,|saludos,|atentamente,|cordiali saluti,|saluti,|"
    "met vriendelijke groet,|groetjes,|groeten,|gesprochen mit|mit frau|mit herrn|parle avec|parle "
    "hier avec|hable con|"
    "hable ayer con|parlato con|sprak met|gestern mit|rapport a|appelez|llame a|chiami|bel|rufen "
    "sie|fragen sie|"
    "demandez a|pregunte a|chieda "
    "a|vraag|witness,|applicant,|tenant,|colleague,|friend,|wife,|husband,|boss,|doctor,|"
    "manager,|ceo,|director,|author,|colleague|boss|wife|husband|my friend|by doctor";

}  // namespace

Book::Book() : numbers_(number_rules()), patterns_(pattern_rules()) {
  for (const NumberRule& rule : numbers_) {
    words_.add_words(static_cast<std::uint32_t>(entries_.size()), rule.words);
    entries_.push_back({rule.id, rule.kind});
  }
  for (const PatternRule& rule : patterns_) {
    const auto number = static_cast<std::uint32_t>(entries_.size());
    words_.add_words(number, rule.words);
    words_.add_anchors(number, rule.anchors, rule.fold_case);
    entries_.push_back({rule.id, rule.kind});
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_encoding(re2::RE2::Options::EncodingLatin1);
    options.set_max_mem(16 << 20);
    compiled_.push_back(std::make_unique<re2::RE2>(
        re2::StringPiece(rule.pattern.data(), rule.pattern.size()), options));
    if (!compiled_.back()->ok()) {
      throw std::logic_error("the pattern of " + std::string(rule.id) + ": " +
                             compiled_.back()->error());
    }
  }
  for (const OtherRule& rule : other_rules()) {
    words_.add_words(static_cast<std::uint32_t>(entries_.size()), rule.words);
    entries_.push_back({rule.id, rule.kind});
  }
  words_.add_words(version_words(), "@version");
  words_.add_words(introductions(), kIntroductions);
  if (introductions() >= kMaxRules) throw std::logic_error("more rules than kMaxRules");
  words_.build();
}

Book::~Book() = default;

const Book& Book::get() {
  static const Book book;
  return book;
}

std::uint32_t Book::number_of(std::string_view id) const {
  const auto found = std::ranges::find(entries_, id, &Entry::id);
  if (found == entries_.end()) throw std::logic_error("there is no rule " + std::string(id));
  return static_cast<std::uint32_t>(found - entries_.begin());
}

}  // namespace causeway::pii
