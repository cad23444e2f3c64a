#include "features/insight/ledger/prices.h"

#include <gtest/gtest.h>

#include <string>

#include "features/insight/ledger/catalogue_data.h"

namespace causeway::ledger {
namespace {

Usage tokens(std::uint32_t input, std::uint32_t output) {
  Usage usage;
  usage.source = UsageSource::Reported;
  usage.input_uncached = input;
  usage.output_visible = output;
  return usage;
}

TEST(Catalogue, IsSortedAndEveryLineIsFound) {
  std::string_view text = catalogue_text();
  EXPECT_NE(catalogue_source().find("MIT License"), std::string_view::npos);
  std::string before;
  int lines = 0;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(line.size() + 1);
    if (line.starts_with('#')) continue;
    const auto tab = line.find('\t');
    const auto provider = line.substr(0, tab);
    const auto model = line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1);
    const auto key = std::string(line.substr(0, line.find('\t', tab + 1)));
    ASSERT_LT(before, key);
    before = key;
    if (++lines % 7 == 0) {
      const auto found = find_in_catalogue(provider, model);
      ASSERT_TRUE(found) << key;
      EXPECT_EQ(found->name, model);
      EXPECT_TRUE(found->price.known() || found->price.tiers[1].input || found->price.audio_in ||
                  found->price.tiers[0].cache_read)
          << key;
    }
  }
  EXPECT_GT(lines, 3000);
}

TEST(Catalogue, KnowsWellKnownPrices) {
  const auto gpt = find_in_catalogue("openai", "gpt-4.1").value();
  EXPECT_EQ(gpt.price.tiers[0].input, 2'000'000);  // 2 dollars per million
  EXPECT_EQ(gpt.price.tiers[0].output, 8'000'000);
  EXPECT_EQ(gpt.price.tiers[0].cache_read, 500'000);
  EXPECT_EQ(gpt.price.tiers[1].output, 4'000'000);
  EXPECT_EQ(gpt.context, 1'047'576);
  EXPECT_NE(gpt.abilities.find('t'), std::string::npos);
  const auto gemini = find_in_catalogue("gemini", "gemini-2.5-pro").value();
  EXPECT_EQ(gemini.price.long_above, 200'000);
  EXPECT_EQ(gemini.price.long_context.input, 2'500'000);
}

TEST(Catalogue, FallsBackSanely) {
  const auto name = [](std::string_view provider, std::string_view model) {
    const auto found = find_in_catalogue(provider, model);
    return found ? found->name : "-";
  };
  EXPECT_EQ(name("openai", "GPT-4.1"), "gpt-4.1");
  EXPECT_EQ(name("openai", "gpt-4.1-2039-01-01"), "gpt-4.1");
  EXPECT_EQ(name("anthropic", "claude-sonnet-4-5-20390101"), "claude-sonnet-4-5");
  EXPECT_EQ(name("gemini", "models/gemini-2.5-pro"), "gemini-2.5-pro");
  EXPECT_EQ(name("openai", "ft:gpt-4o-mini-2024-07-18:acme::abc"), "ft:gpt-4o-mini-2024-07-18");
  EXPECT_EQ(name("openai", "gpt-4.1-turbo-imaginary"), "-");
  EXPECT_EQ(name("openai", "gpt"), "-");
  EXPECT_EQ(name("", "gpt-4.1"), "-");
  EXPECT_EQ(name("nobody", "gpt-4.1"), "-");
  EXPECT_EQ(name("openai", "zzzz"), "-");
  EXPECT_EQ(name("zzzz", "zzzz"), "-");
}

TEST(Catalogue, AServerOfOnesOwnHasNoListPrice) {
  EXPECT_EQ(catalogue_provider("openai", "api.openai.com"), "openai");
  EXPECT_EQ(catalogue_provider("openai", "eu.api.openai.com"), "openai");
  EXPECT_EQ(catalogue_provider("openai", "api.groq.com"), "groq");
  EXPECT_EQ(catalogue_provider("openai", "evil-api.openai.com.example"), "");
  EXPECT_EQ(catalogue_provider("openai", "notapi.openai.com"), "");
  EXPECT_EQ(catalogue_provider("openai", "10.0.0.7"), "");
  EXPECT_EQ(catalogue_provider("openai", "127.0.0.1", "openai"), "openai");
  EXPECT_EQ(catalogue_provider("openai", "127.0.0.1", "gpu"), "");
  EXPECT_EQ(catalogue_provider("embedded", "", "openai"), "");
  EXPECT_EQ(catalogue_provider("anthropic", "proxy.example"), "anthropic");
}

TEST(Cost, IsExact) {
  Price price;
  price.tiers[0] = {2'000'000, 8'000'000, 500'000, std::nullopt};
  // 1000 * 2 $/M + 500 * 8 $/M = 0.006 $
  EXPECT_EQ(cost_of(tokens(1000, 500), price), 6'000'000);
  Usage usage = tokens(1, 0);
  price.tiers[0].input = 20'000;  // 0.02 $/M: one token is 20 nanodollars
  EXPECT_EQ(cost_of(usage, price), 20);
  price.tiers[0].input = 1'499;
  EXPECT_EQ(cost_of(usage, price), 1);
  price.tiers[0].input = 1'500;
  EXPECT_EQ(cost_of(usage, price), 2);
  // As dear and as many as can be: past 2^63 picodollars, no overflow.
  price.tiers[0].input = 9'710'000'000;
  EXPECT_EQ(cost_of(tokens(4'000'000'000, 0), price), 38'840'000'000'000'000);
}

TEST(Cost, SumsTheKinds) {
  Price price;
  price.tiers[0] = {3'000'000, 15'000'000, 300'000, 3'750'000};
  Usage usage = tokens(10, 20);
  usage.cache_read = 1000;
  usage.cache_write = 100;
  usage.reasoning = 7;
  EXPECT_EQ(cost_of(usage, price),
            (10 * 3'000'000 + 20 * 15'000'000 + 1000 * 300'000 + 100 * 3'750'000 + 7 * 15'000'000) /
                1000);
  price.reasoning = 1'000'000;
  price.tiers[0].cache_read.reset();  // then as input
  price.tiers[0].cache_write.reset();
  EXPECT_EQ(cost_of(usage, price), (1110 * 3'000'000LL + 20 * 15'000'000 + 7 * 1'000'000) / 1000);
  usage = tokens(10, 20);
  usage.audio_in = 4;  // part of the ten
  EXPECT_EQ(cost_of(usage, price), std::nullopt);
  price.audio_in = 40'000'000;
  EXPECT_EQ(cost_of(usage, price), (6 * 3'000'000 + 4 * 40'000'000 + 20 * 15'000'000) / 1000);
}

TEST(Cost, UnknownIsNotZero) {
  Price price;
  EXPECT_EQ(cost_of(tokens(1, 1), price), std::nullopt);
  price.tiers[0].input = 1'000'000;
  EXPECT_EQ(cost_of(tokens(1, 1), price), std::nullopt);  // no output price
  EXPECT_EQ(cost_of(tokens(1, 0), price), 1000);          // none needed: an embedding
  EXPECT_EQ(cost_of(tokens(0, 0), price), 0);             // reported as nothing used
  EXPECT_EQ(cost_of(Usage{}, price), std::nullopt);       // nothing reported
  EXPECT_EQ(cost_of(tokens(1, 0), price, Tier::Batch), std::nullopt);
  price.per_hour = 1'000'000'000;
  EXPECT_EQ(cost_of(tokens(1, 0), price), std::nullopt);
}

TEST(Cost, LongContextsCostMore) {
  Price price;
  price.tiers[0] = {1'250'000, 10'000'000, std::nullopt, std::nullopt};
  price.long_above = 200'000;
  price.long_context = {2'500'000, 15'000'000, std::nullopt, std::nullopt};
  EXPECT_EQ(cost_of(tokens(200'000, 0), price), 250'000'000);
  EXPECT_EQ(cost_of(tokens(200'001, 0), price), 500'002'500);
  EXPECT_EQ(cost_of(tokens(200'001, 1), price, Tier::Batch), std::nullopt);
}

TEST(Prices, AreReadAsDecimalNumbers) {
  EXPECT_EQ(pico_from_dollars_per_million("2.50").value(), 2'500'000);
  EXPECT_EQ(pico_from_dollars_per_million("0.000001").value(), 1);
  EXPECT_EQ(pico_from_dollars_per_million("0").value(), 0);
  EXPECT_EQ(pico_from_dollars_per_million(".5").value(), 500'000);
  EXPECT_EQ(pico_from_dollars_per_million("1000000").value(), 1'000'000'000'000);
  EXPECT_EQ(pico_from_dollars_per_million("0.1000000000").value(), 100'000);
  EXPECT_EQ(nanos_from_dollars("1.2").value(), 1'200'000'000);
  for (const char* bad : {"", ".", "-1", "1e3", "1,5", "0.0000001", "1000001", "1.2.3", " 1",
                          "99999999999999999999999"}) {
    EXPECT_FALSE(pico_from_dollars_per_million(bad)) << bad;
  }
}

}  // namespace
}  // namespace causeway::ledger
