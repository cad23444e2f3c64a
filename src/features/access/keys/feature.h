// The feature "keys": the stage identify, the routes below /api/keys, and the verb `causeway keys`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/feature.h"
#include "features/access/keys/ring.h"
#include "features/access/keys/stage.h"
#include "platform/base/worker.h"

namespace causeway::keys {

class KeysFeature final : public Feature {
 public:
  /// Puts a callback on the loop that serves the admin port.
  using Post = std::function<void(std::move_only_function<void()>)>;

  /// `workers` run what waits for the disk and for the loops.
  KeysFeature(KeyRing& ring, SlotLayout& slots, WorkerGroup& workers, Post post,
              const Clock& clock);

  /// Gives the stage one loop's view of the keys. Before that loop serves.
  void attach(int loop, LoopKeys& keys) { identify_.attach(loop, keys); }

  std::string_view name() const override { return "keys"; }
  std::vector<Stage*> stages() override { return {&identify_}; }
  std::vector<AdminRoute> routes() override;
  std::vector<Verb> verbs() override;

 private:
  Task<AdminReply> list(AdminRequest request);
  Task<AdminReply> get(AdminRequest request);
  Task<AdminReply> create(AdminRequest request);
  Task<AdminReply> rotate(AdminRequest request);
  Task<AdminReply> revoke(AdminRequest request);
  Task<AdminReply> set_expiry(AdminRequest request);
  AdminReply show(const KeyRecord& record, int status) const;
  AdminReply show_once(const CreatedKey& created, int status) const;

  KeyRing& ring_;
  IdentifyStage identify_;
  WorkerGroup& workers_;
  Post post_;
  const Clock& clock_;
};

/// `causeway keys …`; needs nothing but a way to the routes.
Verb keys_verb();

}  // namespace causeway::keys
