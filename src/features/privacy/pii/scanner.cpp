#include "features/privacy/pii/scanner.h"

#include <algorithm>
#include <array>

#include "features/privacy/pii/blocks.h"
#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/patterns.h"

namespace causeway::pii {
namespace {

enum class Spot : std::uint8_t { None, Digit, Capital, At, Colon, Dash };

constexpr std::array<Spot, 256> kSpots = [] {
  std::array<Spot, 256> spots{};
  for (int c = '0'; c <= '9'; ++c) spots[static_cast<std::size_t>(c)] = Spot::Digit;
  for (int c = 'A'; c <= 'Z'; ++c) spots[static_cast<std::size_t>(c)] = Spot::Capital;
  spots['@'] = Spot::At;
  spots[':'] = Spot::Colon;
  spots['-'] = Spot::Dash;
  return spots;
}();

/// The next place at which something may begin.
std::size_t next_spot(std::string_view text, std::size_t at) {
  const auto many = [](const Block& block) {
    return ((block >= '0') & (block <= ':')) | ((block >= '@') & (block <= 'Z')) | (block == '-');
  };
  const auto one = [](char c) { return kSpots[static_cast<unsigned char>(c)] != Spot::None; };
  return find_byte(text, at, many, one);
}

std::size_t next_digit(std::string_view text, std::size_t at) {
  const auto many = [](const Block& block) { return (block >= '0') & (block <= '9'); };
  return find_byte(text, at, many, is_digit);
}

// Within so many bytes of its first word, an address has a number.
constexpr std::size_t kNumberWithin = 100;

NetworkRules network_rules(const Book& book) {
  return {book.number_of("email"),
          book.number_of("ip.v4"),
          book.number_of("ip.v6"),
          book.number_of("mac"),
          book.number_of("coordinates.decimal"),
          book.number_of("coordinates.degrees"),
          book.number_of("coin.base58"),
          book.version_words()};
}

NameRules name_rules(const Book& book) {
  return {book.number_of("person.full"),         book.number_of("person.given"),
          book.number_of("person.titled"),       book.number_of("person.labelled"),
          book.number_of("person.initials"),     book.number_of("person.surname_first"),
          book.number_of("organisation.suffix"), book.number_of("organisation.kind"),
          book.number_of("organisation.known"),  book.introductions()};
}

AddressRules address_rules(const Book& book) {
  return {book.number_of("address.en"),  book.number_of("address.de"),
          book.number_of("address.fr"),  book.number_of("address.south"),
          book.number_of("address.box"), book.number_of("address.postcode")};
}

}  // namespace

Scanner::Scanner(const Book& book, KindSet kinds, const std::vector<std::string>& regions,
                 float least)
    : book_(book),
      numbers_(book.numbers(), least),
      network_(network_rules(book)),
      phones_({book.number_of("phone.international"), book.number_of("phone.national"),
               book.number_of("phone.shape")},
              regions),
      names_(name_rules(book)),
      addresses_(address_rules(book)),
      birth_date_(book.number_of("birth_date")),
      since_(book.number_of("birth_date.since")),
      with_names_(kinds.has(Kind::Person) || kinds.has(Kind::Organisation)),
      with_addresses_(kinds.has(Kind::Address)),
      with_phones_(kinds.has(Kind::Phone)) {}

void Scanner::scan(const Scene& scene, Run& run) const {
  const std::string_view text = scene.text;
  find_patterns(book_, scene);
  std::size_t i = 0, digit = next_digit(text, 0);
  if (digit < text.size()) find_birth_dates(scene, birth_date_, since_);
  while (i < text.size()) {
    if (digit <= i) digit = next_digit(text, i);
    switch (kSpots[static_cast<unsigned char>(text[i])]) {
      case Spot::None:
        i = next_spot(text, i);
        break;
      case Spot::Digit:
        i = at_digit(scene, i, run);
        break;
      case Spot::Capital:
        i = at_capital(scene, i, digit - i < kNumberWithin, run);
        break;
      case Spot::At:
        i = network_.at_sign(scene, i);
        break;
      case Spot::Colon:
        i = network_.at_colon(scene, i);
        break;
      case Spot::Dash:
        i = network_.at_dash(scene, i);
        break;
    }
  }
}

/// Letters may stand before the first digit of a number: "de89".
std::size_t Scanner::at_digit(const Scene& scene, std::size_t i, Run& run) const {
  std::size_t begin = i;
  while (begin > 0 && i - begin < kMaxNumber && is_alnum(scene.text[begin - 1])) --begin;
  return numbers(scene, begin, run);
}

std::size_t Scanner::numbers(const Scene& scene, std::size_t begin, Run& run) const {
  read_run(scene.text, begin, run);
  const std::size_t others = scene.found.size();
  const RuleSet near = rules_near(scene, run);
  numbers_.find(scene, run, near);
  if (with_phones_) phones_.find(scene, run, near, others);
  for (const Group& group : run) {
    network_.at_number(scene, group.begin, group.end);
    if (with_addresses_) addresses_.at_number(scene, group.begin, group.end);
    for (std::size_t i = group.begin; i > 0 && group.begin != begin && scene.text[i - 1] == '-';
         i = 0) {
      network_.at_dash(scene, i - 1);
    }
    if (at(scene.text, group.end) == ':') network_.at_colon(scene, group.end);
  }
  // Only the last group of a run can have more behind it that did not belong.
  return run.back().end;
}

/// "DE 89 3704", "NINO AB 12": what follows a few capitals may belong to them.
void Scanner::lettered_numbers(const Scene& scene, std::size_t begin, Run& run) const {
  const std::string_view text = scene.text;
  read_run(text, begin, run);
  const auto ends_in_digit = [&](const Group& group) { return is_digit(text[group.end - 1]); };
  if (std::ranges::none_of(run, ends_in_digit)) return;
  // What begins with a digit is looked at when the walk comes there, if it does: pairs with dashes
  // may be passed over.
  const auto number = std::ranges::find_if(run, [&](const Group& group) {
    return std::any_of(text.begin() + group.begin, text.begin() + group.end, is_digit);
  });
  const std::size_t firsts = before(text, number->begin) == '-'
                                 ? run.size()
                                 : static_cast<std::size_t>(number - run.begin());
  numbers_.find(scene, run, rules_near(scene, run), firsts);
}

std::size_t Scanner::at_capital(const Scene& scene, std::size_t i, bool number_near,
                                Run& run) const {
  const std::string_view text = scene.text;
  const std::size_t end = letters_end(text, i + 1);
  // A capital within a word begins nothing.
  if (is_alnum(before(text, i))) return end;
  if (is_digit(at(text, end))) return numbers(scene, i, run);
  if (with_addresses_ && number_near) addresses_.at_word(scene, i, end);
  const bool name_follows =
      with_names_ && before(text, i) != '_' && before(text, i) != '@' && before(text, i) != '/';
  if (end - i <= 4 && std::ranges::all_of(text.substr(i, end - i), is_upper)) {
    lettered_numbers(scene, i, run);
  }
  if (!name_follows) return end;
  // Addresses begin inside of what reads like a name, so every word of it is looked at.
  const std::size_t done = names_.find(scene, i);
  if (with_addresses_ && number_near) {
    for (std::size_t k = end; k < done; ++k) {
      if (!is_upper(text[k]) || is_alnum(text[k - 1])) continue;
      std::size_t stop = k;
      while (stop < done && is_letter(text[stop])) ++stop;
      addresses_.at_word(scene, k, stop);
      k = stop;
    }
  }
  return std::max(done, end);
}

}  // namespace causeway::pii
