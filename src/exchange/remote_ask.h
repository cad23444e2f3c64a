// core's ask() for those who live on another loop than the ones that serve, as admin routes and
// jobs do on the control loop. The question is answered on one of the serving loops, in turn; sink,
// cancel and result stay on the asker's own.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/ask.h"

namespace causeway::exchange {

class RemoteAsker final : public Asker {
 public:
  using Post = std::function<void(std::move_only_function<void()>)>;  // runs it on a certain loop
  struct Serving {
    Post post;
    Asker* asker;  // of that loop
  };

  /// `home` is the loop that this is used from. The serving loops outlive it, or close() comes
  /// before they end.
  RemoteAsker(Post home, std::vector<Serving> serving);
  ~RemoteAsker() override;

  /// As core/ask.h says; `inside` must be null: no exchange lives on this loop.
  Task<Result<Answer>> ask(Question question) override;

  /// Withdraws what is being asked, and refuses what comes. Idempotent.
  void close();
  bool idle() const { return running_.empty(); }

 private:
  struct Call;
  static Task<void> answer(std::shared_ptr<Call> call, Asker& asker);
  static Task<Result<void>> hand_over(Call& call, std::string piece);
  static void withdraw(const std::shared_ptr<Call>& call);

  Post home_;
  std::vector<Serving> serving_;
  std::size_t next_ = 0;
  std::vector<std::shared_ptr<Call>> running_;
  bool closed_ = false;
};

}  // namespace causeway::exchange
