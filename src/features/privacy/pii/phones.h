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
  PhoneFinder(const PhoneRules& rules, const std::vector<std::string>& regions);
  /// `near`: rules_near() of the run. `others`: the first in scene.found of what has been found in
  /// this run already; where one of them is surer than any phone number, none is looked for.
  void find(const Scene& scene, const Run& run, const RuleSet& near, std::size_t others) const;

  static bool knows_region(const std::string& region);

 private:
  struct Digits;
  struct Span;
  struct Region {
    std::string name;
    int code;
    std::string trunk;    // what is dialled before a number within the country
    std::uint32_t sizes;  // bit n: a number may have n digits behind that
  };
  static Region read_region(const std::string& name);
  static bool valid_in(const Region& region, std::string_view digits);
  void look(const Scene& scene, const Run& run, bool near, std::size_t first,
            std::size_t& next) const;
  float worth_of(const Scene& scene, const Span& span, bool near, std::uint32_t& rule) const;

  PhoneRules rules_;
  std::vector<Region> regions_;
};

}  // namespace causeway::pii
