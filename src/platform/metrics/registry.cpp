#include "platform/metrics/registry.h"

#include <prometheus/check_names.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <new>
#include <stdexcept>
#include <type_traits>
#include <unordered_map>

#include "platform/text/utf8.h"

namespace causeway::metrics {
namespace {

constexpr std::size_t kMaxLabelValues = 4096;
constexpr std::size_t kMaxLabelBytes = 128;  // of one value; longer ones are cut
constexpr std::string_view kOtherText = "other";

/// Memory for the cells of one slot, so that no cache line holds cells of two slots.
class Arena {
 public:
  void* take(std::size_t bytes) {
    bytes = (bytes + 7) / 8 * 8;
    if (chunks_.empty() || used_ + bytes > kChunk) {
      chunks_.push_back(std::make_unique<Chunk>());
      used_ = 0;
    }
    void* at = chunks_.back()->bytes.data() + used_;
    used_ += bytes;
    return at;
  }
  static constexpr std::size_t kChunk = 4096;

 private:
  struct alignas(64) Chunk {
    std::array<std::byte, kChunk> bytes;
  };
  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::size_t used_ = 0;
};

struct Series {
  std::vector<std::string> labels;
  std::vector<void*> cells;  // per slot; Counter, Gauge or Histogram by the family's kind
};

struct FamilyState {
  FamilySpec spec;
  Kind kind;
  std::function<void(SampleSink&)> source;  // asked at export, for families without cells
  std::deque<Series> series;                // [0] is "other", left out of the export while unused
  std::unordered_map<std::string, std::size_t> by_labels;
};

template <class Cell>
constexpr Kind kind_of() {
  if constexpr (std::is_same_v<Cell, Counter>) return Kind::Counter;
  if constexpr (std::is_same_v<Cell, Gauge>) return Kind::Gauge;
  return Kind::Histogram;
}

std::string clean(std::string_view value) {
  value = text::utf8_cut(value, kMaxLabelBytes);
  return std::string(text::utf8_valid(value) ? value : kOtherText);
}

void check(const FamilySpec& spec, Kind kind) {
  const auto refuse = [&](const char* what) {
    throw std::invalid_argument("metric " + spec.name + ": " + what);
  };
  if (!prometheus::CheckMetricName(spec.name)) refuse("not a valid name");
  if (kind == Kind::Counter && !spec.name.ends_with("_total")) refuse("counters end in _total");
  // prometheus-cpp writes the help text as it is.
  if (spec.help.find_first_of("\\\n") != std::string::npos) refuse("help is one plain line");
  for (const auto& label : spec.labels) {
    if (!prometheus::CheckLabelName(label) || label == "le") refuse("not a valid label name");
  }
  const bool ascending =
      std::ranges::adjacent_find(spec.bounds, std::ranges::greater_equal{}) == spec.bounds.end();
  if (kind == Kind::Histogram ? spec.bounds.empty() || !ascending : !spec.bounds.empty()) {
    refuse("bounds are for histograms, and ascending");
  }
  if (kind == Kind::Histogram &&
      (spec.bounds.size() + 1) * sizeof(std::uint64_t) + sizeof(Histogram) > Arena::kChunk) {
    refuse("too many bounds");
  }
}

/// Collects what a source reports, within the family's limit.
class BoundedSink final : public SampleSink {
 public:
  explicit BoundedSink(FamilySamples& family) : family_(family) {}
  void add(std::span<const std::string_view> labels, double value) override {
    if (labels.size() != family_.spec.labels.size()) return;
    if (family_.samples.size() >= family_.spec.max_series) return;
    auto& sample = family_.samples.emplace_back();
    for (const auto label : labels) sample.labels.push_back(clean(label));
    sample.value = value;
  }

 private:
  FamilySamples& family_;
};

void add_cell(Sample& sample, const void* cell, const FamilyState& family) {
  switch (family.kind) {
    case Kind::Counter:
      sample.value += static_cast<double>(static_cast<const Counter*>(cell)->value());
      break;
    case Kind::Gauge:
      sample.value += static_cast<double>(static_cast<const Gauge*>(cell)->value());
      break;
    case Kind::Histogram: {
      const auto& histogram = *static_cast<const Histogram*>(cell);
      sample.counts.resize(histogram.buckets());
      for (std::size_t i = 0; i < histogram.buckets(); ++i) sample.counts[i] += histogram.count(i);
      sample.sum += histogram.sum();
      break;
    }
  }
}

}  // namespace

struct Registry::Impl {
  explicit Impl(int loops) : arenas(static_cast<std::size_t>(loops) + 1) {
    label_values.emplace_back(kOtherText);
    label_ids.emplace(kOtherText, kOther);
  }

  std::size_t declare(FamilySpec spec, Kind kind, std::function<void(SampleSink&)> source) {
    check(spec, kind);
    const std::lock_guard lock(mutex);
    for (const auto& family : families) {
      if (family.spec.name == spec.name) {
        throw std::invalid_argument("metric " + spec.name + ": declared twice");
      }
    }
    auto& family = families.emplace_back();
    family.kind = kind;
    family.source = std::move(source);
    family.series.push_back(
        {std::vector<std::string>(spec.labels.size(), std::string(kOtherText)), {}});
    family.spec = std::move(spec);
    return families.size() - 1;
  }

  Series& series(FamilyState& family, std::span<const std::string_view> labels) {
    if (labels.size() != family.spec.labels.size()) return family.series.front();
    std::string key;
    std::vector<std::string> values;
    for (const auto label : labels) {
      values.push_back(clean(label));
      key += values.back();
      key += '\xFF';  // in no valid UTF-8
    }
    if (const auto known = family.by_labels.find(key); known != family.by_labels.end()) {
      return family.series[known->second];
    }
    const bool full = family.series.size() > family.spec.max_series;
    const bool is_other = !values.empty() && values == family.series.front().labels;
    if (full || is_other) return family.series.front();
    family.by_labels.emplace(std::move(key), family.series.size());
    return family.series.emplace_back(Series{std::move(values), {}});
  }

  template <class Cell>
  Cell& cell(std::size_t index, int slot, std::span<const std::string_view> labels) {
    const std::lock_guard lock(mutex);
    auto& family = families.at(index);
    auto& cells = series(family, labels).cells;
    cells.resize(arenas.size());
    auto& place = cells.at(static_cast<std::size_t>(slot));
    if (!place) place = make<Cell>(family, arenas[static_cast<std::size_t>(slot)]);
    return *static_cast<Cell*>(place);
  }

  template <class Cell>
  static Cell* make(const FamilyState& family, Arena& arena) {
    static_assert(std::is_trivially_destructible_v<Cell>);
    if constexpr (kind_of<Cell>() == Kind::Histogram) {
      const auto& bounds = family.spec.bounds;
      using Count = std::atomic<std::uint64_t>;
      void* memory = arena.take(sizeof(Histogram) + (bounds.size() + 1) * sizeof(Count));
      auto* counts = reinterpret_cast<Count*>(static_cast<std::byte*>(memory) + sizeof(Histogram));
      for (std::size_t i = 0; i <= bounds.size(); ++i) new (counts + i) Count(0);
      return new (memory) Histogram(bounds, counts);
    } else {
      return new (arena.take(sizeof(Cell))) Cell();
    }
  }

  mutable std::mutex mutex;
  std::deque<FamilyState> families;  // a deque, so that histograms can point at the bounds
  std::vector<Arena> arenas;         // per slot
  std::deque<std::string> label_values;
  std::unordered_map<std::string, LabelId> label_ids;
};

Registry::Registry(int loops) : loops_(loops), impl_(std::make_unique<Impl>(loops)) {}
Registry::~Registry() = default;

Family<Counter> Registry::counter(FamilySpec spec) {
  return {impl_->declare(std::move(spec), Kind::Counter, {})};
}
Family<Gauge> Registry::gauge(FamilySpec spec) {
  return {impl_->declare(std::move(spec), Kind::Gauge, {})};
}
Family<Histogram> Registry::histogram(FamilySpec spec) {
  return {impl_->declare(std::move(spec), Kind::Histogram, {})};
}

void Registry::sampled(Kind kind, FamilySpec spec, std::function<void(SampleSink&)> source) {
  if (kind == Kind::Histogram) {
    throw std::invalid_argument("metric " + spec.name + ": a histogram cannot be sampled");
  }
  impl_->declare(std::move(spec), kind, std::move(source));
}

Counter& Registry::cell(Family<Counter> family, int slot,
                        std::span<const std::string_view> labels) {
  return impl_->cell<Counter>(family.index, slot, labels);
}
Gauge& Registry::cell(Family<Gauge> family, int slot, std::span<const std::string_view> labels) {
  return impl_->cell<Gauge>(family.index, slot, labels);
}
Histogram& Registry::cell(Family<Histogram> family, int slot,
                          std::span<const std::string_view> labels) {
  return impl_->cell<Histogram>(family.index, slot, labels);
}

LabelId Registry::intern(std::string_view value) {
  std::string text = clean(value);
  const std::lock_guard lock(impl_->mutex);
  if (const auto known = impl_->label_ids.find(text); known != impl_->label_ids.end()) {
    return known->second;
  }
  if (impl_->label_values.size() >= kMaxLabelValues) return kOther;
  const auto id = static_cast<LabelId>(impl_->label_values.size());
  impl_->label_values.push_back(text);
  impl_->label_ids.emplace(std::move(text), id);
  return id;
}

std::string_view Registry::label(LabelId id) const {
  const std::lock_guard lock(impl_->mutex);
  return id < impl_->label_values.size() ? std::string_view(impl_->label_values[id]) : kOtherText;
}

std::vector<FamilySamples> Registry::collect() const {
  std::vector<FamilySamples> all;
  std::vector<std::pair<std::size_t, std::function<void(SampleSink&)>>> sources;
  {
    const std::lock_guard lock(impl_->mutex);
    for (const auto& family : impl_->families) {
      auto& out = all.emplace_back(FamilySamples{family.spec, family.kind, {}});
      if (family.source) sources.emplace_back(all.size() - 1, family.source);
      for (const auto& series : family.series) {
        if (series.cells.empty()) continue;
        auto& sample = out.samples.emplace_back();
        sample.labels = series.labels;
        for (const void* cell : series.cells) {
          if (cell) add_cell(sample, cell, family);
        }
      }
    }
  }
  // Without the lock: a source may use the registry itself, or take locks of its own.
  for (const auto& [index, source] : sources) {
    BoundedSink sink(all[index]);
    source(sink);
  }
  return all;
}

}  // namespace causeway::metrics
