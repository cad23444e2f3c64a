#include "exchange/ask.h"

#include <utility>
#include <vector>

#include "exchange/identity.h"
#include "platform/http/memory_stream.h"
#include "platform/net/loop.h"

namespace causeway::exchange {
namespace {

http::MemoryStream::Request request_of(Question& question) {
  http::MemoryStream::Request request;
  request.target = std::move(question.path);
  request.body = std::move(question.body);
  request.fields.emplace_back("content-type", "application/json");
  if (!question.request_id.empty()) {
    request.fields.emplace_back("x-request-id", std::move(question.request_id));
  }
  if (question.inside) {
    const TraceParent parent = traceparent(*question.inside, question.inside->span_id);
    request.fields.emplace_back("traceparent", std::string(parent.data(), parent.size()));
  }
  return request;
}

std::unexpected<Error> cancelled() {
  return fail(ErrorKind::Cancelled, Origin::Client, "The question was withdrawn.");
}

}  // namespace

// One question while it is being answered. What ends it early makes its stream's client leave.
class RunnerAsker::Asking final : public net::Swept {
 public:
  Asking(RunnerAsker& asker, Question& question)
      : asker_(asker),
        cancel_(question.cancel),
        stream_(request_of(question)),
        most_collected_(asker.snapshots_.current().max_answer_bytes) {
    asker_.running_.push_back(this);
    if (question.sink) {
      stream_.sink(std::move(question.sink));
    } else {
      stream_.sink([this](std::string_view piece) { return collect(piece); });
    }
    if (cancel_) cancel_->on_request([this] { leave(); });
    if (question.timeout.count() > 0 && asker_.context_.loop) {
      until_ = asker_.context_.loop->now() + question.timeout;
      asker_.context_.loop->watch(*this);
    }
  }
  ~Asking() override {
    if (cancel_) cancel_->on_request(nullptr);
    std::erase(asker_.running_, this);
  }

  http::MemoryStream& stream() { return stream_; }
  /// May end the question, and this with it, before it returns.
  void leave() { stream_.leave(); }

  void sweep(Monotonic now) override {
    if (now < until_) return;
    timed_out_ = true;
    unlink();
    leave();
  }

  Result<Answer> result(std::optional<Error> error) {
    if (timed_out_) {
      return fail(ErrorKind::Timeout, Origin::Us, "The question took longer than its asker waits.",
                  "ask_timeout");
    }
    if (error) return std::unexpected(std::move(*error));
    auto answer = stream_.take_answer();
    if (!answer.complete) return cancelled();
    if (answer.streamed) answer.body = std::move(collected_);
    return Answer{answer.status, std::move(answer.fields), std::move(answer.body)};
  }

 private:
  Task<Result<void>> collect(std::string_view piece) {
    if (collected_.size() + piece.size() > most_collected_) {
      co_return fail(ErrorKind::TooLarge, Origin::Us,
                     "The streamed answer is larger than server.limits.answer.");
    }
    collected_ += piece;
    co_return Result<void>{};
  }

  RunnerAsker& asker_;
  Cancel* cancel_;
  http::MemoryStream stream_;
  std::size_t most_collected_;
  std::string collected_;
  Monotonic until_{};
  bool timed_out_ = false;
};

RunnerAsker::RunnerAsker(LoopContext& context, Pinned<Snapshot>& snapshots, Runner& runner)
    : context_(context), snapshots_(snapshots), runner_(runner) {
  context_.asker = this;
}

RunnerAsker::~RunnerAsker() { context_.asker = nullptr; }

Task<Result<Answer>> RunnerAsker::ask(Question question) {
  const int depth = question.inside ? question.inside->depth + 1 : 0;
  if (depth > kMostDepth) {
    co_return fail(ErrorKind::Internal, Origin::Us,
                   "Questions stand too deep inside each other: do two features ask one another?",
                   "ask_too_deep");
  }
  if (closed_) co_return fail(ErrorKind::Unavailable, Origin::Us, "This gateway is shutting down.");
  if (question.cancel && question.cancel->requested()) co_return cancelled();
  Runner::Internal internal{question.principal, static_cast<std::uint8_t>(depth), question.sent,
                            question.explain};
  Asking asking(*this, question);
  co_await runner_.serve_internal(asking.stream(), internal);
  co_return asking.result(std::move(internal.error));
}

void RunnerAsker::close() {
  closed_ = true;
  // One that leaves may take others with it, so the list is begun anew each time.
  for (std::size_t i = 0; i < running_.size();) {
    Asking& asking = *running_[i];
    if (asking.stream().gone()) {
      ++i;
    } else {
      asking.leave();
      i = 0;
    }
  }
}

}  // namespace causeway::exchange
