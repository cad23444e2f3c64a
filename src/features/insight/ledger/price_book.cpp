#include "features/insight/ledger/price_book.h"

namespace causeway::ledger {
namespace {

constexpr std::size_t kMostFound = 2048;

}  // namespace

std::optional<Price> PriceBook::find(std::string_view provider, std::string_view upstream,
                                     std::string_view target, std::string_view asked) const {
  Price price;
  if (const auto hourly = settings_.per_hour.find(provider); hourly != settings_.per_hour.end()) {
    price.per_hour = hourly->second;
    return price;
  }
  const auto listed = settings_.catalogue.find(provider);
  // The catalogue is in dollars.
  if (listed != settings_.catalogue.end() && settings_.currency == "USD") {
    if (auto entry = find_in_catalogue(listed->second, upstream)) price = entry->price;
  }
  auto own = settings_.models.find(target);
  if (own == settings_.models.end()) own = settings_.models.find(asked);
  if (own != settings_.models.end()) {
    TokenPrices& standard = price.tiers[0];
    if (own->second.input) standard.input = own->second.input;
    if (own->second.output) standard.output = own->second.output;
    if (own->second.cache_read) standard.cache_read = own->second.cache_read;
    if (own->second.cache_write) standard.cache_write = own->second.cache_write;
    // A negotiated price is the same at any length and in any service tier, as far as is said.
    price.long_above.reset();
    if (own->second.output) price.reasoning.reset();
  }
  if (!price.known()) return std::nullopt;
  return price;
}

const Price* LoopPrices::find(std::string_view provider, std::string_view upstream,
                              std::string_view target, std::string_view asked) {
  if (!book_) return nullptr;
  key_.assign(target);
  key_ += '\n';
  key_ += asked;
  auto found = found_.find(std::string_view(key_));
  if (found == found_.end()) {
    if (found_.size() >= kMostFound) found_.clear();
    found = found_.emplace(key_, book_->find(provider, upstream, target, asked)).first;
  }
  return found->second ? &*found->second : nullptr;
}

}  // namespace causeway::ledger
