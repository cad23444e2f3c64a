#include "features/traffic/faq/meanings.h"

#include <algorithm>
#include <unordered_set>

namespace causeway::faq {
namespace {

constexpr std::size_t kAtOnce = 32;  // questions in one request

Principal own_principal() {
  Principal self;
  self.key_id = self.key_name = kKey;
  self.tenant = "default";
  self.models = {"*"};
  return self;
}

// Those of the table that have no vector, and none twice.
std::vector<std::string> missing(const FaqTable& table, const VectorMap& known) {
  std::vector<std::string> some;
  std::unordered_set<std::string_view> seen;
  std::size_t rows = 0;
  for (const auto& entry : table.entries()) {
    for (const auto& question : entry->questions) {
      if (++rows > Vectors::kMostRows) return some;
      if (!known.contains(question) && seen.insert(question).second) some.push_back(question);
    }
  }
  return some;
}

// What no entry asks any more need not be known.
void forget_others(const FaqTable& table, VectorMap& known) {
  std::unordered_set<std::string_view> used;
  for (const auto& entry : table.entries()) {
    for (const auto& question : entry->questions) used.insert(question);
  }
  std::erase_if(known, [&](const auto& one) { return !used.contains(one.first); });
}

}  // namespace

Meanings::Meanings(Parts parts) : parts_(std::move(parts)), principal_(own_principal()) {}

void Meanings::want(std::vector<std::string> models) {
  if (models.size() > kMostModels) models.resize(kMostModels);
  parts_.post([this, models = std::move(models)]() mutable {
    wanted_ = std::move(models);
    not_before_ = {};
    std::erase_if(known_, [&](const auto& one) {
      return std::ranges::find(wanted_, one.first) == wanted_.end();
    });
    begin();
  });
}

void Meanings::look() {
  parts_.post([this] { begin(); });
}

void Meanings::begin() {
  again_ = true;
  if (running_ || wanted_.empty() || parts_.clock.now() < not_before_) return;
  running_ = true;
  spawn(run());
}

Task<void> Meanings::run() {
  bool well = true;
  while (well && again_) {
    again_ = false;
    const std::vector<std::string> models = wanted_;
    for (std::size_t i = 0; well && i < models.size(); ++i) {
      auto filling = fill(models[i]);
      well = co_await std::move(filling);
    }
    publish();
  }
  if (!well) not_before_ = parts_.clock.now() + kPause;
  running_ = false;
}

Task<bool> Meanings::fill(std::string model) {
  const auto table = parts_.tables.get();
  VectorMap known = known_[model];
  forget_others(*table, known);
  const auto questions = missing(*table, known);
  bool well = true;
  for (std::size_t at = 0; well && at < questions.size(); at += kAtOnce) {
    const auto end = std::min(at + kAtOnce, questions.size());
    std::vector<std::string> some(questions.begin() + static_cast<std::ptrdiff_t>(at),
                                  questions.begin() + static_cast<std::ptrdiff_t>(end));
    auto asking = ask_for(model, std::move(some), &known);
    well = co_await std::move(asking);
  }
  known_[model] = std::move(known);  // also where only a part of them came
  co_return well;
}

Task<bool> Meanings::ask_for(std::string model, std::vector<std::string> questions,
                             VectorMap* known) {
  Asker* asker = parts_.asker();
  if (!asker) co_return false;
  std::vector<std::string_view> inputs(questions.begin(), questions.end());
  Question question;
  question.principal = &principal_;
  question.path = "/v1/embeddings";
  question.body = embeddings_body(model, inputs);
  question.timeout = std::chrono::minutes(2);
  auto asking = asker->ask(std::move(question));
  const auto answer = co_await std::move(asking);
  if (!answer) co_return false;
  auto vectors = read_embeddings(answer->body, questions.size());
  if (!vectors) co_return false;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    (*known)[questions[i]] = std::make_shared<const Vector>(std::move((*vectors)[i]));
  }
  co_return true;
}

void Meanings::publish() {
  auto all = std::make_shared<VectorsByModel>();
  const auto table = parts_.tables.get();
  for (const auto& [model, known] : known_) {
    (*all)[model] = std::make_shared<const Vectors>(*table, known);
  }
  const std::lock_guard lock(mutex_);
  all_ = std::move(all);
  number_.fetch_add(1, std::memory_order_release);
}

std::shared_ptr<const Vectors> Meanings::held(Hold& hold, std::string_view model) const {
  if (hold.number != number_.load(std::memory_order_acquire)) [[unlikely]] {
    const std::lock_guard lock(mutex_);
    hold.all = all_;
    hold.number = number_.load(std::memory_order_relaxed);
  }
  const auto found = hold.all->find(model);
  return found == hold.all->end() ? nullptr : found->second;
}

std::size_t Meanings::rows() const {
  const std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [model, vectors] : *all_) sum += vectors->rows();
  return sum;
}

}  // namespace causeway::faq
