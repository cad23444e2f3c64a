// The bytes of prices.tsv.
#pragma once

#include <string_view>

namespace causeway::ledger {

/// Lines sorted by "provider\tmodel"; those that begin with '#' come first.
std::string_view catalogue_text();

}  // namespace causeway::ledger
