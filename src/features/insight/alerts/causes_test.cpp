#include "features/insight/alerts/causes.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "features/insight/alerts/parts.h"

namespace causeway::alerts {
namespace {

/// So many streamed answers: milliseconds until the first token, per output token, and tokens.
struct Load {
  std::string target, model, key;
  int requests = 100;
  double first_ms = 200, token_ms = 20;
  int input = 500, output = 50;
  double network_ms = 0, queue_ms = 1;
};

Row row_of(const Load& load) {
  Row row{{load.target, load.model, load.key}, {}};
  const auto set = [&](Column column, double each) {
    row.counts.at[column] = static_cast<float>(each * load.requests);
  };
  set(kRequests, 1);
  set(kAnswered, 1);
  set(kStreams, 1);
  set(kAttempts, 1);
  set(kQueue, load.queue_ms * 1000);
  set(kNetwork, load.network_ms * 1000);
  set(kFirst, load.first_ms * 1000);
  set(kGeneration, load.token_ms * load.output * 1000);
  set(kTotal,
      (load.queue_ms + load.network_ms + load.first_ms + load.token_ms * load.output) * 1000);
  set(kInput, load.input);
  set(kOutput, load.output);
  set(kStreamed, load.output);
  return row;
}

Rows rows_of(std::initializer_list<Load> loads) {
  Rows rows;
  for (const Load& load : loads) rows.push_back(row_of(load));
  return rows;
}

std::vector<Cause> causes_of(const Rows& now, const Rows& before, Metric metric = Metric::Latency) {
  Rule rule;
  rule.when = metric;
  return find_causes({rule, now, before, 1, 1, Per::All, ""});
}

const Cause* find(const std::vector<Cause>& causes, std::string_view kind, std::string_view name) {
  const auto found = std::ranges::find_if(
      causes, [&](const Cause& c) { return c.kind == kind && c.name == name; });
  return found == causes.end() ? nullptr : &*found;
}

const Load kA{.target = "a/x", .model = "m", .key = "k"};
const Load kB{.target = "b/y", .model = "m", .key = "k"};

TEST(Causes, ASlowProviderIsNamedWithTheReason) {
  Load slow = kA;
  slow.token_ms = 200;
  const auto causes = causes_of(rows_of({slow, kB}), rows_of({kA, kB}));
  const Cause* provider = find(causes, "provider", "a");
  ASSERT_TRUE(provider);
  EXPECT_NEAR(provider->share, 1, 0.01);
  ASSERT_TRUE(find(causes, "latency_part", "generation"));
  EXPECT_EQ(find(causes, "latency_part", "generation")->text,
            "slow generation: a takes 200 ms a token instead of 20 ms");
  EXPECT_FALSE(find(causes, "provider", "b"));
  EXPECT_FALSE(find(causes, "key", "k"));
  EXPECT_FALSE(find(causes, "latency_part", "longer_prompts"));
}

TEST(Causes, NetworkQueueAndFirstToken) {
  Load load = kA;
  load.network_ms = 3000;
  EXPECT_TRUE(find(causes_of(rows_of({load}), rows_of({kA})), "latency_part", "network"));
  load = kA;
  load.queue_ms = 3000;
  EXPECT_TRUE(find(causes_of(rows_of({load}), rows_of({kA})), "latency_part", "queue"));
  load = kA;
  load.first_ms = 3000;
  EXPECT_TRUE(find(causes_of(rows_of({load}), rows_of({kA})), "latency_part", "first_token"));
}

// Half of the answers are whole ones: all of their time is in one number.
Row half_whole(Load load) {
  load.requests /= 2;
  Row row = row_of(load);
  Row whole = row_of(load);
  Counts& counts = whole.counts;
  counts.at[kWhole] = counts.at[kGeneration] += counts[kFirst];
  counts.at[kFirst] = counts.at[kStreams] = counts.at[kStreamed] = 0;
  row.counts.add(counts);
  return row;
}

TEST(Causes, WholeAnswersAreReadInTheLightOfStreams) {
  const Load usual{
      .target = "north/a", .requests = 400, .first_ms = 40, .token_ms = 7, .output = 10};
  Load slow = usual;
  slow.first_ms = 3500;
  const auto first = time_parts(half_whole(slow).counts, half_whole(usual).counts, "north");
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].name, "first_token");
  EXPECT_NE(first[0].text.find("3.5 s instead of 40 ms"), std::string::npos) << first[0].text;
  slow = usual;
  slow.token_ms = 200;
  const auto generation = time_parts(half_whole(slow).counts, half_whole(usual).counts, "north");
  ASSERT_EQ(generation.size(), 1u);
  EXPECT_EQ(generation[0].name, "generation");
  EXPECT_NE(generation[0].text.find("200 ms a token instead of 7"), std::string::npos)
      << generation[0].text;
}

TEST(Causes, LongerPromptsOfOneKeyAreNoFaultOfTheProvider) {
  Load usual = kA, longer = kA;
  usual.key = "shop";
  longer.key = "ci";
  const Rows before = rows_of({usual, longer});
  longer.input = 8000;
  longer.first_ms = 3200;
  const auto causes = causes_of(rows_of({usual, longer}), before);
  ASSERT_TRUE(find(causes, "key", "ci"));
  EXPECT_NEAR(find(causes, "key", "ci")->share, 1, 0.01);
  ASSERT_TRUE(find(causes, "latency_part", "longer_prompts"));
  EXPECT_FALSE(find(causes, "latency_part", "first_token"));
  EXPECT_FALSE(find(causes, "latency_part", "generation"));
  EXPECT_NE(find(causes, "latency_part", "longer_prompts")->advice.find("minimise"),
            std::string::npos);
}

TEST(Causes, LongerAnswersAreNoFaultOfTheProvider) {
  Load longer = kA;
  longer.output = 600;
  const auto causes = causes_of(rows_of({longer}), rows_of({kA}));
  EXPECT_TRUE(find(causes, "latency_part", "longer_answers"));
  EXPECT_FALSE(find(causes, "latency_part", "generation"));
}

TEST(Causes, TwoProvidersAtOnceAreBothNamed) {
  Load slow_a = kA, slow_b = kB;
  slow_a.token_ms = 150;
  slow_b.network_ms = 5000;
  const Load c{.target = "c/z", .model = "m", .key = "k"};
  for (const bool with_c : {true, false}) {
    Rows now = rows_of({slow_a, slow_b}), before = rows_of({kA, kB});
    if (with_c) {
      now.push_back(row_of(c));
      before.push_back(row_of(c));
    }
    const auto causes = causes_of(now, before);
    ASSERT_TRUE(find(causes, "provider", "a")) << with_c;
    ASSERT_TRUE(find(causes, "provider", "b")) << with_c;
    EXPECT_FALSE(find(causes, "provider", "c"));
    EXPECT_TRUE(find(causes, "latency_part", "generation"));
    EXPECT_TRUE(find(causes, "latency_part", "network"));
  }
}

TEST(Causes, AKeyAndAProviderAtOnceAreBothNamed) {
  const auto mixed = [](double a_token_ms, int ci_input, double ci_first_ms) {
    Rows rows;
    for (const char* target : {"a/x", "b/y"}) {
      for (const char* key : {"ci", "shop"}) {
        Load load{.target = target, .model = "m", .key = key};
        if (load.target == "a/x") load.token_ms = a_token_ms;
        if (load.key == "ci") {
          load.input = ci_input;
          load.first_ms = ci_first_ms;
        }
        rows.push_back(row_of(load));
      }
    }
    return rows;
  };
  const auto causes = causes_of(mixed(100, 10'000, 4000), mixed(20, 500, 200));
  EXPECT_TRUE(find(causes, "provider", "a"));
  EXPECT_TRUE(find(causes, "key", "ci"));
  EXPECT_TRUE(find(causes, "latency_part", "generation"));
  EXPECT_TRUE(find(causes, "latency_part", "longer_prompts"));
  EXPECT_FALSE(find(causes, "key", "shop"));
  EXPECT_FALSE(find(causes, "provider", "b"));
}

TEST(Causes, InsideOfAnAlertAboutAProviderTheKeyIsNamed) {
  Load shop = kA, ci = kA;
  shop.key = "shop";
  ci.key = "ci";
  const Rows before = rows_of({shop, ci});
  ci.input = 9000;
  ci.first_ms = 4000;
  const Rows now = rows_of({shop, ci});
  Rule rule;
  const auto causes = find_causes({rule, now, before, 1, 1, Per::Provider, "a"});
  ASSERT_GE(causes.size(), 3u);
  EXPECT_EQ(causes[0].kind, "provider");
  EXPECT_EQ(causes[1].name, "ci");
  EXPECT_EQ(causes[2].name, "longer_prompts");
}

TEST(Causes, ErrorsByClassAndProvider) {
  Row bad = row_of(kA), good = row_of(kB);
  bad.counts.at[kErrors + static_cast<std::size_t>(ErrorKind::Timeout)] = 30;
  bad.counts.at[kErrors + static_cast<std::size_t>(ErrorKind::RateLimited)] = 20;
  bad.counts.at[kErrors + static_cast<std::size_t>(ErrorKind::InvalidRequest)] = 50;
  const auto causes = causes_of({bad, good}, rows_of({kA, kB}), Metric::Errors);
  ASSERT_TRUE(find(causes, "provider", "a"));
  ASSERT_TRUE(find(causes, "error_class", "timeout"));
  ASSERT_TRUE(find(causes, "error_class", "rate_limited"));
  EXPECT_FALSE(find(causes, "error_class", "invalid_request")) << "the caller's own";
  EXPECT_NEAR(find(causes, "error_class", "timeout")->share, 0.6, 0.01);
}

TEST(Causes, SpendIsExplainedByWhoSpendsMoreThanBefore) {
  Row ci = row_of(kA), shop = row_of(kA);
  ci.subject.key = "ci";
  shop.subject.key = "shop";
  ci.counts.at[kCost] = 1000;
  shop.counts.at[kCost] = 5000;
  const Rows before{ci, shop};
  ci.counts.at[kCost] = 9000;
  const auto causes = causes_of({ci, shop}, before, Metric::Spend);
  ASSERT_TRUE(find(causes, "key", "ci"));
  EXPECT_FALSE(find(causes, "key", "shop"));
}

TEST(Causes, WithoutABaselineTheSlowOneIsStillNamed) {
  Load slow = kA;
  slow.token_ms = 300;
  const auto causes = causes_of(rows_of({slow, kB}), {});
  ASSERT_TRUE(find(causes, "provider", "a"));
  EXPECT_TRUE(find(causes, "latency_part", "generation"));
}

// The same from the plain definition: what each row adds beyond its own mean before.
TEST(Causes, SharesAddUpAsAPlainSumSays) {
  for (int seed = 1; seed < 200; ++seed) {
    const auto part = [&](int i) { return (seed * 7919 + i * 104729) % 97; };
    Rows now, before;
    std::map<std::string, double> plain;
    double all = 0;
    for (int i = 0; i < 6; ++i) {
      Load load{.target = std::string(1, static_cast<char>('a' + i % 3)) + "/x",
                .model = "m",
                .key = "k" + std::to_string(i / 3)};
      load.requests = 20 + part(i);
      before.push_back(row_of(load));
      load.token_ms += part(i + 10);
      now.push_back(row_of(load));
      const double excess = part(i + 10) * load.output * 1000.0 * load.requests;
      plain[load.target.substr(0, 1)] += excess;
      all += excess;
    }
    for (const Cause& cause : causes_of(now, before)) {
      if (cause.kind != "provider") break;  // behind another kind, rows have been set aside
      EXPECT_NEAR(cause.share, plain[cause.name] / all, 0.01) << seed;
    }
  }
}

}  // namespace
}  // namespace causeway::alerts
