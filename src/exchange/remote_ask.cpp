#include "exchange/remote_ask.h"

#include <optional>
#include <string>
#include <utility>

namespace causeway::exchange {

// One question on its way. Each part belongs to the loop that is named; the other one reaches it
// through a post only.
struct RemoteAsker::Call {
  // Set before it is handed over.
  Post home, away;
  Question question;

  // The serving loop's.
  Cancel cancel;
  Signal taken;  // of the piece that was handed over last
  Result<void> verdict;

  // The asker's loop's.
  Signal news;
  std::optional<std::string> piece;
  std::optional<Result<Answer>> result;
};

RemoteAsker::RemoteAsker(Post home, std::vector<Serving> serving)
    : home_(std::move(home)), serving_(std::move(serving)) {}

RemoteAsker::~RemoteAsker() = default;

Task<void> RemoteAsker::answer(std::shared_ptr<Call> call, Asker& asker) {
  auto asking = asker.ask(std::move(call->question));
  auto result = co_await std::move(asking);
  call->home([call, result = std::move(result)]() mutable {
    call->result.emplace(std::move(result));
    call->news.set();
  });
}

// The next piece comes when this one was taken: a slow reader slows the provider.
Task<Result<void>> RemoteAsker::hand_over(Call& call, std::string piece) {
  if (call.cancel.requested()) {
    co_return fail(ErrorKind::Cancelled, Origin::Client, "The question was withdrawn.");
  }
  call.taken.reset();
  // The call lives: answer() holds it, and waits for this.
  call.home([&call, piece = std::move(piece)]() mutable {
    call.piece = std::move(piece);
    call.news.set();
  });
  co_await call.taken;
  co_return std::exchange(call.verdict, Result<void>{});
}

void RemoteAsker::withdraw(const std::shared_ptr<Call>& call) {
  call->away([call] {
    call->verdict = fail(ErrorKind::Cancelled, Origin::Client, "The question was withdrawn.");
    call->cancel.request();
    call->taken.set();
  });
}

Task<Result<Answer>> RemoteAsker::ask(Question question) {
  if (closed_ || serving_.empty()) {
    co_return fail(ErrorKind::Unavailable, Origin::Us, "This gateway is shutting down.");
  }
  const Serving& serving = serving_[next_++ % serving_.size()];
  auto call = std::make_shared<Call>();
  call->home = home_;
  call->away = serving.post;
  Cancel* const cancel = std::exchange(question.cancel, &call->cancel);
  const auto sink = std::exchange(question.sink, nullptr);
  if (sink) {
    question.sink = [&handed = *call](std::string_view piece) {
      return hand_over(handed, std::string(piece));
    };
  }
  call->question = std::move(question);
  if (cancel && cancel->requested()) call->cancel.request();
  running_.push_back(call);
  if (cancel) cancel->on_request([call] { withdraw(call); });
  serving.post([call, asker = serving.asker] { spawn(answer(call, *asker)); });
  while (!call->result) {
    co_await call->news;
    call->news.reset();
    if (!call->piece) continue;
    const std::string piece = *std::exchange(call->piece, std::nullopt);
    auto taking = sink(piece);
    auto verdict = co_await std::move(taking);
    call->away([call, verdict = std::move(verdict)]() mutable {
      if (!call->taken.is_set()) call->verdict = std::move(verdict);
      call->taken.set();
    });
  }
  if (cancel) cancel->on_request(nullptr);
  std::erase(running_, call);
  co_return std::move(*call->result);
}

void RemoteAsker::close() {
  closed_ = true;
  for (const auto& call : running_) withdraw(call);
}

}  // namespace causeway::exchange
