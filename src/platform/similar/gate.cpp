#include "platform/similar/gate.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "platform/similar/words.h"
#include "platform/text/ascii.h"
#include "platform/text/utf8.h"

namespace causeway::similar {

namespace {

struct Token {
  std::string text;      ///< small letters
  bool capital = false;  ///< began with a capital, or has one inside
  bool code = false;     ///< user_id, malloc(), .docx, mixedCase
  bool quoted = false;
  bool begins = false;  ///< a sentence
};

bool is_ascii_letter(char c) { return text::is_alnum(c) && !text::is_digit(c); }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

/// Cuts a text into tokens. Gives up where it meets a script that the lists know nothing of.
class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  bool read(std::vector<Token>& out) {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) >= 0x80) {
        if (!wide(out)) return false;
      } else if (text::is_alnum(c) || c == '_') {
        take(c);
      } else {
        mark(c, out);
      }
      ++at_;
      if (out.size() > kMostWords) return false;
    }
    finish(out);
    return out.size() <= kMostWords;
  }

 private:
  char next() const { return at_ + 1 < text_.size() ? text_[at_ + 1] : ' '; }

  void take(char c) {
    if (c == '_') now_.code = true;
    if (is_upper(c)) {
      if (!now_.text.empty() && !is_upper(text_[at_ - 1]) && is_ascii_letter(text_[at_ - 1])) {
        now_.code = true;
      }
      now_.capital = true;
    }
    now_.text += text::to_lower(c);
  }

  void mark(char c, std::vector<Token>& out) {
    const bool inside = !now_.text.empty();
    switch (c) {
      case '\'':
        return apostrophe(out);
      case '.':
      case ',':
        if (inside && text::is_digit(now_.text.back()) && text::is_digit(next())) {
          now_.text += '.';
          return;
        }
        if (c == '.' && text::is_alnum(next()) && !text::is_blank(next())) {
          finish(out);
          now_.code = !inside;
          return;
        }
        break;
      case '+':
      case '#':
        if (inside && is_ascii_letter(now_.text[0])) {
          now_.text += c;
          return;
        }
        break;
      case '(':
        if (inside && next() == ')') now_.code = true;
        break;
      case '%':
        if (inside && text::is_digit(now_.text[0])) now_.text += '%';
        break;
      case '"':
        finish(out);
        quoted_ = !quoted_;
        return;
      case '$':
        finish(out);
        out.push_back({.text = "$"});
        return;
      default:
        break;
    }
    finish(out);
    if (c == '.' || c == '?' || c == '!' || c == ':' || c == '\n') begins_ = true;
  }

  /// don't, l'heure, Peter's
  void apostrophe(std::vector<Token>& out) {
    if (now_.text == "aujourd") {
      now_.text += '\'';
      return;
    }
    if (now_.text.size() > 1 && now_.text.back() == 'n' && text::to_lower(next()) == 't') {
      now_.text.pop_back();
      if (now_.text == "ca") now_.text = "can";
      finish(out);
      out.push_back({.text = "not"});
      skip_letters();
      return;
    }
    const bool french = now_.text == "n";
    const std::size_t length = now_.text.size();
    finish(out);
    if (french) out.push_back({.text = "pas"});
    if (length > 1) skip_letters();
  }

  void skip_letters() {
    while (text::is_alnum(next())) ++at_;
  }

  /// A character of more than one byte. False where it is of no script that can be read.
  bool wide(std::vector<Token>& out) {
    const std::size_t length = text::utf8_length(text_.substr(at_));
    if (length < 2) return false;
    const std::string_view bytes = text_.substr(at_, length);
    at_ += length - 1;
    if (bytes == "\u2019") return apostrophe(out), true;
    if (bytes == "\u20ac" || bytes == "\u00a3" || bytes == "\u00a5") {
      finish(out);
      out.push_back({.text = std::string(bytes)});
      return true;
    }
    if (bytes == "\u201c" || bytes == "\u201e" || bytes == "\u201d") {
      finish(out);
      quoted_ = bytes != "\u201d" && !quoted_;
      return true;
    }
    const auto first = static_cast<unsigned char>(bytes[0]);
    if (first == 0xC2 || bytes.starts_with("\xE2\x80")) return finish(out), true;
    if (first < 0xC3 || first > 0xC9) return false;
    auto second = static_cast<unsigned char>(bytes[1]);
    if (first == 0xC3 && second >= 0x80 && second <= 0x9E) {
      second = static_cast<unsigned char>(second + 0x20);
      now_.capital = true;
    }
    now_.text += bytes[0];
    now_.text += static_cast<char>(second);
    return true;
  }

  void finish(std::vector<Token>& out) {
    if (!now_.text.empty()) {
      now_.begins = begins_;
      now_.quoted = quoted_;
      begins_ = false;
      out.push_back(std::move(now_));
    }
    now_ = {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  Token now_;
  bool quoted_ = false;
  bool begins_ = true;
};

template <class T>
void sort_once(std::vector<T>& all) {
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
}

/// Cuts "400mg" and "2nd" in two; "2.3" and "15%" stay.
void split_suffixes(std::vector<Token>& tokens) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    auto& token = tokens[i];
    if (token.text == "v" || !text::is_digit(token.text[0])) {
      // v2.3 is 2.3
      if (token.text.size() > 1 && token.text[0] == 'v' && text::is_digit(token.text[1])) {
        token.text.erase(0, 1);
      }
      continue;
    }
    const auto end = token.text.find_first_not_of("0123456789.%");
    if (end == std::string::npos) continue;
    Token rest{.text = token.text.substr(end)};
    token.text.resize(end);
    if (rest.text != "st" && rest.text != "nd" && rest.text != "rd" && rest.text != "th") {
      tokens.insert(tokens.begin() + static_cast<std::ptrdiff_t>(i) + 1, std::move(rest));
    }
  }
}

std::uint8_t language_of(const std::vector<const Entry*>& entries) {
  std::array<int, 6> seen{};
  for (const auto* entry : entries) {
    if (entry == nullptr) continue;
    for (std::size_t i = 0; i < seen.size(); ++i) seen[i] += entry->languages >> i & 1;
  }
  const auto most = std::ranges::max_element(seen);
  if (*most == 0 || (most != seen.begin() && std::ranges::count(seen, *most) > 1)) return 0;
  return static_cast<std::uint8_t>(most - seen.begin() + 1);
}

/// Minutes or months, so that "two weeks" is "14 days".
std::string duration_of(const std::string& number, std::string_view unit) {
  struct Length {
    std::string_view names;
    int times;
    std::string_view in;
  };
  static constexpr std::array<Length, 6> kLengths = {{
      {" minute minutes minuten min ", 1, "min"},
      {" hour hours stunde stunden heure heures hora horas ", 60, "min"},
      {" day days tag tage tagen jour jours día días ", 1440, "min"},
      {" week weeks woche wochen semaine semaines semana semanas ", 10080, "min"},
      {" month months monat monate monaten mois mes meses ", 1, "mon"},
      {" year years jahr jahre jahren an ans année années año años ", 12, "mon"},
  }};
  double value = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
  if (error != std::errc{} || end != number.data() + number.size()) return {};
  if (value > 1e9) return {};
  for (const auto& length : kLengths) {
    if (length.names.find(" " + std::string(unit) + " ") != std::string_view::npos) {
      return std::to_string(static_cast<long long>(value * length.times * 100)) +
             std::string(length.in);
    }
  }
  return {};
}

bool is(const std::vector<Token>& tokens, std::size_t i, std::initializer_list<const char*> words) {
  return i < tokens.size() &&
         std::ranges::any_of(words, [&](const char* word) { return tokens[i].text == word; });
}

bool has(const std::vector<Token>& tokens, std::initializer_list<const char*> words) {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (is(tokens, i, words)) return true;
  }
  return false;
}

bool asks_yes_or_no(const std::vector<Token>& tokens) {
  return is(tokens, 0, {"is",   "are",  "was",    "were", "do",    "does", "did", "can",  "could",
                        "may",  "must", "should", "has",  "have",  "will", "am",  "kann", "darf",
                        "muss", "ist",  "sind",   "puis", "puedo", "geht", "habt"}) &&
         !has(tokens, {"tell", "explain", "know", "help", "show"});
}

bool wishes(const std::vector<Token>& tokens) {
  for (std::size_t i = 0; i < 2; ++i) {
    if (is(tokens, i,
           {"want", "need", "möchte", "will", "veux", "souhaite", "voudrais", "quiero", "vorrei",
            "wil"}) ||
        (is(tokens, i + 1, {"like"}) && is(tokens, i, {"i", "would", "d"}))) {
      return true;
    }
  }
  return false;
}

Kind kind_of(const std::vector<Token>& tokens) {
  if (asks_yes_or_no(tokens)) return Kind::YesNo;
  for (std::size_t i = 0; i < tokens.size() && i < kMostWords; ++i) {
    if (is(tokens, i, {"why", "warum", "wieso", "pourquoi", "perché", "waarom"})) return Kind::Why;
    if (is(tokens, i, {"when", "wann", "quand", "cuándo", "quando", "wanneer"})) return Kind::When;
    if (is(tokens, i, {"where", "wo"}) && is(tokens, i + 1, {"can", "do", "could", "kann"}) &&
        is(tokens, i + 2, {"i", "ich"})) {
      return Kind::WhereDo;
    }
    if (is(tokens, i, {"where", "wo", "où", "dónde", "dove", "waar"})) return Kind::Where;
    if (is(tokens, i, {"who", "whom", "wer", "quién", "chi"})) return Kind::Who;
    if (is(tokens, i, {"combien", "cuánto", "cuánta", "quanto", "hoeveel"})) return Kind::HowMuch;
    if (is(tokens, i, {"how", "wie", "comment", "cómo", "hoe"}) ||
        (i == 0 && is(tokens, i, {"come"}))) {
      if (is(tokens, i + 1, {"much", "little", "hoch"})) return Kind::HowMuch;
      if (is(tokens, i + 1, {"many", "viele"})) return Kind::HowMany;
      if (is(tokens, i + 1, {"long", "fast", "lange", "soon"})) return Kind::HowLong;
      if (is(tokens, i + 1, {"far", "weit"})) return Kind::HowFar;
      if (is(tokens, i + 1, {"old", "high", "big", "large", "deep", "heißt"})) return Kind::Open;
      return Kind::How;
    }
    if (is(tokens, i, {"what", "whats", "which"})) {
      if (has(tokens, {"reason", "makes", "made"})) return Kind::Why;
      if (has(tokens, {"cost", "costs", "price", "charge"})) return Kind::HowMuch;
      if (is(tokens, i + 1, {"time"}) || has(tokens, {"date", "hours"}) ||
          is(tokens, i + 1, {"day", "days"})) {
        return Kind::When;
      }
      if (is(tokens, i + 1, {"person", "people", "author"})) return Kind::Who;
      if (is(tokens, i + 1, {"country", "place"})) return Kind::Where;
      if (has(tokens, {"way", "steps", "process", "command"})) return Kind::How;
      if (has(tokens, {"distance"})) return Kind::HowFar;
      if (has(tokens, {"number"})) return Kind::Open;
      if (is(tokens, i + 1, {"is"}) && is(tokens, i + 2, {"a", "an"})) return Kind::Define;
      if (is(tokens, i + 1, {"is"}) && tokens.size() == 3) return Kind::Define;
      if (has(tokens, {"mean"})) return Kind::Define;
      return Kind::Open;
    }
    if (is(tokens, i, {"explain", "define", "meaning"})) return Kind::Define;
  }
  return wishes(tokens) ? Kind::How : Kind::Open;
}

class Reader {
 public:
  Reader(const std::vector<Token>& tokens, Question& question)
      : tokens_(tokens), question_(question) {
    entries_.reserve(tokens.size());
    for (const auto& token : tokens) entries_.push_back(entry_of(token.text));
    question_.language = language_of(entries_);
    question_.kind = kind_of(tokens);
    for (const auto& token : tokens) small_ |= !token.capital && is_ascii_letter(token.text[0]);
  }

  void read() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) one(i);
    sort_once(question_.content);
    std::ranges::sort(question_.numbers);
    std::ranges::sort(question_.measured);
    sort_once(question_.units);
    sort_once(question_.people);
    sort_once(question_.times);
    sort_once(question_.groups);
  }

 private:
  void one(std::size_t i) {
    const auto& token = tokens_[i];
    const auto* entry = entries_[i];
    const auto word = stem(token.text);
    question_.words.push_back(word);
    if (text::is_digit(token.text[0])) return number(i, token.text);
    if (token.text == "half" && has(tokens_, {"hour"})) {
      question_.numbers.emplace_back("30");
      question_.measured.push_back(duration_of("30", "min"));
      return;
    }
    if (entry != nullptr) {
      if (!entry->number.empty()) return number(i, entry->number);
      if (token.text == "one") one_in_words(i);
      question_.negated |= entry->negation;
      question_.only |= entry->only;
      if (entry->modality != 0 && question_.kind == Kind::YesNo && question_.modality == 0) {
        question_.modality = entry->modality;
      }
      if (!entry->unit.empty() && !after_number_of_time(i)) question_.units.push_back(entry->unit);
      if (!entry->person.empty()) question_.people.push_back(entry->person);
      if (!entry->time.empty()) question_.times.push_back(entry->time);
      for (const auto& group : entry->groups) question_.groups.push_back(group);
    }
    if (!is_function(entry)) question_.content.push_back(word);
    if (is_entity(token, entry)) question_.entities.push_back(word);
    direction(i, word);
  }

  void number(std::size_t i, std::string value) {
    if (is(tokens_, i + 1, {"percent", "prozent"})) value += '%';
    // 1.000 and 1,000 are a thousand; 1.5 is not.
    const auto dot = value.find('.');
    if (dot != std::string::npos && value.size() == dot + 4) value.erase(dot, 1);
    auto duration = i + 1 < tokens_.size() ? duration_of(value, tokens_[i + 1].text) : "";
    if (!duration.empty()) {
      question_.measured.push_back(std::move(duration));
    } else if (value != "1") {
      question_.measured.push_back(value);
    }
    if (value == "1") {
      question_.digit_one = true;
    } else {
      question_.numbers.push_back(std::move(value));
    }
  }

  void one_in_words(std::size_t i) {
    question_.word_one = true;
    if (i + 1 >= tokens_.size()) return;
    auto duration = duration_of("1", tokens_[i + 1].text);
    if (!duration.empty()) question_.measured.push_back(std::move(duration));
  }

  /// In the question's own language: "Ben" is a name in an English one.
  bool is_function(const Entry* entry) const {
    if (entry == nullptr || !entry->function) return false;
    return question_.language == 0 || (entry->languages >> (question_.language - 1) & 1) != 0;
  }

  bool after_number_of_time(std::size_t i) const {
    return i > 0 && !duration_of("1", tokens_[i].text).empty() &&
           (text::is_digit(tokens_[i - 1].text[0]) || tokens_[i - 1].text == "an" ||
            tokens_[i - 1].text == "one" ||
            (entries_[i - 1] != nullptr && !entries_[i - 1]->number.empty()));
  }

  bool is_entity(const Token& token, const Entry* entry) const {
    if (token.quoted || token.code) return true;
    if (entry != nullptr && entry->name) return true;
    if (!token.capital || token.begins || !small_ || question_.language == 2) return false;
    if (token.text.size() < 2) return false;
    return entry == nullptr || (!is_function(entry) && entry->unit.empty() && entry->time.empty());
  }

  void direction(std::size_t i, const std::string& word) {
    // The word behind "from", past articles: the first within three that is not a function word.
    for (std::size_t back = 1; back <= 3 && back <= i; ++back) {
      const auto& before = tokens_[i - back].text;
      if (before == "from" || before == "von" || before == "de" || before == "da") {
        question_.from.push_back(unit_or(i, word));
        return;
      }
      if (before == "to" || before == "into" || before == "nach" || before == "à" ||
          before == "a") {
        if (before == "a" && question_.language == 1) continue;
        question_.to.push_back(unit_or(i, word));
        return;
      }
      if (before == "than" || before == "als" ||
          (before == "with" && has(tokens_, {"replace", "substitute", "swap", "exchange"}))) {
        question_.than.push_back(unit_or(i, word));
        return;
      }
      const auto* entry = entries_[i - back];
      if (!is_function(entry)) return;
    }
  }

  std::string unit_or(std::size_t i, const std::string& word) const {
    return entries_[i] != nullptr && !entries_[i]->unit.empty() ? entries_[i]->unit : word;
  }

  const std::vector<Token>& tokens_;
  Question& question_;
  std::vector<const Entry*> entries_;
  bool small_ = false;  ///< there are words in small letters, so capitals say something
};

}  // namespace

Question read_question(std::string_view text) {
  Question question;
  if (text.size() > kMostBytes) return question;
  std::vector<Token> tokens;
  tokens.reserve(24);
  if (!Tokens(text).read(tokens) || tokens.empty()) return question;
  split_suffixes(tokens);
  Reader(tokens, question).read();
  question.read = true;
  return question;
}

}  // namespace causeway::similar
