#include "features/insight/ledger/prices.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace causeway::ledger {
namespace {

// 128 bits: 2^32 tokens of a dear model come to more picodollars than 2^63.
__extension__ using Wide = __int128;

constexpr std::int64_t kMostDollars = 1'000'000;

struct Item {
  std::int64_t tokens;
  std::optional<Pico> price;
};

std::optional<Pico> either(std::optional<Pico> first, std::optional<Pico> second) {
  return first ? first : second;
}

// A decimal number as an integer of 10^-decimals.
std::optional<std::int64_t> scaled(std::string_view text, int decimals) {
  std::int64_t value = 0;
  int after = -1;  // digits behind the point so far; -1 = no point yet
  bool digits = false;
  for (const char c : text) {
    if (c == '.' && after < 0) {
      after = 0;
      continue;
    }
    if (c < '0' || c > '9') return std::nullopt;
    digits = true;
    if (after >= decimals) {
      if (c != '0') return std::nullopt;  // more precise than can be kept
      continue;
    }
    if (value > std::numeric_limits<std::int64_t>::max() / 10 - 9) return std::nullopt;
    value = value * 10 + (c - '0');
    if (after >= 0) ++after;
  }
  if (!digits) return std::nullopt;
  for (int i = std::max(after, 0); i < decimals; ++i) {
    if (value > std::numeric_limits<std::int64_t>::max() / 10) return std::nullopt;
    value *= 10;
  }
  return value;
}

Result<std::int64_t> dollars(std::string_view text, int decimals, std::int64_t unit) {
  const auto value = scaled(text, decimals);
  if (value && *value / unit <= kMostDollars) return *value;
  return fail(ErrorKind::InvalidRequest, Origin::Client,
              "'" + std::string(text) + "' is not a price: dollars as a decimal number, up to " +
                  std::to_string(kMostDollars) + " with at most " + std::to_string(decimals) +
                  " decimals",
              "invalid_price");
}

constexpr std::pair<std::string_view, std::string_view> kHosts[] = {
    {"api.openai.com", "openai"},
    {"api.anthropic.com", "anthropic"},
    {"api.mistral.ai", "mistral"},
    {"api.deepseek.com", "deepseek"},
    {"api.groq.com", "groq"},
    {"api.together.xyz", "together_ai"},
    {"api.together.ai", "together_ai"},
    {"api.fireworks.ai", "fireworks_ai"},
    {"api.x.ai", "xai"},
    {"api.perplexity.ai", "perplexity"},
    {"api.cerebras.ai", "cerebras"},
    {"api.sambanova.ai", "sambanova"},
    {"api.deepinfra.com", "deepinfra"},
    {"api.cohere.com", "cohere"},
    {"api.cohere.ai", "cohere"},
    {"api.novita.ai", "novita"},
    {"api.studio.nebius.com", "nebius"},
    {"api.moonshot.ai", "moonshot"},
    {"api.ai21.com", "ai21"},
    {"api.hyperbolic.xyz", "hyperbolic"},
    {"api.voyageai.com", "voyage"},
    {"api.minimax.io", "minimax"},
    {"api.z.ai", "zai"},
    {"generativelanguage.googleapis.com", "gemini"},
};

// Kinds that always stand for one company's list prices.
constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"anthropic", "anthropic"}, {"gemini", "gemini"},   {"vertex", "vertex_ai"},
    {"azure", "azure"},         {"bedrock", "bedrock"},
};

}  // namespace

std::optional<Nanos> cost_of(const Usage& usage, const Price& price, Tier tier) {
  if (usage.source == UsageSource::None || price.per_hour) return std::nullopt;
  const bool standard = tier == Tier::Standard;
  TokenPrices rates = price.tiers[static_cast<std::size_t>(tier)];
  if (price.long_above && static_cast<std::int64_t>(usage.input()) > *price.long_above) {
    if (!standard) return std::nullopt;
    rates = price.long_context;
  }
  // Audio tokens are part of the other two; a provider that says otherwise does not get below 0.
  const std::int64_t audio_in = std::min(usage.audio_in, usage.input_uncached);
  const std::int64_t audio_out = std::min(usage.audio_out, usage.output_visible);
  const Item items[] = {
      {usage.input_uncached - audio_in, rates.input},
      {audio_in, standard ? price.audio_in : std::nullopt},
      {usage.cache_read, either(rates.cache_read, rates.input)},
      {usage.cache_write, either(rates.cache_write, rates.input)},
      {usage.output_visible - audio_out, rates.output},
      {audio_out, standard ? price.audio_out : std::nullopt},
      {usage.reasoning, standard ? either(price.reasoning, rates.output) : rates.output},
  };
  Wide sum = 0;
  for (const Item& item : items) {
    if (item.tokens == 0) continue;
    if (!item.price) return std::nullopt;
    sum += Wide{item.tokens} * *item.price;
  }
  return static_cast<Nanos>((sum + 500) / 1000);
}

Result<Pico> pico_from_dollars_per_million(std::string_view text) {
  return dollars(text, 6, 1'000'000);  // 10^12 pico in a dollar, 10^6 tokens
}

Result<Nanos> nanos_from_dollars(std::string_view text) { return dollars(text, 9, 1'000'000'000); }

std::string_view catalogue_provider(std::string_view kind, std::string_view host,
                                    std::string_view name) {
  for (const auto& [known, provider] : kKinds) {
    if (known == kind) return provider;
  }
  if (kind != "openai") return {};
  // A region or a version may stand before the company's host ("eu.api.openai.com").
  for (const auto& [known, provider] : kHosts) {
    const bool below = host.size() > known.size() && host.ends_with(known) &&
                       host[host.size() - known.size() - 1] == '.';
    if (host == known || below) return provider;
  }
  for (const auto& [known, provider] : kHosts) {
    if (name == provider) return provider;
  }
  return {};
}

}  // namespace causeway::ledger
