// What a token costs: the catalogue that is built in, prices from the config, and the cost of an
// answer. Prices are whole picodollars per token (10^-12: 1 dollar per million tokens is
// 1,000,000), sums are exact, and a price that is not known gives no cost, never 0.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/usage.h"
#include "features/insight/ledger/record.h"
#include "platform/base/error.h"

namespace causeway::ledger {

using Pico = std::int64_t;

/// The service tiers that providers price apart.
enum class Tier : std::uint8_t { Standard, Batch, Flex, Priority };

/// Per token; nothing = unknown.
struct TokenPrices {
  std::optional<Pico> input, output, cache_read, cache_write;
};

struct Price {
  std::array<TokenPrices, 4> tiers;  // by Tier
  std::optional<Pico> reasoning, audio_in, audio_out;
  /// Above so many input tokens, all of a request's tokens cost `long_context` (standard tier).
  std::optional<std::int64_t> long_above;
  TokenPrices long_context;
  /// Of a target that is paid by the hour, busy or not; then tokens cost nothing of their own.
  std::optional<Nanos> per_hour;

  bool known() const { return per_hour || tiers[0].input || tiers[0].output; }
};

/// What the catalogue tells of a model beside its price.
struct CatalogueEntry {
  std::string name;  // as found, which may be another version's than asked for
  Price price;
  std::int64_t context = 0;     // tokens, 0 = unknown
  std::int64_t max_output = 0;  // likewise
  std::string mode;             // "chat", "embedding", …
  std::string abilities;   // letters: t tools, v vision, r reasoning, s schema, c prompt cache,
                           // p PDF, a audio input, w web search
  std::string deprecated;  // "2026-11-30", empty = not announced
};

/// The catalogue's name of whoever is behind a provider: "openai" for kind openai at
/// api.openai.com, "groq" at api.groq.com or where the provider itself is named so (behind a proxy
/// of one's own); empty where nobody's list price applies, as for a server of one's own.
std::string_view catalogue_provider(std::string_view kind, std::string_view host,
                                    std::string_view name = {});

/// By exact name; else without prefixes of addressing ("models/", "us.", "publishers/…") and fine
/// tuning suffixes, without its date, or as the newest dated version of the name.
std::optional<CatalogueEntry> find_in_catalogue(std::string_view provider, std::string_view model);

/// The line of the catalogue that says where it comes from and under which licence.
std::string_view catalogue_source();

/// The exact sum over the kinds, rounded half up to nanodollars. Nothing where the price of a kind
/// that was used is unknown, where nothing is known of the usage, or with a price per hour. Without
/// a price of their own cached tokens cost as input and reasoning as output; audio tokens do not
/// cost as text: without a price the cost is unknown.
std::optional<Nanos> cost_of(const Usage& usage, const Price& price, Tier tier = Tier::Standard);

/// "2.50" dollars per million tokens, at most 6 decimals, up to 1,000,000.
Result<Pico> pico_from_dollars_per_million(std::string_view text);
/// "1.2" dollars, at most 9 decimals, up to 1,000,000.
Result<Nanos> nanos_from_dollars(std::string_view text);

}  // namespace causeway::ledger
