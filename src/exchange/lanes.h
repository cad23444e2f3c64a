// Hold-back: per choice, item and channel, text waits here until every stage that asked to see more
// has seen it. What a stage gets, what it replaces and what is released follows from its Hold; no
// stage keeps text of its own.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/exchange.h"
#include "core/stage.h"

namespace causeway::exchange {

class Lanes {
 public:
  /// Of the event hooks of the exchange's policy, those that watch this answer. A whole answer is
  /// one frame: no text of it is told again.
  enum class Of : std::uint8_t { Stream, Whole };
  Lanes(Exchange& exchange, const std::vector<Hook>& hooks, Of answer);

  bool active() const { return !watchers_.empty(); }

  /// Takes a frame's events through the hooks. Texts that were held or changed are in
  /// frame.released afterwards (empty = all untouched); frame.swallowed when nothing is left of it.
  /// `before` gets what had been held of lanes that end with this frame but have no text in it.
  /// Errors: of the stage that refused.
  struct Released {
    Lane lane;
    std::string text;
  };
  Result<void> frame(Frame& frame, std::vector<Released>& before);

  /// The answer ends without saying so per choice: everything that is held.
  Result<void> flush(std::vector<Released>& out);

  /// Bytes that it has of the answer.
  std::size_t kept() const;

 private:
  struct Watcher {
    Hook hook;
    Hold hold;
  };
  struct State {
    Lane lane;
    std::vector<std::string> held;  // per watcher; empty while nothing was ever held
    std::string sent;               // for dialects that repeat a text at its end
    bool seen = false;
  };
  State& state(const Lane& lane);
  bool holds(const State& state) const;
  Result<std::string> text(State& state, std::string piece, bool last);
  Result<std::string> repeat(State& state, std::string_view original,
                             std::vector<Released>& before);
  Result<void> tell(Event& event);
  Result<void> end_text(const Lane& lane, std::vector<Released>& out);
  Result<void> flush_choice(std::uint16_t choice, const Frame& frame, std::vector<Released>& out);

  Exchange& exchange_;
  Of answer_;
  std::vector<Watcher> watchers_;
  std::vector<State> states_;
};

}  // namespace causeway::exchange
