// The feature "cache": answers that are kept to be given again, what is known of them, and how they
// are taken out.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/traffic/cache/stage.h"
#include "platform/base/secret.h"
#include "platform/metrics/registry.h"

namespace causeway::cache {

class CacheFeature final : public Feature {
 public:
  using Post = std::function<void(std::move_only_function<void()>)>;
  struct Parts {
    SectionKey<CacheSettings> settings;
    SlotLayout& slots;
    const store::DataFolder& folder;
    store::Sealed& sealed;
    const Clock& clock;
    WorkerGroup& workers;
    Post post;          // onto the loop of the admin port
    Secret shared_key;  // empty: nothing is shared with other replicas
  };
  CacheFeature(Parts parts, const CacheLimits& limits);

  /// Errors: of the disk.
  Result<void> open();
  /// What the replicas share, before the loop's thread begins; the first loop first.
  void attach(int index, net::Loop& loop, redis::Client& client);
  /// The memory's and the disk's bounds, from now on. A disk that was 0 at the start stays so.
  void configure(const CacheLimits& limits);
  void declare_metrics(metrics::Registry& metrics);

  std::string_view name() const override { return "cache"; }
  std::vector<Stage*> stages() override { return {&stage_}; }
  std::vector<AdminRoute> routes() override;

 private:
  Task<AdminReply> stats() const;
  Task<AdminReply> clear(AdminRequest request);
  Task<Result<Shared::Cleared>> clear_shared(std::string tenant, std::string model);
  bool forget(const std::string& tenant, const std::string& model, Wall made_by);

  Parts parts_;
  CacheLimits limits_;
  Shelves shelves_;
  CacheStage stage_;
};

/// `causeway cache`.
Verb cache_verb();

}  // namespace causeway::cache
