#include "features/insight/alerts/counts.h"

namespace causeway::alerts {

double Counts::quantile(Column first_bucket, double share) const {
  double all = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) all += at[first_bucket + i];
  if (all == 0) return 0;
  double wanted = all * share;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    const double here = at[first_bucket + i];
    if (here < wanted || here == 0) {
      wanted -= here;
      continue;
    }
    const double begin = bucket_begin(i);
    return begin + (bucket_begin(i + 1) - begin) * std::clamp(wanted / here, 0.0, 1.0);
  }
  return bucket_begin(kBuckets);
}

bool is_failure(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::RateLimited:
    case ErrorKind::QuotaExhausted:
    case ErrorKind::Overloaded:
    case ErrorKind::Unavailable:
    case ErrorKind::ConnectFailed:
    case ErrorKind::Timeout:
    case ErrorKind::UpstreamFailed:
    case ErrorKind::UpstreamBroken:
    case ErrorKind::Internal:
      return true;
    default:
      return false;
  }
}

double failures(const Counts& counts, Column first_kind) {
  double sum = 0;
  for (std::size_t kind = 0; kind < kErrorKinds; ++kind) {
    if (is_failure(static_cast<ErrorKind>(kind))) sum += counts[first_kind + kind];
  }
  return sum;
}

}  // namespace causeway::alerts
