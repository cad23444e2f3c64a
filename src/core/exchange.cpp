#include "core/exchange.h"

#include "platform/http/server_stream.h"

namespace causeway {

const http::RequestHead& Exchange::head() const { return stream->head(); }

void Exchange::reset() {
  stream = nullptr;
  context = nullptr;
  snapshot = nullptr;
  operation = nullptr;
  argument = {};
  id.clear();
  address = {};
  internal = false;
  depth = 0;
  cost_micros.reset();
  cost_nanos.reset();
  saved_micros.reset();
  answered_from = {};
  tokens_saved.reset();
  principal = nullptr;
  model = nullptr;
  model_name = {};
  policy = nullptr;
  targets.clear();
  escalate = nullptr;
  confidence.reset();
  attempts.clear();
  dropped.clear();
  request = Request();
  index.clear();
  std::destroy_at(&cancel);
  std::construct_at(&cancel);
  outcome = {};
  marks.clear();
  said.clear();
  fired.clear();
  searched = false;
  rule = {};
  explain = false;
  stages_run = 0;
  slots.clear();
  kept.clear();
}

}  // namespace causeway
