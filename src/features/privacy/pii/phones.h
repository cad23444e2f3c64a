// Finds phone numbers; libphonenumber says what is one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "features/privacy/pii/candidate.h"
#include "features/privacy/pii/numbers.h"

namespace causeway::pii {

struct PhoneRules {
  std::uint32_t international, national, shape;
};

class PhoneFinder {
 public:
  PhoneFinder(const PhoneRules& rules, std::vector<std::string> regions);
  void find(const Scene& scene, const Run& run) const;

  static bool knows_region(const std::string& region);

 private:
  struct Span;
  std::size_t longest(const Scene& scene, const Run& run, std::size_t first) const;
  bool look(const Scene& scene, const Run& run, std::size_t first, std::size_t& next) const;
  float worth_of(const Scene& scene, const Span& span, std::uint32_t& rule) const;

  PhoneRules rules_;
  std::vector<std::string> regions_;
};

}  // namespace causeway::pii
