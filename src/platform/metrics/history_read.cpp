// Questions to the history: which steps, which series, and their sums.
#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "platform/metrics/history.h"

namespace causeway::metrics {
namespace {

Result<std::vector<std::size_t>> places_of(const std::vector<std::string>& labels,
                                           const auto& wanted, const std::string& metric) {
  std::vector<std::size_t> places;
  for (const auto& name : wanted) {
    const auto found = std::ranges::find(labels, name);
    if (found == labels.end()) {
      std::string known;
      for (const auto& label : labels) known += (known.empty() ? "" : ", ") + label;
      return fail(ErrorKind::InvalidRequest, Origin::Client,
                  metric + " has no label \"" + name + "\"; " +
                      (known.empty() ? "it has none" : "it has " + known),
                  "invalid_query");
    }
    places.push_back(static_cast<std::size_t>(found - labels.begin()));
  }
  return places;
}

}  // namespace

struct History::Span {
  std::int64_t from = 0, step = 0;
  std::size_t steps = 0;
  bool coarse = false;
  /// The step that a frame belongs to, by the beginning of what it tells of.
  std::optional<std::size_t> place(std::int64_t begin) const {
    if (begin < from) return std::nullopt;
    const auto at = static_cast<std::size_t>((begin - from) / step);
    return at < steps ? std::optional(at) : std::nullopt;
  }
};

// Visits what the frames of the span say of one family, frame by frame: visit(step, entry), and
// with null at the end of each frame. Whatever is not in a coarse frame yet is told by the fine
// ones.
template <class Visit>
void History::each(const Span& span, const Family* family, Visit visit) const {
  FrameEntry entry;
  const auto read = [&](const Frame& frame, std::chrono::seconds length) {
    const auto place = span.place(frame.end - length.count());
    if (!place) return;
    for (FrameReader reader(frame.bytes); reader.next(entry);) {
      if (&families_[series_[entry.id].family] == family) visit(*place, &entry);
    }
    visit(*place, static_cast<const FrameEntry*>(nullptr));
  };
  if (!span.coarse) {
    for (const Frame& frame : fine_.frames) read(frame, kFine);
    return;
  }
  for (const Frame& frame : coarse_.frames) read(frame, kCoarse);
  for (auto at = fine_.frames.size() - unfolded_; at < fine_.frames.size(); ++at) {
    read(fine_.frames[at], kFine);
  }
}

// Which group each series belongs to; the groups themselves are put into `past`, largest first.
std::vector<std::size_t> History::groups_of(const Family& family, const Selection& selection,
                                            const Span& span, Past& past) const {
  const auto by = places_of(family.labels, selection.by, family.name).value();
  std::map<std::vector<std::string>, double> sizes;
  std::vector<std::vector<std::string>> labels_of(series_.size());
  std::vector<bool> fits(series_.size());
  for (const auto& [key, id] : family.series) {
    const auto& values = series_[id].labels;
    fits[id] = std::ranges::all_of(selection.where, [&](const auto& wanted) {
      const auto place = std::ranges::find(family.labels, wanted.first) - family.labels.begin();
      return values[static_cast<std::size_t>(place)] == wanted.second;
    });
    for (const auto place : by) labels_of[id].push_back(values[place]);
  }
  each(span, &family, [&](std::size_t, const FrameEntry* entry) {
    if (!entry || !fits[entry->id]) return;
    double size = entry->histogram ? 0 : std::abs(entry->value);
    for (const auto& [bucket, count] : entry->counts) size += static_cast<double>(count);
    sizes[labels_of[entry->id]] += size;
  });
  std::vector<std::pair<std::vector<std::string>, double>> order(sizes.begin(), sizes.end());
  std::ranges::stable_sort(order, std::ranges::greater{}, &decltype(order)::value_type::second);
  std::map<std::vector<std::string>, std::size_t> numbers;
  for (const auto& [labels, size] : order) {
    const auto number = std::min(numbers.size(), selection.most_groups);
    numbers[labels] = number;
    if (number == past.groups.size()) past.groups.push_back({labels, false, {}});
    if (number == selection.most_groups) past.groups.back() = {{}, true, {}};
  }
  std::vector<std::size_t> groups(series_.size(), kNoGroup);
  for (const auto& [key, id] : family.series) {
    const auto number = fits[id] ? numbers.find(labels_of[id]) : numbers.end();
    if (number != numbers.end()) groups[id] = number->second;
  }
  return groups;
}

History::Span History::span_of(std::chrono::seconds window) const {
  Span span;
  const auto step = window <= kFineKept ? kFine : window <= kMiddleWindow ? kCoarse : kCoarsest;
  span.coarse = step != kFine;
  span.step = step.count();
  span.steps = static_cast<std::size_t>(std::clamp(window, step, kKept) / step);
  const std::int64_t end = (sampled_ + span.step - 1) / span.step * span.step;
  span.from = end - static_cast<std::int64_t>(span.steps) * span.step;
  return span;
}

void History::fill(Past& past, const Family& family, const Span& span,
                   const std::vector<std::size_t>& groups) const {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  const bool gauge = past.kind == Kind::Gauge;
  for (Group& group : past.groups) {
    group.values.assign(span.steps, gauge ? kNone : 0.0);
    if (past.kind != Kind::Histogram) continue;
    group.sums.resize(span.steps);
    group.buckets.resize(span.steps);
  }
  std::vector<double> gauges(past.groups.size(), kNone);
  each(span, &family, [&](std::size_t step, const FrameEntry* entry) {
    if (!entry) {  // of several frames in a step the last one tells a gauge's value
      past.known[step] = true;
      for (std::size_t i = 0; gauge && i < gauges.size(); ++i) {
        past.groups[i].values[step] = std::exchange(gauges[i], kNone);
      }
      return;
    }
    const std::size_t number = groups[entry->id];
    if (number == kNoGroup) return;
    Group& group = past.groups[number];
    if (gauge) {
      gauges[number] = std::isnan(gauges[number]) ? entry->value : gauges[number] + entry->value;
    } else if (past.kind == Kind::Counter) {
      group.values[step] += entry->value;
    } else {
      group.sums[step] += entry->value;
      group.buckets[step].resize(past.bounds.size() + 1);
      for (const auto& [bucket, count] : entry->counts) {
        group.buckets[step][bucket] += count;
        group.values[step] += static_cast<double>(count);
      }
    }
  });
}

Result<Past> History::read(const Selection& selection) const {
  const auto family = std::ranges::find(families_, selection.metric, &Family::name);
  if (family == families_.end()) {
    return fail(ErrorKind::NotFound, Origin::Client,
                "There is no metric \"" + selection.metric.substr(0, 100) + "\" (yet).",
                "metric_not_found");
  }
  std::vector<std::string> asked(selection.by);
  for (const auto& [name, value] : selection.where) asked.push_back(name);
  if (auto places = places_of(family->labels, asked, family->name); !places) {
    return pass(std::move(places));
  }
  const Span span = span_of(selection.window);
  Past past;
  past.kind = family->kind;
  past.bounds = family->bounds;
  past.step = std::chrono::seconds(span.step);
  const auto wall = std::chrono::floor<std::chrono::seconds>(clock_.wall().time_since_epoch());
  past.from = span.from + wall.count() - now();
  past.known.resize(span.steps);
  fill(past, *family, span, groups_of(*family, selection, span, past));
  return past;
}

}  // namespace causeway::metrics
