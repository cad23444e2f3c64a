// The feature "playground": an operator asks a model, or asks a recorded request again, and sees
// what the provider got. It takes the way of every request: policy, ledger, trace.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/ask.h"
#include "core/feature.h"
#include "core/recorded.h"
#include "core/snapshot.h"
#include "platform/base/worker.h"

namespace causeway::playground {

struct Asked;

/// Who asks, in the place of a key.
inline constexpr std::string_view kKey = "console";

class PlaygroundFeature final : public Feature {
 public:
  using Post = std::function<void(std::move_only_function<void()>)>;
  struct Parts {
    std::function<Asker*()> asker;  // null: the program is starting or ending
    std::function<std::shared_ptr<const Snapshot>()> snapshot;
    RecordedById recorded;
    WorkerGroup& workers;
    Post post;  // onto the loop of the admin port
  };
  explicit PlaygroundFeature(Parts parts) : parts_(std::move(parts)) {}
  std::string_view name() const override { return "playground"; }
  std::vector<AdminRoute> routes() override;

 private:
  Task<AdminReply> ask(AdminRequest request);
  Task<Result<void>> look_up(Asked& asked);
  Task<AdminReply> explain(std::shared_ptr<const Asked> asked);
  Task<void> answer(std::shared_ptr<const Asked> asked, AdminSink& sink);

  Parts parts_;
  int running_ = 0;
};

/// `causeway replay`.
Verb replay_verb();

}  // namespace causeway::playground
