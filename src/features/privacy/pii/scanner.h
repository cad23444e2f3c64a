// One walk over the plain text: every character at which something may begin goes to its finder.
#pragma once

#include "features/privacy/pii/addresses.h"
#include "features/privacy/pii/book.h"
#include "features/privacy/pii/names.h"
#include "features/privacy/pii/network.h"
#include "features/privacy/pii/numbers.h"
#include "features/privacy/pii/phones.h"

namespace causeway::pii {

class Scanner {
 public:
  /// Candidates with less confidence than `least` need not be found.
  Scanner(const Book& book, KindSet kinds, const std::vector<std::string>& regions, float least);

  /// Adds to `scene.found` all candidates, overlapping or not.
  void scan(const Scene& scene, Run& run) const;

 private:
  std::size_t at_digit(const Scene& scene, std::size_t i, Run& run) const;
  std::size_t at_capital(const Scene& scene, std::size_t i, bool number_near, Run& run) const;
  std::size_t numbers(const Scene& scene, std::size_t begin, Run& run) const;
  void lettered_numbers(const Scene& scene, std::size_t begin, Run& run) const;

  const Book& book_;
  NumberFinder numbers_;
  NetworkFinder network_;
  PhoneFinder phones_;
  NameFinder names_;
  AddressFinder addresses_;
  std::uint32_t birth_date_, since_;
  bool with_names_, with_addresses_, with_phones_;
};

}  // namespace causeway::pii
