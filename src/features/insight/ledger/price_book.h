// Which price applies to an answer: the config's, else the catalogue's. Immutable, and part of the
// snapshot: an exchange is priced by the configuration that it began with.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/snapshot.h"
#include "features/insight/ledger/prices.h"

namespace causeway::ledger {

struct PriceSettings {
  std::string currency = "USD";
  /// By "provider/model" or by the name that applications ask for; the first wins. What is set
  /// here wins over the catalogue, field by field.
  std::map<std::string, TokenPrices, std::less<>> models;
  /// Of providers that are paid by the hour, by name.
  std::map<std::string, Nanos, std::less<>> per_hour;
  /// The catalogue's name of each provider (catalogue_provider()); none where no list price
  /// applies.
  std::map<std::string, std::string, std::less<>> catalogue;
};

class PriceBook final : public SnapshotPart {
 public:
  explicit PriceBook(PriceSettings settings) : settings_(std::move(settings)) {}

  /// `target` is "provider/model", `asked` the application's name of the model.
  std::optional<Price> find(std::string_view provider, std::string_view upstream,
                            std::string_view target, std::string_view asked) const;
  const PriceSettings& settings() const { return settings_; }

 private:
  PriceSettings settings_;
};

/// One loop's view of a book: what was looked up once is found by one probe. At most 2,048 pairs
/// of target and model are held.
class LoopPrices {
 public:
  void adopt(std::shared_ptr<const PriceBook> book) {
    book_ = std::move(book);
    found_.clear();
  }
  const PriceBook* book() const { return book_.get(); }
  /// nullptr: no price is known. Valid until the next call.
  const Price* find(std::string_view provider, std::string_view upstream, std::string_view target,
                    std::string_view asked);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };
  std::shared_ptr<const PriceBook> book_;
  std::unordered_map<std::string, std::optional<Price>, Hash, std::equal_to<>> found_;
  std::string key_;
};

}  // namespace causeway::ledger
