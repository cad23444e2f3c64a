// What the configuration says about how much anybody may have.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "platform/config/describe.h"
#include "platform/config/values.h"

namespace causeway::limits {

/// Whom a limit counts apart. Several together: each combination.
enum class Per : std::uint8_t { Key, User, Tenant, Model, Address, All };
config::Names<Per> names_of(Per);
std::string_view to_string(Per per);

enum class Each : std::uint8_t { Day, Month };
config::Names<Each> names_of(Each);

enum class Unpriced : std::uint8_t { Allow, Refuse };
config::Names<Unpriced> names_of(Unpriced);

/// One limit: exactly one of the four amounts.
struct LimitConfig {
  std::string name;  // "" = made of what it says
  std::vector<Per> per{Per::Key};
  std::optional<std::uint64_t> requests, tokens;
  std::optional<std::uint32_t> concurrent;
  std::optional<config::Money> money;
  std::optional<std::chrono::milliseconds> window;  // 1 s to 1 h
  std::optional<Each> each;                         // by the calendar, in the place of `window`
  std::string time_zone = "UTC";
  std::optional<std::uint64_t> burst;  // requests at once; the others are spread over the window
  std::optional<double> soft;          // part of the amount, 0 to 1, from which it is told
  Unpriced unpriced = Unpriced::Allow;
  std::string policy;  // where it stands; told by in_policy()
};
void describe(config::Fields& f, LimitConfig& c);

/// Policy section `limits`.
using LimitList = std::vector<LimitConfig>;
void in_policy(LimitList& limits, std::string_view policy);
inline constexpr config::Section<LimitList> kLimits{"limits", "off"};

/// `limits:` of the file.
struct LimitTable {
  std::uint32_t subjects = 100'000;  // in all
};
void describe(config::Fields& f, LimitTable& c);

}  // namespace causeway::limits
