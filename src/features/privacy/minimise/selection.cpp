#include "features/privacy/minimise/selection.h"

#include <algorithm>

#include "features/privacy/minimise/conversation.h"
#include "features/privacy/minimise/relevance.h"

namespace causeway::minimise {
namespace {

class Selection {
 public:
  Selection(const RequestIndex& index, const Material& material, const Limits& limits)
      : index_(index),
        material_(material),
        limits_(limits),
        parts_(parts_of(index)),
        kept_(parts_.size()),
        tokens_(material.other_tokens) {
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      frames_.resize(parts_[i].round + 1);
      if (!parts_[i].step) frames_[parts_[i].round].push_back(i);
    }
  }

  std::vector<std::size_t> run() {
    if (everything_fits()) return {};
    keep_fixed();
    keep_last();
    for (const Candidate& candidate : candidates()) take(candidate);
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (kept_[i]) continue;
      each_message(parts_[i], [&](std::size_t message) { out.push_back(message); });
    }
    return out;
  }

 private:
  struct Candidate {
    std::size_t part;
    double score;
  };

  static bool is_fixed(Role role) {
    return role == Role::System || role == Role::Developer || role == Role::None ||
           role == Role::Other;
  }

  template <class Fn>
  void each_message(const Part& part, Fn fn) const {
    for (std::size_t i = part.begin; i < part.end; ++i) {
      if (!is_fixed(index_.messages[i].role)) fn(i);
    }
  }

  bool everything_fits() const {
    std::uint64_t tokens = material_.other_tokens;
    std::size_t messages = 0;
    for (std::size_t i = 0; i < index_.messages.size(); ++i) {
      tokens += material_.tokens[i];
      messages += !is_fixed(index_.messages[i].role);
    }
    return tokens <= limits_.tokens && messages <= limits_.messages;
  }

  void keep_fixed() {
    for (std::size_t i = 0; i < index_.messages.size(); ++i) {
      if (is_fixed(index_.messages[i].role)) tokens_ += material_.tokens[i];
    }
  }

  void keep(std::size_t part) {
    if (kept_[part]) return;
    kept_[part] = true;
    each_message(parts_[part], [&](std::size_t message) {
      tokens_ += material_.tokens[message];
      ++messages_;
    });
  }

  /// Calls fn(part) for what a part cannot stand without: itself, and its round but for the steps.
  template <class Fn>
  void each_needed(std::size_t part, Fn fn) const {
    if (parts_[part].step) fn(part);
    for (const std::size_t other : frames_[parts_[part].round]) fn(other);
  }

  void keep_last() {
    std::size_t messages = 0;
    for (std::size_t i = parts_.size(); i-- > 0 && messages < limits_.keep_last;) {
      each_message(parts_[i], [&](std::size_t) { ++messages; });
      each_needed(i, [&](std::size_t needed) { keep(needed); });
    }
  }

  std::vector<double> scores_of_messages() const {
    std::vector<std::size_t> messages;
    std::vector<std::vector<std::string_view>> texts;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (kept_[i]) continue;
      each_message(parts_[i], [&](std::size_t message) {
        messages.push_back(message);
        texts.push_back(material_.texts[message]);
      });
    }
    const auto found = relevance(texts, material_.question);
    std::vector<double> scores(index_.messages.size());
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const double place =
          static_cast<double>(messages[i] + 1) / static_cast<double>(index_.messages.size());
      scores[messages[i]] = (1 - limits_.recency) * found[i] + limits_.recency * place;
    }
    return scores;
  }

  // Several parts of a round may be among them: with the first all of these are taken.
  std::vector<Candidate> candidates() const {
    const auto scores = scores_of_messages();
    std::vector<Candidate> all;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      if (kept_[i]) continue;
      double score = 0;
      each_message(parts_[i],
                   [&](std::size_t message) { score = std::max(score, scores[message]); });
      all.push_back({i, score});
    }
    std::ranges::sort(all, [](const Candidate& a, const Candidate& b) {
      return a.score != b.score ? a.score > b.score : a.part > b.part;
    });
    return all;
  }

  void take(const Candidate& candidate) {
    std::uint64_t tokens = tokens_;
    std::size_t messages = messages_;
    each_needed(candidate.part, [&](std::size_t needed) {
      if (kept_[needed]) return;
      each_message(parts_[needed], [&](std::size_t message) {
        tokens += material_.tokens[message];
        ++messages;
      });
    });
    if (tokens > limits_.tokens || messages > limits_.messages) return;
    each_needed(candidate.part, [&](std::size_t needed) { keep(needed); });
  }

  const RequestIndex& index_;
  const Material& material_;
  const Limits& limits_;
  const std::vector<Part> parts_;
  std::vector<std::vector<std::size_t>> frames_;  // by round: its parts that are no steps
  std::vector<bool> kept_;
  std::uint64_t tokens_ = 0;  // of what is kept
  std::size_t messages_ = 0;
};

}  // namespace

std::vector<std::size_t> left_out(const RequestIndex& index, const Material& material,
                                  const Limits& limits) {
  return Selection(index, material, limits).run();
}

}  // namespace causeway::minimise
