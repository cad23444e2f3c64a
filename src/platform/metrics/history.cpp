#include "platform/metrics/history.h"

#include <algorithm>

namespace causeway::metrics {
namespace {

std::int64_t seconds_of(Wall time) {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::int64_t end_of_step(std::int64_t time, std::chrono::seconds step) {
  return (time + step.count() - 1) / step.count() * step.count();
}

}  // namespace

History::History(const Registry& registry, const Clock& clock, Limits limits)
    : registry_(registry),
      clock_(clock),
      limits_(limits),
      began_(clock.now()),
      began_at_(seconds_of(clock.wall())),
      sampled_(now() / kFine.count() * kFine.count()) {}

std::int64_t History::now() const {
  return began_at_ + std::chrono::floor<std::chrono::seconds>(clock_.now() - began_).count();
}

void History::tick() {
  const std::int64_t end = now() / kFine.count() * kFine.count();
  if (end <= sampled_) return;
  const bool next_coarse =
      unfolded_ > 0 && end_of_step(fine_.frames.back().end, kCoarse) < end_of_step(end, kCoarse);
  if (next_coarse) fold();
  record(end);
  sampled_ = end;
  if (end % kCoarse.count() == 0) fold();
}

void History::push(Line& line, Frame frame, std::size_t most_frames, std::size_t most_bytes) {
  constexpr std::size_t kOfEach = sizeof(Frame) + 16;  // with what the allocator adds
  line.bytes += frame.bytes.size() + kOfEach;
  line.frames.push_back(std::move(frame));
  while (line.frames.size() > most_frames || line.bytes > most_bytes) {
    line.bytes -= line.frames.front().bytes.size() + kOfEach;
    line.frames.pop_front();
  }
}

void History::record(std::int64_t end) {
  FrameWriter frame;
  const auto families = registry_.collect();
  for (std::size_t i = 0; i < families.size(); ++i) {
    if (i == families_.size()) {
      const auto& spec = families[i].spec;
      families_.push_back({spec.name, families[i].kind, spec.labels, spec.bounds, {}});
    }
    record(families[i], i, frame);
  }
  push(fine_, {end, frame.take()}, static_cast<std::size_t>(kFineKept / kFine), limits_.fine_bytes);
  unfolded_ = std::min(unfolded_ + 1, fine_.frames.size());
}

void History::record(const FamilySamples& family, std::size_t index, FrameWriter& frame) {
  for (const Sample& sample : family.samples) {
    SeriesId id = 0;
    if (Series* series = series_of(index, sample, id)) record(*series, id, sample, frame);
  }
}

History::Series* History::series_of(std::size_t family, const Sample& sample, SeriesId& id) {
  key_.clear();
  for (const auto& label : sample.labels) (key_ += label) += '\xFF';
  auto& known = families_[family].series;
  if (const auto found = known.find(key_); found != known.end()) {
    id = found->second;
    return &series_[id];
  }
  if (series_.size() >= limits_.series) return nullptr;
  id = static_cast<SeriesId>(series_.size());
  known.emplace(key_, id);
  return &series_.emplace_back(Series{family, sample.labels});
}

// A value that is smaller than before has begun anew: all of it is growth.
void History::record(Series& series, SeriesId id, const Sample& sample, FrameWriter& frame) {
  const Kind kind = families_[series.family].kind;
  if (kind == Kind::Gauge) return frame.add(id, sample.value);
  if (kind == Kind::Counter) {
    const double grown = sample.value - (sample.value < series.last ? 0 : series.last);
    series.last = sample.value;
    if (grown != 0) frame.add(id, grown);
    return;
  }
  series.counts.resize(sample.counts.size());
  std::vector<std::uint64_t> grown(sample.counts);
  bool any = false;
  for (std::size_t i = 0; i < grown.size(); ++i) {
    grown[i] -= series.counts[i];
    any = any || grown[i] > 0;
  }
  if (!any) return;
  frame.add(id, grown, sample.sum - series.last);
  series.counts = sample.counts;
  series.last = sample.sum;
}

// The fine frames that belong to one coarse step become its frame.
void History::fold() {
  struct Together {
    double value = 0;
    std::vector<std::uint64_t> counts;
  };
  std::map<SeriesId, Together> all;
  FrameEntry entry;
  const auto first = fine_.frames.end() - static_cast<std::ptrdiff_t>(unfolded_);
  for (auto frame = first; frame != fine_.frames.end(); ++frame) {
    for (FrameReader reader(frame->bytes); reader.next(entry);) {
      const Family& family = families_[series_[entry.id].family];
      Together& sum = all[entry.id];
      sum.value = family.kind == Kind::Gauge ? entry.value : sum.value + entry.value;
      if (!entry.histogram) continue;
      sum.counts.resize(family.bounds.size() + 1);
      for (const auto& [bucket, count] : entry.counts) sum.counts[bucket] += count;
    }
  }
  FrameWriter folded;
  for (const auto& [id, sum] : all) {
    if (sum.counts.empty()) {
      folded.add(id, sum.value);
    } else {
      folded.add(id, sum.counts, sum.value);
    }
  }
  const std::int64_t end = end_of_step(fine_.frames.back().end, kCoarse);
  push(coarse_, {end, folded.take()}, static_cast<std::size_t>(kKept / kCoarse),
       limits_.coarse_bytes);
  unfolded_ = 0;
}

std::vector<std::string> History::metrics() const {
  std::vector<std::string> names;
  for (const auto& family : families_) names.push_back(family.name);
  return names;
}

std::size_t History::bytes() const {
  std::size_t bytes = fine_.bytes + coarse_.bytes;
  for (const auto& series : series_) {
    bytes += 2 * sizeof(Series) + 8 * series.counts.size();
    for (const auto& label : series.labels) bytes += sizeof label + 2 * label.size();
  }
  return bytes;
}

std::chrono::seconds History::reach() const {
  const auto& oldest = coarse_.frames.empty() ? fine_.frames : coarse_.frames;
  if (oldest.empty()) return std::chrono::seconds(0);
  const auto step = coarse_.frames.empty() ? kFine : kCoarse;
  const std::int64_t first = std::max(oldest.front().end - step.count(), began_at_);
  return std::chrono::seconds(sampled_ - first);
}

}  // namespace causeway::metrics
