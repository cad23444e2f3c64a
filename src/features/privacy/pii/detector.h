// Finds what a text gives away: one immutable Detector for all threads, one Scratch for each.
// Built-in rules are patterns with checksums, lists of names and words nearby; a tenant adds words
// and patterns. Look-alike letters, full-width digits, invisible characters, entities and percent
// forms hide nothing; JSON escapes are the caller's to decode. docs/pii-types.md lists the rules.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "features/privacy/pii/kind.h"
#include "platform/base/error.h"

namespace causeway::pii {

struct Finding {
  std::uint32_t begin = 0, end = 0;  // bytes of the text as it was given
  Kind kind = Kind::Custom;
  float confidence = 0;  // 0 to 1
  std::string_view
      rule;  // the rule that fired: "de.steuer_id", "own.NAME"; lives with the detector
};

/// A word of a tenant's own (whole words, in any case) or a pattern (RE2, in any position).
struct OwnRule {
  std::string name;  // letters, digits, "_", "-"; the finding's rule is "own." and this
  std::string text;
};

struct DetectorOptions {
  KindSet kinds;
  float min_confidence = 0.5F;
  /// Countries (ISO 3166) whose phone numbers are known without "+" and country code.
  std::vector<std::string> regions{"US", "GB", "DE", "FR", "ES", "IT", "NL"};
  std::vector<OwnRule> words, patterns;
};

/// Limits of own rules; `make` says which one was broken by which rule.
inline constexpr std::size_t kMaxOwnWords = 10'000;
inline constexpr std::size_t kMaxOwnWordBytes = 200;
inline constexpr std::size_t kMaxOwnPatterns = 100;
inline constexpr std::size_t kMaxOwnPatternBytes = 1000;
/// A longer text is scanned up to here only: callers refuse what is longer.
inline constexpr std::size_t kMaxText = std::size_t{1} << 30;

/// A thread's working memory, for any number of detectors; grows to the largest text seen.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(Scratch&&) noexcept;
  Scratch& operator=(Scratch&&) noexcept;

 private:
  friend class Detector;
  struct Memory;
  std::unique_ptr<Memory> memory_;
};

class Detector {
 public:
  /// Errors: InvalidRequest, with the own rule at fault in the message.
  static Result<std::unique_ptr<Detector>> make(const DetectorOptions& options);
  ~Detector();

  /// Replaces `out` by what is in `utf8`: in order, not overlapping. Bytes that are not UTF-8 are
  /// passed over.
  void scan(std::string_view utf8, Scratch& scratch, std::vector<Finding>& out) const;

 private:
  struct Parts;
  explicit Detector(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace causeway::pii
