// Random conversations: whatever is left out, the rest is a conversation.
#include "features/privacy/minimise/selection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>

#include "features/privacy/minimise/conversation.h"

namespace causeway::minimise {
namespace {

class Talk {
 public:
  explicit Talk(unsigned seed) : random_(seed) {
    if (one_in(2)) add(Role::System);
    const int rounds = 1 + below(12);
    for (int i = 0; i < rounds; ++i) round(i + 1 == rounds);
    for (std::size_t i = 0; i < index.messages.size(); ++i) {
      words_.push_back("word" + std::to_string(below(8)));
      material.tokens.push_back(static_cast<std::uint32_t>(1 + below(50)));
    }
    for (const auto& word : words_) material.texts.push_back({word});
    material.question = {words_.back()};
  }

  int below(int n) { return std::uniform_int_distribution<int>(0, n - 1)(random_); }

  RequestIndex index;
  Material material;
  std::set<std::size_t> left_over(const Limits& limits) const {
    std::set<std::size_t> all;
    for (std::size_t i = 0; i < index.messages.size(); ++i) all.insert(i);
    for (const std::size_t out : left_out(index, material, limits)) all.erase(out);
    return all;
  }

 private:
  bool one_in(int n) { return below(n) == 0; }
  std::size_t add(Role role) {
    index.messages.push_back({role, {}});
    return index.messages.size() - 1;
  }
  std::string_view id_of(std::size_t id) { return *ids_.insert(std::to_string(id)).first; }

  void round(bool last) {
    add(Role::User);
    const int steps = one_in(3) ? below(6) : 0;
    for (int i = 0; i < steps; ++i) step();
    if (one_in(8)) add(Role::Developer);
    const bool broken_off = steps > 0 && one_in(3);
    if (!last && !broken_off) add(Role::Assistant);
  }
  // Several calls in one message or in several, answered in any order; some without ids, and some
  // results in messages of users, as dialects have them.
  void step() {
    const bool ids = !one_in(4);
    const bool by_user = one_in(2);
    std::vector<std::size_t> open;
    std::size_t message = add(Role::Assistant);
    for (int calls = 1 + (ids ? below(3) : 0); calls > 0; --calls) {
      open.push_back(next_++);
      index.calls.push_back(
          {static_cast<std::uint16_t>(message), false, ids ? id_of(open.back()) : ""});
      if (one_in(3) && calls > 1) message = add(Role::Assistant);
    }
    std::shuffle(open.begin(), open.end(), random_);
    for (const std::size_t id : open) {
      index.calls.push_back({static_cast<std::uint16_t>(add(by_user ? Role::User : Role::Tool)),
                             true, ids ? id_of(id) : ""});
    }
  }

  std::mt19937 random_;
  std::set<std::string> ids_;
  std::vector<std::string> words_;
  std::size_t next_ = 1;
};

// What a message is in the grammar of conversations.
char letter(const Talk& talk, std::size_t message) {
  for (const auto& call : talk.index.calls) {
    if (call.message == message && call.result) return 'r';
  }
  switch (talk.index.messages[message].role) {
    case Role::User:
      return 'u';
    case Role::Assistant:
      return 'a';
    default:
      return 's';
  }
}

TEST(Selection, WhatIsLeftOfAnyConversationIsOne) {
  for (unsigned seed = 0; seed < 4000; ++seed) {
    Talk talk(seed);
    Limits limits{.tokens = static_cast<std::uint64_t>(talk.below(600)),
                  .messages = static_cast<std::size_t>(talk.below(30)),
                  .keep_last = static_cast<std::size_t>(1 + talk.below(4)),
                  .recency = talk.below(11) / 10.0};
    const auto kept = talk.left_over(limits);
    std::map<std::string_view, int> calls;
    for (const auto& call : talk.index.calls) {
      if (!call.id.empty() && kept.contains(call.message)) calls[call.id] += call.result ? 1 : 100;
    }
    for (const auto& [id, seen] : calls) ASSERT_EQ(seen, 101) << "seed " << seed << " call " << id;
    char before = 's';
    for (const std::size_t message : kept) {
      const char now = letter(talk, message);
      if (now == 's') continue;
      // Never two questions, nor an answer that nothing asked for.
      const std::string_view follows = now == 'u' ? "sar" : now == 'a' ? "uar" : "ar";
      ASSERT_NE(follows.find(before), follows.npos) << "seed " << seed << " message " << message;
      before = now;
    }
    ASSERT_TRUE(kept.contains(talk.index.messages.size() - 1)) << "seed " << seed;
    for (std::size_t i = 0; i < talk.index.messages.size(); ++i) {
      ASSERT_TRUE(letter(talk, i) != 's' || kept.contains(i)) << "seed " << seed;
    }
  }
}

TEST(Selection, KeepsToItsLimitsWhereTheLastOnesDo) {
  int limited = 0;
  for (unsigned seed = 0; seed < 2000; ++seed) {
    Talk talk(seed);
    const auto tokens_of = [&](const std::set<std::size_t>& messages) {
      std::uint64_t sum = 0;
      for (const std::size_t one : messages) sum += talk.material.tokens[one];
      return sum;
    };
    const Limits nothing{.tokens = 0, .messages = 0, .keep_last = 2};
    const Limits some{.tokens = 300, .keep_last = 2};
    const auto least = talk.left_over(nothing), kept = talk.left_over(some);
    ASSERT_TRUE(std::ranges::includes(kept, least)) << "seed " << seed;
    if (tokens_of(least) > some.tokens) continue;
    ASSERT_LE(tokens_of(kept), some.tokens) << "seed " << seed;
    limited += kept.size() < talk.index.messages.size() && kept.size() > least.size();
  }
  EXPECT_GT(limited, 200) << "else nothing was tried";
}

TEST(Selection, ALongConversationOfStepsTakesNoLongTime) {
  RequestIndex index;
  Material material;
  index.messages.push_back({Role::User, {}});
  for (std::uint16_t i = 1; i + 1 < 60'000; i += 2) {
    index.messages.push_back({Role::Assistant, {}});
    index.messages.push_back({Role::Tool, {}});
    index.calls.push_back({i, false, {}});
    index.calls.push_back({static_cast<std::uint16_t>(i + 1), true, {}});
  }
  material.tokens.assign(index.messages.size(), 10);
  material.texts.assign(index.messages.size(), {"some words of a result"});
  material.question = {"words"};
  const auto out = left_out(index, material, {.tokens = 1000});
  EXPECT_EQ(index.messages.size() - out.size(), 99u) << "the question, and 49 steps";
}

}  // namespace
}  // namespace causeway::minimise
