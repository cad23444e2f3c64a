#include "exchange/lanes.h"

#include <algorithm>
#include <utility>

#include "platform/text/utf8.h"

namespace causeway::exchange {
namespace {

constexpr std::size_t kMaxLanes = 1024;  // choices × tool calls of one answer

// How much of `text` may go out: all but what the hold still wants to see, never less than what a
// replacement made final, never inside a UTF-8 sequence.
std::size_t released_bytes(const Hold& hold, const EventText& seen, bool last) {
  const std::string_view text = seen.get();
  const std::size_t final_bytes = seen.final_bytes();
  if (last) return text.size();
  std::size_t release = 0;
  switch (hold.kind) {
    case Hold::Kind::None:
      return text.size();
    case Hold::Kind::Window:
      // A match of n bytes may begin in the last n-1 bytes.
      release = text.size() - std::min<std::size_t>(text.size(), hold.bytes ? hold.bytes - 1 : 0);
      break;
    case Hold::Kind::Sentence: {
      const auto end = text.find_last_of(".!?\n");
      release = end == std::string_view::npos ? 0 : end + 1;
      break;
    }
    case Hold::Kind::Whole:
      break;
    case Hold::Kind::Asked:
      release = seen.held_from();
      break;
  }
  release = std::max(release, final_bytes);
  while (release > final_bytes && release < text.size() &&
         (static_cast<unsigned char>(text[release]) & 0xC0) == 0x80) {
    --release;
  }
  return release;
}

Event text_event(const Lane& lane, EventText& text, bool last) {
  Event event;
  event.kind = EventKind::Text;
  event.lane = lane;
  event.text = &text;
  event.last = last;
  return event;
}

}  // namespace

Lanes::Lanes(Exchange& exchange, const std::vector<Hook>& hooks, Of answer)
    : exchange_(exchange), answer_(answer) {
  for (const Hook& hook : hooks) {
    if (!hook.stage->watches(exchange)) continue;
    watchers_.push_back({hook, hook.stage->hold(exchange.policy->sections)});
  }
}

Lanes::State& Lanes::state(const Lane& lane) {
  for (State& s : states_) {
    if (s.lane == lane) return s;
  }
  states_.push_back({lane, {}, {}, false});
  return states_.back();
}

bool Lanes::holds(const State& state) const {
  return std::any_of(state.held.begin(), state.held.end(),
                     [](const std::string& held) { return !held.empty(); });
}

Result<void> Lanes::tell(Event& event) {
  for (const auto& [hook, hold] : watchers_) {
    exchange_.stages_run |= std::uint64_t{1} << hook.index;
    auto verdict = hook.stage->on_event(exchange_, event);
    if (!verdict) return std::unexpected(std::move(verdict).error());
  }
  return {};
}

// One piece of a lane's text through all hooks, each seeing what the one before released.
Result<std::string> Lanes::text(State& state, std::string piece, bool last) {
  for (std::size_t i = 0; i < watchers_.size(); ++i) {
    const auto& [hook, hold] = watchers_[i];
    const auto keep = [&](std::string held) {
      state.held.resize(watchers_.size());
      state.held[i] = std::move(held);
    };
    std::string all = state.held.empty() ? std::string() : std::exchange(state.held[i], {});
    if (all.empty()) {
      all = std::move(piece);
    } else {
      all += piece;
    }
    if (!last && (all.empty() || hold.kind == Hold::Kind::Whole)) {
      if (!all.empty()) keep(std::move(all));
      return std::string();
    }
    if (all.empty()) {
      piece.clear();
      continue;
    }
    EventText text(std::move(all));
    Event event = text_event(state.lane, text, last);
    exchange_.stages_run |= std::uint64_t{1} << hook.index;
    auto verdict = hook.stage->on_event(exchange_, event);
    if (!verdict) return std::unexpected(std::move(verdict).error());
    const std::size_t release = released_bytes(hold, text, last);
    piece = text.take();
    if (release < piece.size()) keep(piece.substr(release));
    piece.resize(release);
  }
  return piece;
}

// What stands for a text that is told once more: what was sent of it, the rest of it first. A text
// that was never told before is an ordinary one.
Result<std::string> Lanes::repeat(State& state, std::string_view original,
                                  std::vector<Released>& before) {
  auto rest = text(state, state.seen ? std::string() : std::string(original), true);
  if (!rest) return rest;
  if (!state.seen) {
    state.sent = *rest;
    return rest;
  }
  if (!rest->empty()) before.push_back({state.lane, *rest});
  state.sent += *rest;
  return state.sent;
}

Result<void> Lanes::flush_choice(std::uint16_t choice, const Frame& frame,
                                 std::vector<Released>& out) {
  for (State& s : states_) {
    if (s.lane.choice != choice || !holds(s)) continue;
    const bool in_frame =
        std::any_of(frame.events.begin(), frame.events.end(),
                    [&](const Event& e) { return e.kind == EventKind::Text && e.lane == s.lane; });
    if (in_frame) continue;
    auto released = text(s, {}, true);
    if (!released) return pass(std::move(released));
    s.sent += *released;
    if (!released->empty()) out.push_back({s.lane, std::move(*released)});
  }
  return {};
}

Result<void> Lanes::end_text(const Lane& lane, std::vector<Released>& out) {
  State& s = state(lane);
  if (!holds(s)) return {};
  auto released = text(s, {}, true);
  if (!released) return pass(std::move(released));
  s.sent += *released;
  if (!released->empty()) out.push_back({lane, std::move(*released)});
  return {};
}

Result<void> Lanes::frame(Frame& frame, std::vector<Released>& before) {
  bool changed = false, only_held_text = !frame.events.empty() && !frame.more;
  for (Event& event : frame.events) {
    if (event.kind != EventKind::Text) {
      only_held_text = false;
      if (event.kind == EventKind::TextEnd) {
        if (auto done = end_text(event.lane, before); !done) return done;
        continue;
      }
      if (event.kind == EventKind::Stop) {
        if (auto done = flush_choice(event.lane.choice, frame, before); !done) return done;
      }
      if (auto told = tell(event); !told) return told;
      continue;
    }
    if (states_.size() >= kMaxLanes) {
      return fail(ErrorKind::UpstreamBroken, Origin::Upstream,
                  "the provider's answer has too many parts");
    }
    std::string storage;
    const std::string_view json =
        frame.data.substr(event.value.begin, event.value.end - event.value.begin);
    const std::string_view original = decode_json_string(json, storage);
    State& lane = state(event.lane);
    auto released = event.repeats ? repeat(lane, original, before)
                                  : text(lane, std::string(original), event.last);
    if (!released) return pass(std::move(released));
    if (!event.repeats && answer_ == Of::Stream) lane.sent += *released;
    lane.seen = true;
    if (*released != original) changed = true;
    if (!released->empty()) only_held_text = false;
    frame.released.push_back(std::move(*released));
  }
  if (!changed) frame.released.clear();
  frame.swallowed = changed && only_held_text;
  return {};
}

std::size_t Lanes::kept() const {
  std::size_t bytes = 0;
  for (const State& s : states_) {
    bytes += s.sent.capacity();
    for (const std::string& held : s.held) bytes += held.capacity();
  }
  return bytes;
}

Result<void> Lanes::flush(std::vector<Released>& out) {
  for (State& s : states_) {
    if (!holds(s)) continue;
    auto released = text(s, {}, true);
    if (!released) return pass(std::move(released));
    if (!released->empty()) out.push_back({s.lane, std::move(*released)});
  }
  return {};
}

}  // namespace causeway::exchange
