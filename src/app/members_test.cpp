// What the members of a provider are, and how their sources are read.
#include "app/members.h"

#include <gtest/gtest.h>

#include "app/replica_sources.h"
#include "app/upstreams.h"
#include "providers/openai/config.h"

namespace causeway::app {
namespace {

using Texts = std::vector<std::string>;

openai::OpenAiConfig config(Texts urls = {}) {
  openai::OpenAiConfig config;
  config.base_url = "https://gpu.internal:8443/v1";
  if (!urls.empty()) {
    config.replicas.emplace();
    config.replicas->urls = std::move(urls);
  }
  return config;
}

// "name base_url address key", a line each.
std::string told(const std::vector<MemberSettings>& members) {
  std::string out;
  for (const auto& one : members) {
    out += one.name + "|" + one.base_url + "|" + one.address + "|";
    out += std::string(one.api_key.reveal()) + "\n";
  }
  return out;
}

TEST(Members, OneWithoutListsHasNoName) {
  auto one = config();
  one.api_key = Secret("k");
  EXPECT_EQ(told(settings_of_members(one, {})), "|https://gpu.internal:8443/v1||k\n");
}

TEST(Members, EachKeyIsOne) {
  auto keys = config();
  keys.api_key = Secret("a");
  keys.api_keys = {Secret("b"), Secret("c")};
  EXPECT_EQ(told(settings_of_members(keys, {})),
            "key-1|https://gpu.internal:8443/v1||a\n"
            "key-2|https://gpu.internal:8443/v1||b\n"
            "key-3|https://gpu.internal:8443/v1||c\n");
  keys.api_key = Secret();
  keys.api_keys = {Secret("b")};
  EXPECT_EQ(told(settings_of_members(keys, {})), "|https://gpu.internal:8443/v1||b\n");
}

TEST(Members, EachReplicaWithEachKey) {
  auto both = config({"http://10.0.0.7:8000/v1", "10.0.0.8:9000", "[fd00::1]:80/other"});
  both.api_keys = {Secret("a"), Secret("b")};
  EXPECT_EQ(told(settings_of_members(both, {})),
            "10.0.0.7:8000 key-1|http://10.0.0.7:8000/v1||a\n"
            "10.0.0.7:8000 key-2|http://10.0.0.7:8000/v1||b\n"
            "10.0.0.8:9000 key-1|https://10.0.0.8:9000/v1||a\n"
            "10.0.0.8:9000 key-2|https://10.0.0.8:9000/v1||b\n"
            "[fd00::1]:80 key-1|https://[fd00::1]:80/other||a\n"
            "[fd00::1]:80 key-2|https://[fd00::1]:80/other||b\n");
}

TEST(Members, TheSameTwiceIsOneAndPathsTellApart) {
  EXPECT_EQ(told(settings_of_members(
                config({"http://h:1/a", "http://h:1/b", "http://h:1/a", "http://h:2/a"}), {})),
            "h:1|http://h:1/a||\nh:1/b|http://h:1/b||\nh:2|http://h:2/a||\n");
}

TEST(Members, AddressesKeepTheName) {
  auto named = config();
  named.replicas.emplace();
  named.replicas->dns = "pods.internal";
  EXPECT_EQ(told(settings_of_members(named, {"10.0.0.1", "fd00::1"})),
            "10.0.0.1:8443|https://pods.internal:8443/v1|10.0.0.1|\n"
            "[fd00::1]:8443|https://pods.internal:8443/v1|fd00::1|\n");
  named.replicas->port = 443;
  EXPECT_EQ(told(settings_of_members(named, {"10.0.0.1"})),
            "10.0.0.1:443|https://pods.internal/v1|10.0.0.1|\n");
  EXPECT_EQ(told(settings_of_members(named, {})),
            "gpu.internal:8443|https://gpu.internal:8443/v1||\n");
}

TEST(Members, AreBounded) {
  auto many = config();
  many.replicas.emplace();
  many.replicas->file = "f";
  many.api_keys = {Secret("a"), Secret("b"), Secret("c")};
  Texts found;
  for (int i = 0; i < 300; ++i) found.push_back("h" + std::to_string(i) + ":1");
  EXPECT_EQ(settings_of_members(many, found).size(), kMostMembers);
}

TEST(Members, TheAddressIsPartOfTheEndpoint) {
  auto one = config();
  const auto nothing = [](const char*) -> const char* { return nullptr; };
  std::string path;
  const auto before = endpoint_of(one, nothing, path);
  one.address = "10.0.0.1";
  const auto after = endpoint_of(one, nothing, path);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->host, "gpu.internal");
  EXPECT_EQ(after->address, "10.0.0.1");
  EXPECT_NE(after->id, before->id);  // pools of their own
}

TEST(Members, AChangedUpstreamIsOfTheSameKind) {
  const config::Variant value("openai", {3, 5}, std::make_shared<openai::OpenAiConfig>(config()),
                              typeid(openai::OpenAiConfig));
  const auto changed =
      changed_upstream(value, [](UpstreamConfig& upstream) { upstream.base_url = "http://other"; });
  ASSERT_TRUE(changed.as<openai::OpenAiConfig>());
  EXPECT_EQ(changed.as<openai::OpenAiConfig>()->base_url, "http://other");
  EXPECT_EQ(changed.at().line, 3u);
  EXPECT_EQ(upstream_of(value)->base_url, "https://gpu.internal:8443/v1");
}

}  // namespace
}  // namespace causeway::app
