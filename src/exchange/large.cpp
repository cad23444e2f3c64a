// Large requests: what takes long runs on the CPU thread group. The exchange belongs to one thread
// at a time: while a job has it, the loop touches nothing of it but its cancel.
#include <utility>

#include "exchange/hooks.h"
#include "exchange/run.h"
#include "platform/base/worker.h"
#include "platform/net/loop.h"

namespace causeway::exchange {
namespace {

std::unexpected<Error> not_taken(Error error) {
  if (error.kind != ErrorKind::Overloaded) return std::unexpected(std::move(error));
  auto busy = fail(ErrorKind::Overloaded, Origin::Us,
                   "Too many large requests are being looked through; try again.",
                   "too_many_large_requests");
  busy.error().retryable = true;
  busy.error().retry_after = std::chrono::seconds(1);
  return busy;
}

// Those that stand one behind the other, in one go.
Verdict text_hooks(Exchange& exchange, std::size_t& next_hook) {
  Laps laps(exchange);
  for (;; ++next_hook) {
    const Hook* hook = request_hook(exchange, next_hook);
    if (!hook || !hook->reads_texts) return go_on();
    note_run(exchange, *hook);
    auto verdict = hook->stage->on_request(exchange);
    laps.end(*hook, verdict);
    if (ended(verdict)) return verdict;
  }
}

Task<Verdict> large_hooks(Exchange& exchange, std::size_t& next_hook) {
  Laps laps(exchange);
  for (;;) {
    const Hook* hook = request_hook(exchange, next_hook);
    if (!hook) co_return go_on();
    Verdict verdict;
    if (hook->reads_texts) {
      Work work = [&exchange, &next_hook] { return text_hooks(exchange, next_hook); };
      verdict = co_await on_cpu(exchange, std::move(work));
      laps.skip();
    } else {
      note_run(exchange, *hook);
      if (hook->waits) {
        verdict = co_await hook->stage->wait_request(exchange);
      } else {
        verdict = hook->stage->on_request(exchange);
      }
      laps.end(*hook, verdict);
      ++next_hook;
    }
    if (ended(verdict)) co_return verdict;
  }
}

}  // namespace

Task<Verdict> on_cpu(Exchange& exchange, Work work) {
  const LoopContext& context = *exchange.context;
  if (!context.cpu) co_return work();
  Verdict verdict = go_on();
  auto post = [loop = context.loop](std::move_only_function<void()> resume) {
    loop->post(std::move(resume));
  };
  auto job = [&verdict, &work]() -> Result<void> {
    verdict = work();
    return {};
  };
  auto ran = co_await offload(*context.cpu, std::move(post), std::move(job));
  if (!ran) co_return not_taken(std::move(ran).error());
  if (exchange.cancel.requested()) {
    co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
  }
  co_return verdict;
}

Task<Verdict> begin_large(Run& run, std::string_view body, std::size_t& next_hook) {
  Exchange& exchange = run.exchange;
  Work work = [&exchange, body] { return pass_on(read_request(exchange, body)); };
  auto verdict = co_await on_cpu(exchange, std::move(work));
  if (ended(verdict)) co_return verdict;
  std::size_t bytes = 0;
  for (const auto& text : exchange.index.texts) bytes += text.value.end - text.value.begin;
  if (bytes <= kLargeBytes) co_return verdict;
  co_return co_await large_hooks(exchange, next_hook);
}

}  // namespace causeway::exchange
