#include "features/privacy/pii/pseudonyms.h"

#include <algorithm>
#include <array>

#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/draw.h"
#include "features/privacy/pii/right_number.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kHashBytes = 8;

// Common in several countries, for any gender; together they name nobody in particular.
constexpr std::array<std::string_view, 40> kFirst = {
    "Alex",   "Robin",    "Kim",       "Sam",    "Charlie", "Jamie",  "Noa",    "Luca",
    "Andrea", "Sascha",   "Dominique", "Claude", "Marin",   "Ariel",  "Morgan", "Eden",
    "Jules",  "Remy",     "Toni",      "Nikita", "Quinn",   "Rowan",  "Skyler", "Dana",
    "Leslie", "Terry",    "Casey",     "Avery",  "Riley",   "Jordan", "Micha",  "Camille",
    "Valery", "Gabriele", "Chris",     "Pat",    "Jean",    "Lou",    "Mika",   "Sidney"};
constexpr std::array<std::string_view, 40> kLast = {
    "Ashford", "Bellwood", "Carver",   "Dalton",  "Ellery",  "Fairley", "Grantham", "Holbrook",
    "Ingram",  "Jarrow",   "Kendrick", "Langley", "Merton",  "Norwood", "Oakley",   "Prescott",
    "Radley",  "Selwyn",   "Thorne",   "Upton",   "Vance",   "Wexley",  "Yardley",  "Alder",
    "Brandt",  "Corbin",   "Denby",    "Easton",  "Farrow",  "Garland", "Hartwell", "Keswick",
    "Lorne",   "Milford",  "Newell",   "Orton",   "Penrose", "Rennick", "Stroud",   "Tilbury"};
// No person's pseudonym, so that a street is not taken for somebody.
constexpr std::array<std::string_view, 24> kStreets = {
    "Amberfield", "Birchmoor",  "Cloverdale", "Dunmere",    "Elmstead",  "Fernhurst",
    "Greenlow",   "Hayfold",    "Inglemere",  "Kingsmoor",  "Larkfield", "Meadowby",
    "Northwell",  "Orchardley", "Pinebrook",  "Quarrydale", "Rushmere",  "Stonecroft",
    "Thornby",    "Underfell",  "Valemont",   "Westmere",   "Yewdale",   "Zealbury"};
constexpr std::array<std::string_view, 16> kFirms = {
    "Bluefield", "Norvale", "Ostara", "Kestrel", "Merida", "Tallis",  "Verano",  "Quarry",
    "Halden",    "Lumina",  "Corvus", "Sable",   "Zephyr", "Amberly", "Fenwick", "Solway"};
constexpr std::array<std::string_view, 3> kDomains = {"example.com", "example.org", "example.net"};

// Digits and letters by others of their sort, from the one numbered `keep` on.
std::string same_shape(std::string_view value, Draw& draw, std::size_t keep = 0) {
  std::string out;
  std::size_t seen = 0;
  for (const char c : value) {
    const bool changes = is_alnum(c) && seen++ >= keep;
    if (!changes) {
      out += c;
    } else if (is_digit(c)) {
      out += static_cast<char>('0' + draw.next(10));
    } else {
      out += static_cast<char>((is_upper(c) ? 'A' : 'a') + draw.next(26));
    }
  }
  return out;
}

// Only letters to f where a number is hexadecimal.
std::string same_hex(std::string_view value, Draw& draw, std::size_t keep) {
  std::string out;
  std::size_t seen = 0;
  for (const char c : value) {
    if (!is_hex(c) || seen++ < keep) {
      out += c;
      continue;
    }
    const unsigned digit = draw.next(16);
    out += digit < 10 ? static_cast<char>('0' + digit)
                      : static_cast<char>((is_upper(c) ? 'A' : 'a') + digit - 10);
  }
  return out;
}

std::string card(std::string_view value, Draw& draw) {
  std::string out = same_shape(value, draw, 1);
  // The last digit makes the sum right (Luhn, ISO/IEC 7812-1).
  int sum = 0;
  bool twice = true;
  std::size_t last = std::string::npos;
  for (std::size_t i = out.size(); i-- > 0;) {
    if (!is_digit(out[i])) continue;
    if (last == std::string::npos) {
      last = i;
      continue;
    }
    int digit = out[i] - '0';
    if (twice) digit = digit > 4 ? digit * 2 - 9 : digit * 2;
    twice = !twice;
    sum += digit;
  }
  if (last != std::string::npos) out[last] = static_cast<char>('0' + (10 - sum % 10) % 10);
  return out;
}

// The check digits of ISO 13616: 98 less the rest by 97 with 00 in their place.
std::string iban(std::string_view value, Draw& draw) {
  std::string out = same_shape(value, draw, 4);
  std::array<std::size_t, 4> head{};
  std::size_t count = 0;
  std::string moved;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!is_alnum(out[i])) continue;
    if (count < head.size()) {
      head[count] = i;
    } else {
      moved += out[i];
    }
    ++count;
  }
  if (count <= head.size()) return out;
  moved += {out[head[0]], out[head[1]], '0', '0'};
  unsigned rest = 0;
  for (const char c : moved) {
    const unsigned digit = is_digit(c) ? static_cast<unsigned>(c - '0')
                                       : static_cast<unsigned>(to_upper(c) - 'A') + 10;
    rest = (rest * (digit > 9 ? 100 : 10) + digit) % 97;
  }
  const unsigned check = 98 - rest;
  out[head[2]] = static_cast<char>('0' + check / 10);
  out[head[3]] = static_cast<char>('0' + check % 10);
  return out;
}

std::string email(Draw& draw) {
  std::string out = draw.of(kFirst) + "." + draw.of(kLast) + std::to_string(draw.next(90) + 10);
  for (char& c : out) c = to_lower(c);
  return out + "@" + draw.of(kDomains);
}

std::string ip(std::string_view value, Draw& draw) {
  if (value.find(':') != value.npos) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "2001:db8:";
    for (int i = 0; i < 4; ++i) out += kHex[draw.next(16)];
    return out + "::" + std::to_string(draw.next(9000) + 1);
  }
  static constexpr std::array<std::string_view, 3> kNets = {"192.0.2.", "198.51.100.",
                                                            "203.0.113."};
  return draw.of(kNets) + std::to_string(draw.next(254) + 1);
}

bool all_upper(std::string_view value) {
  for (const char c : value) {
    if (is_lower(c)) return false;
  }
  return true;
}

std::string in_case_of(std::string_view value, std::string word) {
  if (all_upper(value)) {
    for (char& c : word) c = to_upper(c);
  } else if (!value.empty() && is_lower(value.front())) {
    for (char& c : word) c = to_lower(c);
  }
  return word;
}

// As many words as the real one has, two at most being names in full.
std::string person(std::string_view value, Draw& draw) {
  const bool alone = value.find(' ') == value.npos;
  if (alone) return in_case_of(value, draw.of(kLast));
  return in_case_of(value, draw.of(kFirst) + " " + draw.of(kLast));
}

// The first word is the firm; what tells its form (GmbH, Inc.) stays.
std::string firm(std::string_view value, Draw& draw) {
  const auto last = value.rfind(' ');
  const bool has_form = last != value.npos && value.size() - last <= 6;
  return in_case_of(value, draw.of(kFirms)) + (has_form ? std::string(value.substr(last)) : "");
}

// Capitalised words become streets, digits other digits; the small words between them stay.
std::string address(std::string_view value, Draw& draw) {
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    const bool starts = is_upper(value[i]) && !is_alnum(before(value, i));
    if (!starts) {
      const char c = value[i++];
      out += is_digit(c) ? static_cast<char>('0' + draw.next(10)) : c;
      continue;
    }
    std::size_t end = i;
    while (end < value.size() && (is_letter(value[end]) || (value[end] & 0x80) != 0)) ++end;
    const std::string_view word = value.substr(i, end - i);
    out += word.size() > 2 ? in_case_of(word, draw.of(kStreets)) : std::string(word);
    i = end;
  }
  return out;
}

// Days to 28 are in every month; years stay in their century.
std::string birth_date(std::string_view value, Draw& draw) {
  std::string out;
  for (std::size_t i = 0; i < value.size();) {
    std::size_t end = i;
    while (end < value.size() && is_digit(value[end])) ++end;
    const std::string number(value.substr(i, end - i));
    if (number.size() == 4) {
      out += number.substr(0, 2) + std::to_string(draw.next(50) + 40);
    } else if (number.empty()) {
      out += value[end++];
    } else {
      std::string other = std::to_string(draw.next(12) + 1);
      if (number.size() == 2 && other.size() == 1) other.insert(0, "0");
      out += other;
    }
    i = end;
  }
  return out;
}

std::string made_for(const Finding& finding, std::string_view value, std::string_view secret,
                     int attempt) {
  Draw draw(finding.kind, value, secret, attempt);
  switch (finding.kind) {
    case Kind::Email:
      return email(draw);
    case Kind::Phone:
      return same_shape(value, draw, value.starts_with('+') ? 3 : 1);
    case Kind::Card:
      return card(value, draw);
    case Kind::Iban:
      return iban(value, draw);
    case Kind::Ip:
      return ip(value, draw);
    case Kind::Mac:
      return same_hex(value, draw, 2);
    case Kind::CryptoAddress:
      return value.starts_with("0x") ? same_hex(value, draw, 1) : same_shape(value, draw, 1);
    case Kind::Person:
      return person(value, draw);
    case Kind::Organisation:
      return firm(value, draw);
    case Kind::Address:
      return address(value, draw);
    case Kind::BirthDate:
      return birth_date(value, draw);
    default: {
      std::string right = right_number(value, finding.rule, draw);
      return right.empty() ? same_shape(value, draw) : right;
    }
  }
}

}  // namespace

// On one line, so that it is found again in JSON as well.
std::string pseudonym_of(const Finding& finding, std::string_view value, std::string_view secret,
                         int attempt) {
  std::string one_line = made_for(finding, value, secret, attempt);
  std::ranges::replace(one_line, '\n', ' ');
  return one_line;
}

std::string hash_of(Kind kind, std::string_view value, std::string_view secret) {
  std::string info(name_of(kind));
  info += '\0';
  info += value;
  return crypto::to_hex(crypto::hkdf(secret, "causeway pii hash", info, kHashBytes));
}

}  // namespace causeway::pii
