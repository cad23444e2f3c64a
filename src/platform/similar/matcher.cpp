#include "platform/similar/matcher.h"

namespace causeway::similar {

namespace {

constexpr std::size_t kLookedAt = 8;

std::variant<FlatIndex, GraphIndex> index_for(std::size_t dimensions, std::size_t capacity) {
  if (capacity > kMostFlat) return GraphIndex(dimensions, capacity);
  return FlatIndex(dimensions, capacity);
}

}  // namespace

Matcher::Matcher(std::size_t dimensions, std::size_t capacity)
    : index_(index_for(dimensions, capacity)) {}

bool Matcher::add(std::uint64_t id, std::uint64_t scope, Question question,
                  std::span<const float> vector) {
  if (!question.read) return false;
  if (!std::visit([&](auto& index) { return index.add(id, scope, vector); }, index_)) return false;
  questions_.insert_or_assign(id, std::move(question));
  return true;
}

bool Matcher::remove(std::uint64_t id) {
  questions_.erase(id);
  return std::visit([&](auto& index) { return index.remove(id); }, index_);
}

std::optional<Found> Matcher::find(const Question& question, std::uint64_t scope,
                                   std::span<const float> vector, float threshold) const {
  if (!question.read) return std::nullopt;
  const auto near = std::visit(
      [&](const auto& index) { return index.find(vector, scope, threshold, kLookedAt); }, index_);
  for (const auto& one : near) {
    const auto kept = questions_.find(one.id);
    if (kept != questions_.end() && differs(question, kept->second) == Reason::Same) return one;
  }
  return std::nullopt;
}

}  // namespace causeway::similar
