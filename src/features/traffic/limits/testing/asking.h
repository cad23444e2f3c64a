// Limits and subjects for tests.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "features/traffic/limits/table.h"

namespace causeway::limits {

inline Limit limit_of(Amount amount, std::int64_t most, std::chrono::nanoseconds window) {
  Limit limit;
  limit.name = "l";
  limit.identity = "l";
  limit.amount = amount;
  limit.most = most;
  limit.window = window;
  return limit;
}

inline Limit monthly(std::int64_t most) {
  Limit limit = limit_of(Amount::Money, most, std::chrono::nanoseconds(0));
  limit.each = Each::Month;
  limit.time_zone = "UTC";
  return limit;
}

inline SubjectKey key_of(std::uint64_t number) {
  return {number * 0x9E3779B97F4A7C15ull, number * 0xBF58476D1CE4E5B9ull + 1};
}

/// One limit of one subject.
struct Asking {
  Table& table;
  const Limit& limit;
  SubjectKey key = key_of(1);
  Taken taken{};
  Standing standing{};
  std::optional<Refusal> take(std::int64_t amount = 1) {
    const Wanted wanted{&limit, key, "ann", amount};
    return table.take({&wanted, 1}, {&taken, 1}, {&standing, 1});
  }
};

}  // namespace causeway::limits
