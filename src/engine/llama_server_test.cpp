#include "engine/llama_server.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace causeway::engine {
namespace {

std::string value_of(const std::vector<std::string>& arguments, const std::string& name) {
  const auto it = std::ranges::find(arguments, name);
  return it == arguments.end() || it + 1 == arguments.end() ? "" : *(it + 1);
}

bool has(const std::vector<std::string>& arguments, const std::string& name) {
  return std::ranges::find(arguments, name) != arguments.end();
}

TEST(LlamaServer, ChatArgumentsBoundContextSlotsAndCache) {
  ModelEntry entry;
  entry.name = "default";
  entry.slots = 3;
  entry.context = 2048;
  entry.prompt_cache_mib = 99;
  const auto arguments = llama_server_arguments(entry, "/models/a.gguf", "/run/x/m.sock");
  EXPECT_EQ(value_of(arguments, "--model"), "/models/a.gguf");
  EXPECT_EQ(value_of(arguments, "--host"), "/run/x/m.sock");
  EXPECT_EQ(value_of(arguments, "--parallel"), "3");
  EXPECT_EQ(value_of(arguments, "--ctx-size"), "6144") << "llama-server divides it by the slots";
  EXPECT_EQ(value_of(arguments, "--cache-ram"), "99");
  EXPECT_EQ(value_of(arguments, "--threads"), "1");
  EXPECT_TRUE(has(arguments, "--offline"));
  EXPECT_FALSE(has(arguments, "--embeddings"));
  EXPECT_FALSE(has(arguments, "--gpu-layers"));
  EXPECT_EQ(value_of(arguments, "--predict"), "1024");
  EXPECT_FALSE(has(arguments, "--temp")) << "nothing said: the engine's own";
  entry.temperature = "0";
  EXPECT_EQ(value_of(llama_server_arguments(entry, "/a", "/b.sock"), "--temp"), "0");
}

TEST(LlamaServer, EmbeddingArguments) {
  ModelEntry entry;
  entry.kind = ModelKind::Embeddings;
  entry.pooling = "mean";
  entry.context = 256;
  const auto arguments = llama_server_arguments(entry, "/m.gguf", "/s.sock");
  EXPECT_TRUE(has(arguments, "--embeddings"));
  EXPECT_EQ(value_of(arguments, "--pooling"), "mean");
  EXPECT_EQ(value_of(arguments, "--ubatch-size"), "256") << "a text is embedded in one batch";
}

TEST(LlamaServer, ReadsMetrics) {
  const auto metrics = read_llama_metrics(
      "# HELP llamacpp:tokens_predicted_total Number of generation tokens processed.\n"
      "# TYPE llamacpp:tokens_predicted_total counter\n"
      "llamacpp:tokens_predicted_total 1234\n"
      "llamacpp:prompt_tokens_seconds 190.5\n"
      "llamacpp:predicted_tokens_seconds 71.25");
  EXPECT_EQ(metrics.tokens_total, 1234u);
  EXPECT_DOUBLE_EQ(metrics.tokens_per_second, 71.25);
  EXPECT_DOUBLE_EQ(metrics.prompt_tokens_per_second, 190.5);
  EXPECT_EQ(read_llama_metrics("garbage").tokens_total, 0u);
  EXPECT_EQ(read_llama_metrics("").tokens_per_second, 0);
}

TEST(LlamaServer, TellsWhetherTheTemplateKnowsTools) {
  EXPECT_FALSE(template_knows_tools(R"({"chat_template_caps":{"supports_tools":false}})"));
  EXPECT_TRUE(template_knows_tools(R"({"chat_template_caps":{"supports_tools":true}})"));
  for (const auto* untold : {"", "garbage", "{}", R"({"chat_template_caps":{}})"}) {
    EXPECT_TRUE(template_knows_tools(untold)) << untold;
  }
}

}  // namespace
}  // namespace causeway::engine
