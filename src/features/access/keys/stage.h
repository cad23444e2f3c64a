// The stage "identify": who calls, by the key in the request's head. The principal lives as long as
// the exchange; the look-up takes no lock and counts no shared reference.
#pragma once

#include <string_view>
#include <vector>

#include "core/exchange.h"
#include "core/slots.h"
#include "core/stage.h"
#include "features/access/keys/table.h"

namespace causeway::keys {

class IdentifyStage final : public Stage {
 public:
  explicit IdentifyStage(SlotLayout& slots) : lease_(slots.add<LoopKeys::Lease>()) {}

  /// The view of one loop, which outlives its exchanges. Before that loop serves.
  void attach(int loop, LoopKeys& keys);

  std::string_view name() const override { return "identify"; }
  unsigned hooks() const override { return kOnHead; }
  /// Errors: Unauthenticated without a key or with one that is not valid; Forbidden with a key of
  /// the admin port.
  Verdict on_head(Exchange& exchange) override;

 private:
  Slot<LoopKeys::Lease> lease_;  // given back when the exchange is reset, after all done hooks
  std::vector<LoopKeys*> loops_;
};

/// The key as the official clients send it: "Authorization: Bearer KEY" (OpenAI), "x-api-key"
/// (Anthropic), "api-key" (Azure), "x-goog-api-key" (Gemini); at last, as it stands there, the
/// query's `parameter`, where the dialect has one. Empty when there is none.
std::string_view presented_key(const http::RequestHead& head, std::string_view parameter = {});

}  // namespace causeway::keys
