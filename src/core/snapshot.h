// One immutable configuration, ready to serve: names resolved, lists flattened. It holds no state;
// what lives on over a reload is in registries.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/members.h"
#include "core/operation.h"
#include "core/policy.h"
#include "core/principal.h"
#include "core/provider.h"
#include "core/slots.h"
#include "core/target.h"
#include "platform/net/network.h"

namespace causeway {

class Stage;

/// The ordered stages of the program, and the lists that do not depend on a policy.
struct Pipeline {
  std::vector<Stage*> stages;  // in order; their owners outlive every snapshot
  std::vector<Hook> head;
  std::vector<Hook> request_before_policy;
  std::vector<Hook> attempt_end;
  std::vector<Hook> usage;
  std::vector<Hook> settle;
  std::vector<Hook> done;    // in reverse order
  std::uint64_t always = 0;  // stages whose only hook is on_done
  SlotLayout slots;
};

struct NameHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view name) const {
    return std::hash<std::string_view>{}(name);
  }
};

template <class T>
using NameMap = std::unordered_map<std::string, T, NameHash, std::equal_to<>>;

/// What a feature keeps with a configuration, so that an exchange finds that of its own.
struct SnapshotPart {
  virtual ~SnapshotPart() = default;
};

struct Snapshot {
  std::uint64_t version = 0;
  const Pipeline* pipeline = nullptr;
  Operations operations;
  NameMap<ProviderMembers> providers;
  NameMap<Model> models;
  /// Providers whose own model names may be asked for directly: pattern → provider.
  struct Exposed {
    std::string pattern;
    const ProviderMembers* members = nullptr;
    bool bare = false;  // also without the "provider/" prefix
  };
  std::vector<Exposed> exposed;
  std::vector<Policy> policies;                // in order; at most 64
  Sections defaults;                           // every section as it is without any policy
  std::shared_ptr<const SnapshotPart> prices;  // the ledger's; may be null
  std::vector<net::Network> trusted_proxies;   // whose X-Forwarded-For is believed
  std::size_t max_body_bytes = 32 * 1024 * 1024;
  std::size_t max_upload_bytes =
      100 * 1024 * 1024;  // of a form with files, or what is passed through
  std::size_t max_answer_bytes = 32 * 1024 * 1024;  // of an answer that is not streamed

  Snapshot();
  ~Snapshot();
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  /// The set of policies that match this caller and model: bit i = policies[i].
  std::uint64_t matching(const Principal& principal, std::string_view model) const;
  /// What a set of matching policies comes to. Made when first asked for and kept as long as the
  /// snapshot; afterwards found without a lock. Bounded by the combinations that occur (2^policies,
  /// in practice a handful).
  const EffectivePolicy& effective(std::uint64_t matching) const;

 private:
  EffectivePolicy resolve(std::uint64_t matching) const;
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

}  // namespace causeway
