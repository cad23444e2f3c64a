#include "features/privacy/minimise/conversation.h"

#include <algorithm>
#include <unordered_map>

namespace causeway::minimise {
namespace {

/// For each result of a tool the message of its call.
class Calls {
 public:
  explicit Calls(const RequestIndex& index) : state_(index.messages.size()) {
    std::unordered_map<std::string_view, std::size_t> by_id;
    std::size_t last = kNone;
    for (const auto& call : index.calls) {
      Message& message = state_[call.message];
      if (!call.result) {
        message.calls = true;
        last = call.message;
        if (!call.id.empty()) by_id[call.id] = call.message;
        continue;
      }
      message.result = true;
      const auto known = by_id.find(call.id);
      const std::size_t of = known != by_id.end() ? known->second : last;
      if (of != kNone) message.first_call = std::min(message.first_call, of);
    }
  }

  bool calls(std::size_t message) const { return state_[message].calls; }
  bool is_result(std::size_t message) const { return state_[message].result; }
  /// The first message whose call is answered here; the message itself where there is none.
  std::size_t first_call(std::size_t message) const {
    return std::min(state_[message].first_call, message);
  }

 private:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  struct Message {
    bool calls = false, result = false;
    std::size_t first_call = kNone;
  };
  std::vector<Message> state_;
};

class Builder {
 public:
  explicit Builder(const RequestIndex& index) : index_(index), calls_(index) {}

  std::vector<Part> build() {
    for (std::size_t i = 0; i < index_.messages.size(); ++i) {
      switch (index_.messages[i].role) {
        case Role::User:
          if (!calls_.is_result(i)) {
            open(i, true);
          } else {
            result(i);
          }
          break;
        case Role::Assistant:
          said(i);
          break;
        case Role::Tool:
        case Role::Function:
          result(i);
          break;
        default:
          break;  // always kept
      }
    }
    close_rounds();
    return std::move(parts_);
  }

 private:
  void open(std::size_t message, bool new_round) {
    if (new_round && !parts_.empty()) ++round_;
    parts_.push_back({message, message + 1, round_, false});
    answered_ = false;
  }

  // Behind results, or behind the user's message, another part of the round begins.
  void said(std::size_t message) {
    const bool goes_on = !parts_.empty() && !answered_ && !is_question(parts_.back());
    if (!goes_on) open(message, false);
    parts_.back().end = message + 1;
    if (calls_.calls(message)) parts_.back().step = true;
  }

  void result(std::size_t message) {
    if (parts_.empty()) open(message, false);
    // All from the call up to here is one part, whatever stands between.
    const std::size_t call = calls_.first_call(message);
    while (parts_.size() > 1 && parts_.back().begin > call) {
      Part last = parts_.back();
      parts_.pop_back();
      Part& part = parts_.back();
      part.end = last.end;
      part.step &= last.step && part.round == last.round;
      round_ = part.round;
    }
    parts_.back().end = message + 1;
    answered_ = true;
  }

  // A round that ends in a step keeps it: else two questions would stand one behind the other, and
  // some models take no such conversation.
  void close_rounds() {
    for (std::size_t i = 1; i < parts_.size(); ++i) {
      if (parts_[i].round != parts_[i - 1].round) parts_[i - 1].step = false;
    }
  }

  bool is_question(const Part& part) const {
    return index_.messages[part.begin].role == Role::User && !calls_.is_result(part.begin);
  }

  const RequestIndex& index_;
  const Calls calls_;
  std::vector<Part> parts_;
  std::size_t round_ = 0;
  bool answered_ = false;  // the last part ends in results
};

}  // namespace

std::vector<Part> parts_of(const RequestIndex& index) { return Builder(index).build(); }

}  // namespace causeway::minimise
