// All metrics of the program: families are declared at config time, cells are resolved once per
// loop and held, and the export sums over the loops. Nothing here belongs on the request path but
// the cells themselves; for labels that are only known with the request see handles.h.
//
// The number of series is bounded: past a family's limit new label values fall into one series
// whose labels are all "other", so that totals stay true.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/metrics/cells.h"

namespace causeway::metrics {

enum class Kind : std::uint8_t { Counter, Gauge, Histogram };

struct FamilySpec {
  std::string name;                 // Prometheus: [a-z_:][a-z0-9_:]*, counters end in _total
  std::string help;                 // one line
  std::vector<std::string> labels;  // names, in the order in which values are given
  std::vector<double> bounds{};     // histograms only: ascending upper bounds
  std::size_t max_series = 500;
};

template <class Cell>
struct Family {
  std::size_t index = 0;
};

/// A label value known to the registry by number, for HandleCache.
using LabelId = std::uint16_t;
inline constexpr LabelId kOther = 0;

/// One series as the export sees it.
struct Sample {
  std::vector<std::string> labels;      // values
  double value = 0;                     // counter or gauge
  std::vector<std::uint64_t> counts{};  // histogram: per bucket, the last above all bounds
  double sum = 0;                       // histogram
};

struct FamilySamples {
  FamilySpec spec;
  Kind kind;
  std::vector<Sample> samples;
};

/// Receives what a source reports for one family.
class SampleSink {
 public:
  virtual ~SampleSink() = default;
  virtual void add(std::span<const std::string_view> labels, double value) = 0;
  void add(std::initializer_list<std::string_view> labels, double value) {
    add(std::span(labels.begin(), labels.size()), value);
  }
};

class Registry {
 public:
  /// `loops` is the number of event loops: slots 0 to loops - 1.
  explicit Registry(int loops);
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  int loops() const { return loops_; }
  /// The slot of all threads that are no loops; its cells are written with the *_shared forms.
  int background() const { return loops_; }

  /// Declare a family. Throws std::invalid_argument for a name, label or bound that is not valid,
  /// or a name that is taken: a fault of the program, seen at the first start.
  Family<Counter> counter(FamilySpec spec);
  Family<Gauge> gauge(FamilySpec spec);
  Family<Histogram> histogram(FamilySpec spec);

  /// A family whose samples are asked for at each export, e.g. from live registries. `source` runs
  /// on the exporting thread, while the registry lives.
  void sampled(Kind kind, FamilySpec spec, std::function<void(SampleSink&)> source);

  /// The cell of one slot and label combination, made at the first call. Locks and may allocate: at
  /// config time, or behind a HandleCache. From any thread; the cell lives as long as the registry.
  Counter& cell(Family<Counter> family, int slot, std::span<const std::string_view> labels);
  Gauge& cell(Family<Gauge> family, int slot, std::span<const std::string_view> labels);
  Histogram& cell(Family<Histogram> family, int slot, std::span<const std::string_view> labels);
  template <class Cell>
  Cell& cell(Family<Cell> family, int slot, std::initializer_list<std::string_view> labels = {}) {
    return cell(family, slot, std::span(labels.begin(), labels.size()));
  }

  /// The number of a label value; the same value has the same number for good. kOther when the
  /// table (4,096 values) is full. From any thread; locks.
  LabelId intern(std::string_view value);
  /// The value of a number; views live as long as the registry.
  std::string_view label(LabelId id) const;

  /// Everything, summed over the slots. From any thread.
  std::vector<FamilySamples> collect() const;

 private:
  struct Impl;
  int loops_;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::metrics
