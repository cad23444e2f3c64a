#include "engine/vocabulary_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/data_files.h"
#include "platform/bpe/vocabulary.h"
#include "platform/process/spawner.h"

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;

class VocabularyFilesTest : public testing::Test {
 protected:
  VocabularyFilesTest() {
    fs::create_directories(folder_ / "third_party");
    std::ofstream(folder_ / "third_party/manifest")
        << "[o200k_base]\nkind = data\nresult = o.tiktoken\nresult.sha256 = " << kSha << "\n";
    places_.share = places_.cache = folder_.string();
  }
  ~VocabularyFilesTest() override { fs::remove_all(folder_); }

  void put(const std::string& text) {
    fs::create_directories(folder_ / "files" / kSha);
    std::ofstream(folder_ / "files" / kSha / "o.tiktoken") << text;
  }

  const std::string kSha = std::string(64, 'a');
  const fs::path folder_ =
      fs::temp_directory_path() / ("causeway-vocabulary-" + std::to_string(getpid()));
  Places places_;
  process::Spawner spawner_;

  std::unique_ptr<DataFiles> data_files() { return make_data_files(places_, spawner_); }
};

std::string bytes_alone() {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (unsigned byte = 0; byte < 256; ++byte) {
    out += {kDigits[byte >> 2], kDigits[(byte & 3) << 4], '=', '=', ' '};
    out += std::to_string(byte) + '\n';
  }
  return out;
}

TEST_F(VocabularyFilesTest, ReadsAFileOnce) {
  put(bytes_alone());
  const auto data = data_files();
  const auto files = make_vocabularies(*data);
  const auto found = files->find("o200k_base");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->count("hello"), 5u);
  put("");
  EXPECT_EQ(files->find("o200k_base"), found);
}

TEST_F(VocabularyFilesTest, WhatIsNotThereIsNull) {
  const auto data = data_files();
  const auto files = make_vocabularies(*data);
  EXPECT_FALSE(files->find("o200k_base")) << "and nothing here can fetch it";
  EXPECT_FALSE(files->find("cl100k_base")) << "the manifest does not have it";
  put("no vocabulary");
  EXPECT_FALSE(files->find("o200k_base"));
  put(bytes_alone());
  EXPECT_TRUE(files->find("o200k_base")) << "it is noticed when it comes";
}

}  // namespace
}  // namespace causeway::engine
