#include "features/insight/alerts/windows.h"

#include <map>

namespace causeway::alerts {

Rows summed(const std::vector<const Rows*>& parts, std::size_t most) {
  std::map<Subject, Counts> sums;
  for (const Rows* rows : parts) {
    for (const Row& row : *rows) {
      const bool room = sums.size() < most || sums.contains(row.subject);
      const std::string other(kOther);
      sums[room ? row.subject : Subject{row.subject.target, other, other}].add(row.counts);
    }
  }
  Rows out;
  for (auto& [subject, counts] : sums) out.push_back({subject, counts});
  return out;
}

void Windows::add(Monotonic now, Rows rows) {
  fine_.push_back({begun_ ? last_ : now, now, summed({&rows}, kMostRows)});
  last_ = now;
  begun_ = true;
  make_coarse(now);
  while (!coarse_.empty() && now - coarse_.front().end > keep_) coarse_.pop_front();
}

// As soon as the frames behind two windows make up a window, they become one.
void Windows::make_coarse(Monotonic now) {
  std::size_t old = 0;
  while (old < fine_.size() && now - fine_[old].end >= 2 * window_) ++old;
  if (old == 0 || fine_[old - 1].end - fine_.front().begin < window_) return;
  std::vector<const Rows*> parts;
  for (std::size_t i = 0; i < old; ++i) parts.push_back(&fine_[i].rows);
  coarse_.push_back({fine_.front().begin, fine_[old - 1].end, summed(parts, kMostRows)});
  fine_.erase(fine_.begin(), fine_.begin() + static_cast<std::ptrdiff_t>(old));
}

Rows Windows::sum(Monotonic now, Time from, Time to) const {
  std::vector<const Rows*> parts;
  for (const auto* frames : {&coarse_, &fine_}) {
    for (const Frame& frame : *frames) {
      const auto ago = now - frame.end;
      if (ago >= to && ago < from) parts.push_back(&frame.rows);
    }
  }
  return summed(parts, kMostRows);
}

Windows::Time Windows::age(Monotonic now) const {
  if (!begun_) return Time(0);
  const Monotonic oldest = coarse_.empty() ? fine_.front().begin : coarse_.front().begin;
  return std::chrono::duration_cast<Time>(now - oldest);
}

}  // namespace causeway::alerts
