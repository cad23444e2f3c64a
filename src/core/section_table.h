// The sections that policies may have. Whoever owns one registers it at start-up and gets its
// number; the configuration reader, the resolved policies and the reference page follow from that.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "core/policy.h"
#include "platform/config/describe.h"

namespace causeway {

class SectionTable {
 public:
  explicit SectionTable(config::Registry& registry) : registry_(registry) {}

  template <class T>
  SectionKey<T> add(config::Section<T> section, std::string_view doc, T initial = T{}) {
    registry_.section("policy", section, doc);
    entries_.push_back(
        {std::make_shared<T>(std::move(initial)),
         [section](const config::Sections& parts,
                   [[maybe_unused]] std::string_view policy) -> std::shared_ptr<const void> {
           const T* value = parts.get(section);
           if (!value) return nullptr;
           auto copy = std::make_shared<T>(*value);
           if constexpr (requires { in_policy(*copy, policy); }) in_policy(*copy, policy);
           return copy;
         }});
    return SectionKey<T>(static_cast<std::uint16_t>(entries_.size() - 1));
  }

  /// Every section as it is when no policy speaks of it.
  Sections defaults() const {
    Sections all;
    for (std::uint16_t i = 0; i < entries_.size(); ++i) all.set(i, entries_[i].initial);
    return all;
  }
  /// The sections that one policy of the configuration has. A section that bears on whose it is has
  /// a function in_policy(T&, std::string_view name) beside its type.
  Sections read(const config::Sections& parts, std::string_view policy) const {
    Sections some;
    for (std::uint16_t i = 0; i < entries_.size(); ++i) {
      if (auto value = entries_[i].read(parts, policy)) some.set(i, std::move(value));
    }
    return some;
  }

 private:
  struct Entry {
    std::shared_ptr<const void> initial;
    std::function<std::shared_ptr<const void>(const config::Sections&, std::string_view)> read;
  };
  config::Registry& registry_;
  std::vector<Entry> entries_;
};

}  // namespace causeway
