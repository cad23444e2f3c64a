// The feature "ledger": its stage, GET /api/usage, and the verb `causeway usage`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/insight/ledger/hosted.h"
#include "features/insight/ledger/ledger.h"
#include "features/insight/ledger/stage.h"
#include "platform/base/worker.h"

namespace causeway::metrics {
class Registry;
}

namespace causeway::ledger {

/// How keys are called, which another feature knows. Called by workers.
struct KeyNames {
  std::function<std::string(std::string_view id)> name_of;        // empty: no such key
  std::function<std::string(std::string_view id_or_name)> id_of;  // likewise
};

class LedgerFeature final : public Feature {
 public:
  /// Puts a callback on the loop that serves the admin port.
  using Post = std::function<void(std::move_only_function<void()>)>;

  struct Parts {
    Ledger& ledger;
    SlotLayout& slots;
    SectionKey<LedgerSettings> settings;
    int loops;
    WorkerGroup& workers;
    Post post;
    KeyNames names;
    const Clock& clock;
  };
  explicit LedgerFeature(Parts parts);

  /// With every configuration. From any thread.
  void set_prices(PriceSettings settings);
  /// causeway_ledger_unfolded_records and causeway_ledger_dropped_total.
  void declare_metrics(metrics::Registry& registry);

  std::string_view name() const override { return "ledger"; }
  std::vector<Stage*> stages() override { return {&stage_}; }
  std::vector<AdminRoute> routes() override;
  std::vector<Verb> verbs() override;

 private:
  Task<AdminReply> usage(AdminRequest request);
  Result<std::string> usage_json(const UsageQuery& query);

  Parts parts_;
  std::shared_ptr<HostedMeters> hosted_;
  LedgerStage stage_;
  std::mutex mutex_;
  std::string currency_ = "USD";
};

/// `causeway usage …`; needs nothing but a way to the routes.
Verb usage_verb();

}  // namespace causeway::ledger
