// What is counted of exchanges for the alerts, as one row of numbers: whatever is measured,
// compared or explained is a sum of such rows. Times are in microseconds, cost in millionths of the
// currency.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "platform/base/error.h"

namespace causeway::alerts {

inline constexpr std::size_t kErrorKinds = static_cast<std::size_t>(ErrorKind::Internal) + 1;
inline constexpr std::size_t kBuckets = 40;

/// Places in a row.
enum Column : std::size_t {
  kRequests,  // exchanges that ended
  kAnswered,  // those that went well: what the times below are of
  kStreams,   // of these
  kAttempts,
  kTotal,       // the whole of it, as the caller sees it who is not slow himself
  kQueue,       // in Causeway itself: waiting for a slot or the processor, its own work
  kNetwork,     // connecting: name, TCP, TLS
  kFirst,       // the provider, to its first content; of streams
  kGeneration,  // the provider, behind that; of whole answers all of its time
  kWhole,       // of that, the time of whole answers
  kLost,        // in tries that failed, at the target that failed
  kInput,       // tokens
  kOutput,
  kStreamed,  // of these, of streams
  kCost,
  kErrors,                                 // of exchanges, by kind
  kAttemptErrors = kErrors + kErrorKinds,  // of attempts, by kind
  kTotals = kAttemptErrors + kErrorKinds,  // kTotal by bucket
  kFirsts = kTotals + kBuckets,            // time to the first content of streams, by bucket
  kColumns = kFirsts + kBuckets,
};

/// Half octaves from half a millisecond to nine minutes.
inline std::size_t bucket_of(std::uint64_t micros) {
  const std::uint64_t units = micros >> 8;  // of a quarter of a millisecond
  if (units < 2) return 0;
  const auto octave = static_cast<std::size_t>(std::bit_width(units)) - 1;
  const std::size_t bucket = 2 * (octave - 1) + ((units >> (octave - 1)) & 1);
  return std::min(bucket, kBuckets - 1);
}

/// Where a bucket begins, in microseconds.
inline double bucket_begin(std::size_t bucket) {
  if (bucket == 0) return 0;
  const double octave = 512.0 * static_cast<double>(std::uint64_t{1} << (bucket / 2));
  return bucket % 2 == 0 ? octave : octave * 1.5;
}

struct Counts {
  std::array<float, kColumns> at{};

  float operator[](std::size_t column) const { return at[column]; }
  void add(const Counts& other) {
    for (std::size_t i = 0; i < kColumns; ++i) at[i] += other.at[i];
  }

  /// The time that so large a share (0 to 1) of what is in these buckets stays below, in
  /// microseconds; 0 where there is nothing.
  double quantile(Column first_bucket, double share) const;
  /// Sum of a column for each answered exchange; 0 where there is none.
  double mean(Column column) const { return at[kAnswered] > 0 ? at[column] / at[kAnswered] : 0.0; }
};

/// Whether an error of this kind is Causeway's or a provider's, and not the caller's own.
bool is_failure(ErrorKind kind);
/// Sum over the kinds of errors that are failures.
double failures(const Counts& counts, Column first_kind);

}  // namespace causeway::alerts
