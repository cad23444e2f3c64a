// What policies say about personal data: the section `pii`. From it comes one Treatment, made while
// the configuration is read and shared by all requests of the policy.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/section_table.h"
#include "features/privacy/pii/detector.h"

namespace causeway::pii {

/// What is done with a finding before the request goes to a target.
enum class Action : std::uint8_t {
  Off,        // not looked for
  Report,     // counted, and left as it is
  Mask,       // [EMAIL], [EMAIL_2]
  Pseudonym,  // another value of the same shape
  Hash,       // [EMAIL:4f0c…], the same for the same value, never restored
  Block,      // the target does not get the request
};
inline constexpr std::size_t kActions = static_cast<std::size_t>(Action::Block) + 1;
std::string_view name_of(Action action);
config::Names<Action> names_of(Action);

/// What is done about contents that cannot be read: images, sounds, files, token ids.
enum class Unread : std::uint8_t { Refuse, Strip, Pass };
inline config::Names<Unread> names_of(Unread) {
  return {{"refuse", Unread::Refuse}, {"strip", Unread::Strip}, {"pass", Unread::Pass}};
}

/// Which targets get requests that were treated.
enum class Treated : std::uint8_t { External, All };
inline config::Names<Treated> names_of(Treated) {
  return {{"external", Treated::External}, {"all", Treated::All}};
}

/// Which model is asked beside the rules.
enum class AlsoAsked : std::uint8_t { Off, Names };
inline config::Names<AlsoAsked> names_of(AlsoAsked) {
  return {{"off", AlsoAsked::Off}, {"names", AlsoAsked::Names}};
}

/// Everything that a request needs of the settings.
struct Treatment {
  std::unique_ptr<const Detector> detector;
  std::array<Action, kKinds> actions{};
  std::array<std::string, kKinds> names;  // of stand-ins, without brackets: "PATIENT_NAME"
  std::vector<std::string> own_names;     // those of own rules
  bool asks_model = false;                // for persons and addresses
  float min_confidence = 0;
};

struct Settings {
  Action action = Action::Mask;
  config::Map<Action> kinds;
  config::Map<std::string> names;
  bool restore = true;
  bool restore_in_urls = false;
  Treated targets = Treated::External;
  Unread unread = Unread::Refuse;
  AlsoAsked model = AlsoAsked::Off;
  double min_confidence = 0.5;
  std::vector<std::string> regions = DetectorOptions().regions;
  config::Map<std::vector<std::string>> words;
  config::Map<std::string> patterns;
  /// Made by the check behind the reader; null = nothing is looked for.
  mutable std::shared_ptr<const Treatment> treatment;
};
void describe(config::Fields& f, Settings& c);
inline constexpr config::Section<Settings> kPii{"pii"};

/// What `settings` come to. Errors: as Detector::make, and names that are none.
Result<std::shared_ptr<const Treatment>> make_treatment(const Settings& settings);

/// Whether findings of this kind are looked for, whatever is done with them.
bool looks_for(const Settings& settings, Kind kind);

/// The name in the stand-in of a finding: of own rules, the rule's own.
std::string stand_in_name(const Treatment& treatment, const Finding& finding);

}  // namespace causeway::pii
