// The feature "faq": its stage, the routes below /api/faq and the verb `causeway faq`.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/traffic/faq/entries.h"
#include "features/traffic/faq/stage.h"
#include "platform/base/worker.h"
#include "platform/metrics/registry.h"

namespace causeway::faq {

class FaqFeature final : public Feature {
 public:
  using Post = std::function<void(std::move_only_function<void()>)>;
  struct Parts {
    SectionKey<FaqSettings> key;
    store::Store& store;
    store::Sealed& sealed;
    const Clock& clock;
    metrics::Registry& metrics;
    WorkerGroup& workers;
    Post post;                      // onto the loop of the admin port
    std::function<Asker*()> asker;  // for that loop; null: the program is starting or ending
  };
  /// All references outlive the feature.
  explicit FaqFeature(Parts parts);
  Result<void> open();
  /// At start and reload: which embedding models the policies ask for.
  void prepare(const std::vector<Policy>& policies);

  std::string_view name() const override { return "faq"; }
  std::vector<Stage*> stages() override { return {&stage_}; }
  std::vector<AdminRoute> routes() override;

 private:
  /// What a job on a worker answers with: the reply's body, unless it says otherwise.
  using Job = std::move_only_function<Result<AdminReply>()>;
  Task<AdminReply> reply_of(Job job);
  Result<AdminReply> list(const AdminRequest& request);
  Result<AdminReply> one(const AdminRequest& request);
  Result<AdminReply> create(const AdminRequest& request);
  Result<AdminReply> update(const AdminRequest& request);
  Result<AdminReply> remove(const AdminRequest& request);
  Result<AdminReply> import(const AdminRequest& request);
  Result<AdminReply> exported(const AdminRequest& request);
  Result<AdminReply> test(const AdminRequest& request);

  Parts parts_;
  Entries entries_;
  Meanings meanings_;
  FaqStage stage_;
};

/// `causeway faq`.
Verb faq_verb();

}  // namespace causeway::faq
