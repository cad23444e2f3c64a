// Sends spans as they come and metrics in turns, on a thread of its own. Nothing waits for it: what
// finds no room is dropped and counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "features/insight/otlp/config.h"
#include "features/insight/otlp/json.h"
#include "platform/base/clock.h"
#include "platform/log/log.h"
#include "platform/metrics/registry.h"

namespace causeway::otlp {

class Exporter {
 public:
  struct Parts {
    const metrics::Registry& metrics;
    /// Onto the loop on which metrics may be collected, which is the one that makes, configures and
    /// closes this: what they ask lives there.
    std::function<void(std::move_only_function<void()>)> post;
    log::Log& log;
    const Clock& clock;
    std::string version, instance;  // of the program, of this run of it
  };
  struct Counts {
    std::uint64_t spans_sent = 0, spans_dropped = 0;  // of exchanges
    std::uint64_t failures = 0;                       // requests that were not taken
  };

  explicit Exporter(Parts parts);
  /// Sends nothing any more.
  ~Exporter();
  Exporter(const Exporter&) = delete;
  Exporter& operator=(const Exporter&) = delete;

  /// With every configuration.
  void configure(const OtlpSettings& settings);
  /// Names of the stages, in the order of the pipeline; before the first exchange.
  void set_stages(std::vector<std::string> names) { stages_ = std::move(names); }
  /// On the thread that writes traces.
  void add(const ExchangeRecord& record);
  Counts counts() const;
  /// Sends what waits and a last report, for about two seconds at most. While all that the metrics
  /// ask is still there.
  void close();

 private:
  void work();
  void wait_for_work();
  std::string take_spans(std::size_t& exchanges);
  void send_spans(const OtlpSettings& settings);
  void send_metrics(const OtlpSettings& settings);
  void ask_for_metrics();
  bool deliver(const OtlpSettings& settings, const char* path, const std::string& body);
  bool send_once(const OtlpSettings& settings, const char* path, const std::string& body,
                 bool& again);
  bool wait_before_next(std::chrono::milliseconds time);
  OtlpSettings settings() const;
  Monotonic farewell() const;
  Resource resource(const OtlpSettings& settings) const;

  const Parts parts_;
  const std::int64_t begin_;                                            // Unix nanoseconds
  const std::shared_ptr<bool> closed_ = std::make_shared<bool>(false);  // of the loop
  std::vector<std::string> stages_;
  std::atomic<bool> sends_spans_{false};
  std::atomic<bool> hurry_{false};  // ends what is being sent
  std::atomic<std::uint64_t> sent_{0}, dropped_{0}, failures_{0};
  bool told_ = false;  // that it fails

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  OtlpSettings settings_;
  std::deque<std::string> waiting_;  // spans of an exchange each
  std::size_t waiting_bytes_ = 0;
  Monotonic next_metrics_{};
  bool asked_ = false;                                            // for metrics
  std::optional<std::vector<metrics::FamilySamples>> collected_;  // and here they are
  bool stopped_ = false;
  Monotonic farewell_{};  // nothing is begun after it
  std::thread thread_;    // from the first configuration on that wants one
};

}  // namespace causeway::otlp
