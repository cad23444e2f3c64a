#include "features/traffic/admit/stage.h"

#include "core/snapshot.h"

namespace causeway::admit {
namespace {

std::unexpected<Error> busy(std::string message, std::string code) {
  auto refused = fail(ErrorKind::Overloaded, Origin::Us, std::move(message), std::move(code));
  refused.error().retry_after = std::chrono::seconds(1);
  refused.error().retryable = true;
  return refused;
}

}  // namespace

Verdict AdmitStage::on_head(Exchange& exchange) {
  const auto running = gate_.running.fetch_add(1, std::memory_order_relaxed) + 1;
  if (exchange.operation->kind == OperationKind::Health) return go_on();
  // What a running exchange asks inside the program is part of that exchange.
  if (gate_.draining.load(std::memory_order_relaxed) && exchange.depth == 0) {
    return busy("This gateway is shutting down.", "shutting_down");
  }
  if (running > gate_.most) return busy("Too many requests at once.", "too_many_exchanges");
  const auto length = exchange.head().content_length.value_or(0);
  const auto& snapshot = *exchange.snapshot;
  const auto kind = exchange.operation->body;
  const bool uploads = kind == BodyKind::Multipart || kind == BodyKind::Opaque;
  const auto limit = uploads ? snapshot.max_upload_bytes : snapshot.max_body_bytes;
  if (length > limit) {
    return fail(ErrorKind::TooLarge, Origin::Client,
                "The body has " + std::to_string(length) + " bytes; the limit is " +
                    std::to_string(limit) + " (server.limits." + (uploads ? "upload" : "body") +
                    ").");
  }
  return go_on();
}

void AdmitStage::on_done(Exchange&, const Outcome&) noexcept {
  gate_.running.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace causeway::admit
