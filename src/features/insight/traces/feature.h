// The feature "traces": its stages, the routes below /api/traces, the verb and the metrics.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "core/recorded.h"
#include "features/insight/traces/archive.h"
#include "features/insight/traces/query.h"
#include "features/insight/traces/stage.h"
#include "platform/base/worker.h"
#include "platform/metrics/registry.h"

namespace causeway::traces {

class TracesFeature final : public Feature {
 public:
  /// Puts a callback on the loop that serves the admin port.
  using Post = std::function<void(std::move_only_function<void()>)>;

  struct Parts {
    Archive::Parts archive;
    SectionKey<TraceSettings> settings;
    SlotLayout& slots;
    WorkerGroup& workers;
    Post post;
    std::function<Task<void>(std::chrono::milliseconds)> sleep;  // on that loop
    std::function<bool()> ending;                                // the program is
    KeyNames names;
  };
  explicit TracesFeature(Parts parts);

  /// Names of the stages, in the order of the pipeline; before the first exchange.
  void set_stages(std::vector<std::string> names) { archive_.set_stages(std::move(names)); }
  /// With every configuration. From any thread.
  void set_keep(const KeepSettings& keep) { archive_.set_keep(keep); }
  /// Waits until what was recorded is written, for two seconds at most.
  void flush() { (void)archive_.flush(std::chrono::seconds(2)); }
  /// causeway_traces_*.
  void declare_metrics(metrics::Registry& registry);

  /// As core/recorded.h says. For workers.
  Result<Recorded> recorded(const std::string& id);

  std::string_view name() const override { return "traces"; }
  std::vector<Stage*> stages() override { return {&trace_, &sent_, &said_}; }
  std::vector<AdminRoute> routes() override;
  std::vector<Verb> verbs() override;

 private:
  Task<AdminReply> list(AdminRequest request);
  Task<AdminReply> tail(AdminRequest request);
  Task<AdminReply> one(AdminRequest request);
  Task<Result<std::string>> on_worker(std::move_only_function<Result<std::string>()> job);
  void resolve_keys(Filter& filter) const;
  Result<std::string> list_json(Filter filter);
  Result<std::string> tail_json(Filter filter);
  Result<std::string> one_json(const std::string& id, bool with_contents);
  void write_traces(text::JsonWriter& json, const std::vector<Found>& traces) const;

  Parts parts_;
  SayingSlot slot_;
  Archive archive_;
  TraceStage trace_;
  SentStage sent_;
  SaidStage said_;
  int tails_ = 0;  // that wait
};

/// `causeway traces …`; needs nothing but a way to the routes.
Verb traces_verb();

}  // namespace causeway::traces
