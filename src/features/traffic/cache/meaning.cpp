#include "features/traffic/cache/meaning.h"

#include <boost/json/parse.hpp>
#include <cmath>
#include <cstring>

namespace causeway::cache {
namespace {

constexpr std::size_t kMostModels = 8;  // of embeddings, at the same time

std::uint64_t scope_of(const Key& context) {
  std::uint64_t scope = 0;
  std::memcpy(&scope, context.data(), sizeof scope);
  return scope;
}

bool wants_plain_words(const RequestIndex& index) {
  if (index.has_tools || index.has_unread_content || index.choices != 1) return false;
  for (const auto& member : index.members) {
    // The ways in which a form of the answer is asked for.
    for (const std::string_view name : {"response_format", "output_config", "output_format", "text",
                                        "logprobs", "modalities", "audio", "thinking"}) {
      if (member.key == name) return false;
    }
    if (member.key == "generationConfig" &&
        index.bytes(member.value).find("chema") != std::string_view::npos) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string question_of(Exchange& exchange, const Attempt& attempt, const CacheSettings& settings,
                        Key& context) {
  const RequestIndex& index = exchange.index;
  if (exchange.operation->kind != OperationKind::Chat || !wants_plain_words(index)) return {};
  if (index.messages.empty() || index.messages.back().role != Role::User) return {};
  const auto last = static_cast<std::uint16_t>(index.messages.size() - 1);
  if (attempt.request.is_dropped(last)) return {};
  Attempt without;
  without.target = attempt.target;
  without.request = attempt.request.fork();
  std::string question;
  int texts = 0;
  for (Text text : without.request.texts()) {
    const Where where = text.where();
    if (where.message != last || where.role != Role::User || where.kind != TextKind::Content) {
      continue;
    }
    question = text.get();
    text.set("");
    ++texts;
  }
  if (texts != 1 || question.size() > similar::kMostBytes) return {};
  context = key_of(exchange, without, settings);
  return question;
}

std::optional<Key> Meanings::find(const Asked& asked, float threshold) const {
  const std::lock_guard lock(mutex_);
  const auto matcher = matchers_.find(asked.model);
  if (matcher == matchers_.end()) return std::nullopt;
  const auto found =
      matcher->second->find(asked.question, scope_of(asked.context), asked.vector, threshold);
  if (!found) return std::nullopt;
  const auto entry = entries_.find(found->id);
  // Scopes are 64 bits of the context.
  if (entry == entries_.end() || entry->second.context != asked.context) return std::nullopt;
  return entry->second.key;
}

void Meanings::add(Asked asked, const Key& key) {
  const std::lock_guard lock(mutex_);
  auto& matcher = matchers_[asked.model];
  if (!matcher) {
    if (matchers_.size() > kMostModels) {
      matchers_.erase(asked.model);
      return;
    }
    matcher = std::make_unique<similar::Matcher>(asked.vector.size(), most_);
  }
  if (const auto before = numbers_.find(key); before != numbers_.end()) {
    matcher->remove(before->second);
    entries_.erase(before->second);
    numbers_.erase(before);
  }
  while (entries_.size() >= most_) drop_first();
  const std::uint64_t number = ++last_;
  if (!matcher->add(number, scope_of(asked.context), std::move(asked.question), asked.vector)) {
    return;
  }
  entries_.emplace(number, Entry{std::move(asked.model), key, asked.context});
  numbers_.emplace(key, number);
}

void Meanings::drop_first() {
  const auto first = entries_.begin();
  matchers_.at(first->second.model)->remove(first->first);
  numbers_.erase(first->second.key);
  entries_.erase(first);
}

void Meanings::forget(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto number = numbers_.find(key);
  if (number == numbers_.end()) return;
  const auto entry = entries_.find(number->second);
  matchers_.at(entry->second.model)->remove(entry->first);
  entries_.erase(entry);
  numbers_.erase(number);
}

void Meanings::clear() {
  const std::lock_guard lock(mutex_);
  matchers_.clear();
  entries_.clear();
  numbers_.clear();
}

std::size_t Meanings::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::vector<float> read_vector(std::string_view body) {
  namespace bj = boost::json;
  boost::system::error_code failed;
  const bj::value value = bj::parse(body, failed);
  if (failed) return {};
  const bj::value* list = value.is_object() ? value.as_object().if_contains("data") : nullptr;
  if (!list || !list->is_array() || list->as_array().size() != 1) return {};
  const bj::value& one = list->as_array().front();
  const bj::value* numbers = one.is_object() ? one.as_object().if_contains("embedding") : nullptr;
  if (!numbers || !numbers->is_array()) return {};
  std::vector<float> vector;
  double sum = 0;
  for (const bj::value& number : numbers->as_array()) {
    if (!number.is_number()) return {};
    const double real = number.to_number<double>();
    vector.push_back(static_cast<float>(real));
    sum += real * real;
  }
  if (!(sum > 0) || !std::isfinite(sum)) return {};
  const auto length = static_cast<float>(std::sqrt(sum));
  for (float& number : vector) number /= length;
  return vector;
}

}  // namespace causeway::cache
