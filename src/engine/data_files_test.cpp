#include "engine/data_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "platform/process/spawner.h"

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;

class DataFilesTest : public testing::Test {
 protected:
  DataFilesTest() {
    fs::create_directories(folder_ / "third_party");
    std::ofstream(folder_ / "third_party/manifest")
        << "[words]\nkind = data\nresult = words.txt\nresult.sha256 = " << kSha << "\n";
    places_.share = folder_.string();
    places_.cache = (folder_ / "cache").string();
  }
  ~DataFilesTest() override { fs::remove_all(folder_); }

  const std::string kSha = std::string(64, 'b');
  const fs::path folder_ =
      fs::temp_directory_path() / ("causeway-data-files-" + std::to_string(getpid()));
  Places places_;
  process::Spawner spawner_;
};

TEST_F(DataFilesTest, SaysWhatFetchesAFile) {
  const auto files = make_data_files(places_, spawner_);
  const auto found = files->find("words");
  ASSERT_FALSE(found) << "nothing here can fetch it";
  EXPECT_EQ(found.error().kind, ErrorKind::Unavailable);
  EXPECT_NE(found.error().message.find("scripts/deps --only model --model words"),
            std::string::npos);
  EXPECT_FALSE(files->find("other")) << "the manifest does not have it";
}

TEST_F(DataFilesTest, NoticesAFileWhenItComes) {
  const auto files = make_data_files(places_, spawner_);
  EXPECT_FALSE(files->find("words"));
  const fs::path path = folder_ / "cache/files" / kSha / "words.txt";
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "here";
  const auto found = files->find("words");
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, path.string());
  EXPECT_EQ(*find_data("words", places_), path.string());
}

TEST_F(DataFilesTest, AFetchThatIsUnderWayIsTold) {
  fs::create_directories(folder_ / "scripts/tools");
  std::ofstream(folder_ / "scripts/tools/fetch.py") << "import time; time.sleep(30)\n";
  const auto files = make_data_files(places_, spawner_);
  for (int i = 0; i < 2; ++i) {
    const auto found = files->find("words");
    ASSERT_FALSE(found);
    EXPECT_NE(found.error().message.find("is being fetched"), std::string::npos);
  }
  EXPECT_LE(spawner_.running(), 1U) << "one fetch for all who ask";
}

}  // namespace
}  // namespace causeway::engine
