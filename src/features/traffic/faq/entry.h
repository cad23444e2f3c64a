// A question that staff has answered: how it may be put, the answer, and for whom and when it
// holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace causeway::faq {

using Seconds = std::int64_t;  // Unix time

/// What staff writes of an entry.
struct Draft {
  static constexpr std::size_t kMostQuestions = 50;
  static constexpr std::size_t kMostQuestion = 2'000;    // bytes
  static constexpr std::size_t kMostAnswer = 64 * 1024;  // bytes
  static constexpr std::size_t kMostModels = 50;

  std::vector<std::string> questions{};  // the first is its name, the others say the same
  std::string answer{};                  // text or Markdown, as it goes out
  std::string language{};                // "de", "pt-BR"; "" = not said
  std::string tenant{};                  // "" = all
  std::vector<std::string> models{};     // patterns of models; empty = all
  std::optional<Seconds> valid_from{};   // the first second
  std::optional<Seconds> valid_until{};  // the first second when it holds no more
  bool enabled = true;

  bool valid_at(Seconds now) const {
    return enabled && (!valid_from || *valid_from <= now) && (!valid_until || now < *valid_until);
  }
  std::size_t bytes() const;
  bool operator==(const Draft&) const = default;
};

struct Entry : Draft {
  std::string id;            // "faq_…"
  std::int64_t version = 0;  // from 1
  std::string changed_by;    // key id of the admin
  Seconds changed_at = 0;
};

/// Tidies white space at the ends, and says all that is wrong: InvalidRequest "faq_entry" with the
/// field in `param`.
std::vector<Error> mistakes(Draft& draft);
/// The same; the first of them.
Result<void> check(Draft& draft);

/// "2026-12-31", "31.12.2026" (as spreadsheets write it in half of Europe), "2026-12-31T18:00:00Z".
/// A day alone is its first second, or, as the end of validity, the first second after it. All in
/// UTC. nullopt = not a time.
std::optional<Seconds> parse_time(std::string_view text, bool end);
/// The same back: a day where it is one, else with the time.
std::string time_text(Seconds time, bool end);

}  // namespace causeway::faq
