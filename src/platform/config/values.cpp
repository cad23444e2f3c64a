#include "platform/config/values.h"

#include <fmt/core.h>

#include <array>
#include <charconv>
#include <limits>

namespace causeway::config {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first: this is the order in which they may follow each other.
constexpr std::array<Unit, 6> kTimes{{{"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000}}};

constexpr std::int64_t kTi = std::int64_t{1} << 40;
constexpr std::array<Unit, 9> kSizes{{{"tib", kTi},
                                      {"gib", 1 << 30},
                                      {"mib", 1 << 20},
                                      {"kib", 1 << 10},
                                      {"tb", 1'000'000'000'000},
                                      {"gb", 1'000'000'000},
                                      {"mb", 1'000'000},
                                      {"kb", 1'000},
                                      {"b", 1}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Takes digits off the front; nothing when there are none or they do not fit.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  if (text.empty() || !is_digit(text.front())) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::string take_letters(std::string_view& text) {
  std::string out;
  while (!text.empty() && is_letter(text.front())) {
    out += text.front();
    text.remove_prefix(1);
  }
  return out;
}

std::optional<std::int64_t> multiply(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (__builtin_mul_overflow(a, b, &out)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::size_t next = 0;  // the largest unit that may still come
  do {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const std::string unit = take_letters(text);
    while (next < kTimes.size() && kTimes[next].name != unit) ++next;
    if (next == kTimes.size()) return std::nullopt;
    const auto part = multiply(*number, kTimes[next++].factor);
    if (!part || *part > kMax - total) return std::nullopt;
    total += *part;
  } while (!text.empty());
  return std::chrono::nanoseconds(total);
}

std::string print_duration(std::chrono::nanoseconds value) {
  std::int64_t rest = value.count();
  if (rest == 0) return "0s";
  std::string out = rest < 0 ? "-" : "";
  for (const Unit& unit : kTimes) {
    const std::int64_t count = rest / unit.factor;
    if (count != 0) out += fmt::format("{}{}", count < 0 ? -count : count, unit.name);
    rest %= unit.factor;
  }
  return rest == 0 ? out : out + fmt::format("{}ns", rest < 0 ? -rest : rest);
}

std::optional<Bytes> parse_bytes(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  if (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::string unit = take_letters(text);
  if (!text.empty()) return std::nullopt;
  for (char& c : unit) c = static_cast<char>(c | 0x20);
  for (const Unit& known : kSizes) {
    if (known.name != unit) continue;
    const auto value = multiply(*number, known.factor);
    if (!value) return std::nullopt;
    return Bytes{static_cast<std::uint64_t>(*value)};
  }
  return std::nullopt;
}

std::string print_bytes(Bytes value) {
  if (value.value == 0) return "0B";
  constexpr std::array<Unit, 5> kPrinted{
      {{"TiB", kTi}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"MB", 1'000'000}}};
  for (const Unit& unit : kPrinted) {
    const auto factor = static_cast<std::uint64_t>(unit.factor);
    if (value.value % factor == 0) return fmt::format("{}{}", value.value / factor, unit.name);
  }
  if (value.value % 1000 == 0) return fmt::format("{}KB", value.value / 1000);
  return fmt::format("{}B", value.value);
}

std::optional<Money> parse_money(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto whole = take_number(text);
  if (!whole) return std::nullopt;
  std::int64_t fraction = 0;
  if (!text.empty()) {
    if (text.front() != '.') return std::nullopt;
    text.remove_prefix(1);
    if (text.empty() || text.size() > 6) return std::nullopt;
    const std::size_t digits = text.size();
    const auto part = take_number(text);
    if (!part || !text.empty()) return std::nullopt;
    fraction = *part;
    for (std::size_t i = digits; i < 6; ++i) fraction *= 10;
  }
  const auto micros = multiply(*whole, 1'000'000);
  if (!micros || *micros > kMax - fraction) return std::nullopt;
  return Money{negative ? -(*micros + fraction) : *micros + fraction};
}

std::string print_money(Money value) {
  const bool negative = value.micros < 0;
  // Through unsigned: the smallest number has no positive counterpart.
  const std::uint64_t micros = negative ? 0 - static_cast<std::uint64_t>(value.micros)
                                        : static_cast<std::uint64_t>(value.micros);
  std::string out = fmt::format("{}{}", negative ? "-" : "", micros / 1'000'000);
  if (micros % 1'000'000 == 0) return out;
  std::string fraction = fmt::format("{:06}", micros % 1'000'000);
  while (fraction.back() == '0') fraction.pop_back();
  return out + "." + fraction;
}

const Sections::Entry* Sections::find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

void Sections::put(Entry entry) {
  for (Entry& old : entries_) {
    if (old.name == entry.name) {
      old = std::move(entry);
      return;
    }
  }
  entries_.push_back(std::move(entry));
}

}  // namespace causeway::config
