#include "features/insight/ledger/record.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <numeric>

namespace causeway::ledger {
namespace {

constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kSavedAt = std::tuple_size_v<decltype(Record::names)> - 4;
constexpr std::size_t kHashCharacters = 8;

static_assert(std::accumulate(kMostNameBytes.begin(), kMostNameBytes.end(), std::size_t{0}) ==
              kSavedAt);

std::uint32_t fnv1a(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

// Writes the name as it is kept; gives its length.
std::size_t put_name(char* at, std::string_view name, std::size_t most) {
  if (name.size() <= most) {
    if (!name.empty()) std::memcpy(at, name.data(), name.size());
    return name.size();
  }
  std::size_t kept = most - 1 - kHashCharacters;
  // Not in the middle of a character.
  while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xc0) == 0x80) --kept;
  std::memcpy(at, name.data(), kept);
  at[kept] = '~';
  std::uint32_t hash = fnv1a(name);
  for (std::size_t i = 0; i < kHashCharacters; ++i, hash >>= 4) {
    at[kept + 1 + i] = "0123456789abcdef"[hash & 15];
  }
  return kept + 1 + kHashCharacters;
}

std::uint32_t microseconds(std::chrono::nanoseconds time) {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(count, 0, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

std::string_view Record::name(Name which) const {
  std::size_t at = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(which); ++i) at += lengths[i];
  return {names.data() + at, lengths[static_cast<std::size_t>(which)]};
}

std::uint32_t Record::tokens_saved() const {
  std::uint32_t saved = 0;
  if (version > 1) std::memcpy(&saved, names.data() + kSavedAt, sizeof saved);
  return saved;
}

Record make_record(const Settlement& settlement) {
  Record record{};
  record.version = kVersion;
  record.status = static_cast<std::uint16_t>(std::clamp(settlement.status, 0, 999));
  record.time_us =
      std::chrono::duration_cast<std::chrono::microseconds>(settlement.time.time_since_epoch())
          .count();
  record.cost = settlement.cost.value_or(0);
  const Usage& usage = settlement.usage;
  record.tokens = {usage.input_uncached, usage.cache_read, usage.cache_write, usage.output_visible,
                   usage.reasoning,      usage.audio_in,   usage.audio_out};
  record.duration_us = microseconds(settlement.duration);
  record.to_first_us = microseconds(settlement.to_first);
  record.flags = static_cast<std::uint8_t>(
      (settlement.cost ? Record::kCostKnown : 0) | (settlement.streamed ? Record::kStreamed : 0) |
      (settlement.cut_by_client ? Record::kCutByClient : 0) |
      (settlement.error ? Record::kFailed : 0) | (settlement.lost ? Record::kLost : 0));
  record.source = static_cast<std::uint8_t>(usage.source);
  record.error = static_cast<std::uint8_t>(settlement.error.value_or(ErrorKind{}));
  const std::string_view names[kNames] = {settlement.key, settlement.tenant, settlement.model,
                                          settlement.provider, settlement.upstream};
  std::size_t at = 0;
  for (std::size_t i = 0; i < kNames; ++i) {
    const std::size_t length = put_name(record.names.data() + at, names[i], kMostNameBytes[i]);
    record.lengths[i] = static_cast<std::uint8_t>(length);
    at += length;
  }
  std::memcpy(record.names.data() + kSavedAt, &settlement.tokens_saved, 4);
  return record;
}

// Four independent lanes, because each step waits for the multiplication before it.
std::uint32_t checksum_of(const Record& record) {
  constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15u;  // 2^64 / golden ratio
  constexpr std::size_t kWords = sizeof(Record) / 8;
  static_assert(kWords % 4 == 0 && offsetof(Record, checksum) / 8 < kWords);
  const auto* bytes = reinterpret_cast<const char*>(&record);
  const auto step = [bytes](std::uint64_t lane, std::size_t word) {
    std::uint64_t value;
    std::memcpy(&value, bytes + 8 * word, 8);
    // In the checksum's own place stand zeros.
    constexpr std::size_t kAt = offsetof(Record, checksum);
    if (word == kAt / 8) value &= ~(std::uint64_t{0xffffffff} << (8 * (kAt % 8)));
    lane = (lane ^ value) * kOdd;
    return lane ^ lane >> 32;
  };
  std::uint64_t a = 1, b = 2, c = 3, d = 4;
  for (std::size_t i = 0; i < kWords; i += 4) {
    a = step(a, i);
    b = step(b, i + 1);
    c = step(c, i + 2);
    d = step(d, i + 3);
  }
  std::uint64_t sum = 0;
  for (const std::uint64_t lane : {a, b, c, d}) sum = (sum ^ lane) * kOdd ^ (sum >> 29);
  return static_cast<std::uint32_t>(sum >> 32);
}

bool sound(const Record& record) {
  if (record.version < 1 || record.version > kVersion) return false;
  if (record.checksum != checksum_of(record)) return false;
  std::size_t names = 0;
  for (std::size_t i = 0; i < kNames; ++i) {
    if (record.version > 1 && record.lengths[i] > kMostNameBytes[i]) return false;
    names += record.lengths[i];
  }
  if (names > record.names.size()) return false;
  return record.source <= static_cast<std::uint8_t>(UsageSource::Saved);
}

}  // namespace causeway::ledger
