#include "engine/manifest.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace causeway::engine {
namespace {

TEST(Manifest, ReadsModelsAndPassesByTheRest) {
  const std::string sha(64, 'b');
  const auto models = parse_manifest(
      "# comment\n[engine]\nkind = source\n\n"
      "[small]\nkind = model\nabout = a = b, small\nlicense = MIT\ntask = chat\nalias = default "
      "tiny\n"
      "context = 1024\nslots = 2\nsystem = You help.\ntemperature = 0.2\nresult = "
      "s.gguf\nresult.size = 99\n"
      "result.sha256 = " +
      sha +
      "\n"
      "[vectors]\r\nkind = model\r\ntask = embeddings\r\ncontext = 512\r\nresult = v.gguf\r\n"
      "result.sha256 = " +
      sha + "\r\n");
  ASSERT_TRUE(models) << models.error().message;
  ASSERT_EQ(models->size(), 2u);
  const auto& chat = (*models)[0];
  EXPECT_EQ(chat.name, "small");
  EXPECT_EQ(chat.about, "a = b, small");
  EXPECT_EQ(chat.aliases, (std::vector<std::string>{"default", "tiny"}));
  EXPECT_EQ(chat.kind, ModelKind::Chat);
  EXPECT_EQ(chat.context, 1024u);
  EXPECT_EQ(chat.slots, 2u);
  EXPECT_EQ(chat.system_prompt, "You help.");
  EXPECT_EQ(chat.temperature, "0.2");
  EXPECT_EQ(chat.licence, "MIT");
  EXPECT_EQ(chat.source.bytes, 99u);
  const auto& vectors = (*models)[1];
  EXPECT_EQ(vectors.kind, ModelKind::Embeddings);
  EXPECT_EQ(vectors.context, 512u);
}

TEST(Manifest, SaysWhatIsWrong) {
  const auto message = [](std::string_view text) {
    const auto models = parse_manifest(text);
    return models ? "" : models.error().message;
  };
  EXPECT_NE(message("kind = model\n").find("line 1"), std::string::npos);
  EXPECT_NE(message("[a]\nkind = model\ntask = fly\n").find("[a] task"), std::string::npos);
  EXPECT_NE(message("[a]\nkind = model\ntask = chat\ncontext = 12x\n").find("number"),
            std::string::npos);
  EXPECT_NE(message("[a]\nkind = model\ntask = chat\n").find("result"), std::string::npos);
}

TEST(Manifest, TheShippedOneHasADefaultForChatAndNoNameTwice) {
  const auto models = read_manifest(CAUSEWAY_SOURCE_DIR "/third_party/manifest");
  ASSERT_TRUE(models) << models.error().message;
  std::map<std::string, ModelKind> kinds;
  for (const auto& entry : *models) {
    EXPECT_FALSE(entry.licence.empty()) << entry.name;
    EXPECT_TRUE(kinds.emplace(entry.name, entry.kind).second) << entry.name;
    for (const auto& alias : entry.aliases) {
      EXPECT_TRUE(kinds.emplace(alias, entry.kind).second) << alias;
    }
  }
  ASSERT_TRUE(kinds.contains("default"));
  EXPECT_EQ(kinds["default"], ModelKind::Chat);
  EXPECT_FALSE(read_manifest("/nonexistent"));
}

TEST(Manifest, TheShippedOneHasTheVocabularies) {
  constexpr auto kShipped = CAUSEWAY_SOURCE_DIR "/third_party/manifest";
  for (const std::string name : {"cl100k_base", "o200k_base"}) {
    const auto file = data_file(kShipped, name);
    ASSERT_TRUE(file) << file.error().message;
    EXPECT_EQ(file->source.file_name, name + ".tiktoken");
  }
  EXPECT_FALSE(data_file(kShipped, "smollm2-135m-instruct")) << "that is a model";
  EXPECT_FALSE(data_file("/nonexistent", "o200k_base"));
}

}  // namespace
}  // namespace causeway::engine
