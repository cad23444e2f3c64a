#include "features/traffic/faq/entry.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "platform/text/ascii.h"
#include "platform/text/utf8.h"

namespace causeway::faq {
namespace {

constexpr Seconds kDay = 24 * 60 * 60;

std::unexpected<Error> wrong(const char* field, std::string why) {
  auto error = fail(ErrorKind::InvalidRequest, Origin::Client,
                    "\"" + std::string(field) + "\" " + std::move(why), "faq_entry");
  error.error().param = field;
  return error;
}

// White space of ASCII alone: others are part of what somebody wrote.
void trim(std::string& text) {
  constexpr std::string_view kSpace = " \t\r\n\f\v";
  const auto end = text.find_last_not_of(kSpace);
  text.erase(end == std::string::npos ? 0 : end + 1);
  text.erase(0, std::min(text.find_first_not_of(kSpace), text.size()));
}

// As files have it that come back from another system.
void unify_line_ends(std::string& text) {
  if (text.find('\r') == std::string::npos) return;
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (!pair) out += text[i] == '\r' ? '\n' : text[i];
  }
  text = std::move(out);
}

bool is_text(std::string_view text) {
  return text::utf8_valid(text) && text.find('\0') == std::string_view::npos;
}

// RFC 5646's shape, not its registry: letters first, then parts of letters and digits.
bool is_language(std::string_view tag) {
  if (tag.empty()) return true;
  if (tag.size() > 35) return false;
  std::size_t part = 0;
  bool first = true;
  for (const char c : tag) {
    if (c == '-') {
      if (part < (first ? 2u : 1u)) return false;
      part = 0;
      first = false;
      continue;
    }
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    if ((!letter && (first || !digit)) || ++part > 8) return false;
  }
  return part >= (first ? 2u : 1u);
}

class Digits {
 public:
  explicit Digits(std::string_view text) : rest_(text) {}
  bool number(std::size_t places, int& out) {
    if (rest_.size() < places) return false;
    out = 0;
    for (std::size_t i = 0; i < places; ++i) {
      const char c = rest_[i];
      if (c < '0' || c > '9') return false;
      out = out * 10 + (c - '0');
    }
    rest_.remove_prefix(places);
    return true;
  }
  bool next(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

bool read_day(Digits& digits, int& year, int& month, int& day) {
  Digits european = digits;
  if (digits.number(4, year)) {
    return digits.next('-') && digits.number(2, month) && digits.next('-') && digits.number(2, day);
  }
  digits = european;
  return digits.number(2, day) && digits.next('.') && digits.number(2, month) && digits.next('.') &&
         digits.number(4, year);
}

// Behind the 'T': hours, minutes, perhaps seconds, and how far that is from UTC.
std::optional<Seconds> read_clock(Digits& digits) {
  int hour = 0, minute = 0, second = 0;
  if (!digits.number(2, hour) || !digits.next(':') || !digits.number(2, minute)) {
    return std::nullopt;
  }
  if (digits.next(':') && !digits.number(2, second)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const Seconds clock = hour * 3600 + minute * 60 + second;
  if (digits.next('Z')) return digits.empty() ? std::optional(clock) : std::nullopt;
  const bool east = digits.next('+');
  int hours = 0, minutes = 0;
  if (!east && !digits.next('-')) return std::nullopt;
  if (!digits.number(2, hours) || !digits.next(':') || !digits.number(2, minutes) ||
      !digits.empty() || hours > 14 || minutes > 59) {
    return std::nullopt;
  }
  const Seconds away = hours * 3600 + minutes * 60;
  return east ? clock - away : clock + away;
}

}  // namespace

std::size_t Draft::bytes() const {
  std::size_t sum = answer.size() + language.size() + tenant.size();
  for (const auto& question : questions) sum += question.size();
  for (const auto& model : models) sum += model.size();
  return sum;
}

std::vector<Error> mistakes(Draft& draft) {
  std::vector<Error> all;
  const auto tell = [&all](const char* field, std::string why) {
    all.push_back(wrong(field, std::move(why)).error());
  };
  for (auto& question : draft.questions) {
    // One line each: so a file can have them.
    std::ranges::replace_if(question, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    trim(question);
  }
  std::erase_if(draft.questions, [](const auto& question) { return question.empty(); });
  unify_line_ends(draft.answer);
  trim(draft.answer);
  if (draft.questions.empty()) tell("question", "is missing.");
  if (draft.questions.size() > Draft::kMostQuestions) {
    tell("questions", "are more than 50 wordings; make two entries of it.");
  }
  if (std::ranges::any_of(draft.questions,
                          [](const auto& one) { return one.size() > Draft::kMostQuestion; })) {
    tell("question", "is longer than 2,000 bytes.");
  }
  if (!std::ranges::all_of(draft.questions, is_text)) tell("question", "is not UTF-8 text.");
  if (draft.answer.empty()) tell("answer", "is missing.");
  if (draft.answer.size() > Draft::kMostAnswer) tell("answer", "is longer than 64 KiB.");
  if (!is_text(draft.answer)) tell("answer", "is not UTF-8 text.");
  if (!is_language(draft.language)) {
    tell("language", "is not a language tag like \"de\" or \"pt-BR\".");
  }
  if (draft.tenant.size() > 200 || !is_text(draft.tenant)) {
    tell("tenant", "is longer than 200 bytes, or no UTF-8 text.");
  }
  if (draft.models.size() > Draft::kMostModels) tell("models", "are more than 50.");
  if (std::ranges::any_of(draft.models, [](const auto& model) {
        return model.empty() || model.size() > 200 || !is_text(model);
      })) {
    tell("models", "has a pattern that is empty, longer than 200 bytes, or no UTF-8.");
  }
  if (draft.valid_from && draft.valid_until && *draft.valid_from >= *draft.valid_until) {
    tell("valid_until", "is not after \"valid_from\".");
  }
  return all;
}

Result<void> check(Draft& draft) {
  auto all = mistakes(draft);
  if (!all.empty()) return std::unexpected(std::move(all.front()));
  return {};
}

std::optional<Seconds> parse_time(std::string_view text, bool end) {
  text = text::trim(text);
  Digits digits(text);
  int year = 0, month = 0, day = 0;
  if (!read_day(digits, year, month, day)) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1970) return std::nullopt;
  const Seconds midnight = std::chrono::sys_days(date).time_since_epoch().count() * kDay;
  if (digits.empty()) return end ? midnight + kDay : midnight;
  if (!digits.next('T') && !digits.next(' ')) return std::nullopt;
  const auto clock = read_clock(digits);
  if (!clock) return std::nullopt;
  return midnight + *clock;
}

std::string time_text(Seconds time, bool end) {
  const Seconds clock = ((time % kDay) + kDay) % kDay;
  Seconds day = (time - clock) / kDay;
  const bool whole = clock == 0;
  if (whole && end) --day;
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  char text[40];
  if (whole) {
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", int(date.year()), unsigned(date.month()),
                  unsigned(date.day()));
  } else {
    std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", int(date.year()),
                  unsigned(date.month()), unsigned(date.day()), int(clock / 3600),
                  int(clock / 60 % 60), int(clock % 60));
  }
  return text;
}

}  // namespace causeway::faq
