// Which settings of the features apply to whom. A policy is a list of sections; per section the
// first matching policy that has it decides. What that gives for a set of matching policies is
// resolved once into an EffectivePolicy: the sections by number, and one flat list of hooks each.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace causeway {

class Stage;

/// The number of a section, given at start-up by whoever owns the section.
template <class T>
class SectionKey {
 public:
  SectionKey() = default;
  explicit SectionKey(std::uint16_t index) : index_(index) {}
  std::uint16_t index() const { return index_; }

 private:
  std::uint16_t index_ = 0;
};

/// Sections by number; null = not set by any matching policy, so its default applies.
class Sections {
 public:
  template <class T>
  const T& get(SectionKey<T> key) const {
    return *static_cast<const T*>(values_[key.index()].get());
  }
  const std::shared_ptr<const void>& raw(std::uint16_t index) const { return values_[index]; }
  void set(std::uint16_t index, std::shared_ptr<const void> value) {
    if (values_.size() <= index) values_.resize(index + 1u);
    values_[index] = std::move(value);
  }
  std::size_t size() const { return values_.size(); }
  bool has(std::uint16_t index) const { return index < values_.size() && values_[index]; }

 private:
  std::vector<std::shared_ptr<const void>> values_;
};

struct PolicyMatch {
  std::vector<std::string> tenants, keys, roles, models;  // glob patterns; empty = everybody
};

struct Policy {
  std::string name;
  PolicyMatch match;
  Sections sections;
};

/// One hook of one stage in a flat list.
struct Hook {
  Stage* stage = nullptr;
  std::uint8_t index = 0;  // the stage's place in the pipeline, for the set of stages that ran
  bool waits = false;
  bool reads_texts = false;
};

struct EffectivePolicy {
  std::string names;  // of the policies that gave a section, for traces: "strict+everyone"
  Sections sections;  // every section set, from a policy or by default
  std::vector<Hook> request, attempt, event;
  bool attempt_waits = false;  // one of `attempt` does
};

}  // namespace causeway
