#include "app/replace_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "platform/store/test_folder.h"

namespace causeway::app {
namespace {

namespace fs = std::filesystem;

std::string content(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

unsigned mode(const fs::path& path) {
  struct stat info{};
  EXPECT_EQ(::stat(path.c_str(), &info), 0);
  return info.st_mode & 07777;
}

TEST(ReplaceFile, KeepsTheOldOneAndItsRights) {
  store::TestFolder folder;
  const auto file = folder.path / "c.yaml";
  std::ofstream(file) << "old";
  fs::permissions(file, fs::perms(0640));
  std::ofstream(folder.path / "c.yaml.new") << "left by a crash";
  EXPECT_EQ(why_not_replaced(file), "");
  ASSERT_TRUE(replace_file(file, "new"));
  EXPECT_EQ(content(file), "new");
  EXPECT_EQ(content(folder.path / "c.yaml.bak"), "old");
  EXPECT_EQ(mode(file), 0640u);
  EXPECT_EQ(mode(folder.path / "c.yaml.bak"), 0640u);
  EXPECT_FALSE(fs::exists(folder.path / "c.yaml.new"));
}

TEST(ReplaceFile, FollowsALink) {
  store::TestFolder folder;
  fs::create_directory(folder.path / "real");
  std::ofstream(folder.path / "real/c.yaml") << "old";
  fs::create_symlink("real/c.yaml", folder.path / "c.yaml");
  ASSERT_TRUE(replace_file(folder.path / "c.yaml", "new"));
  EXPECT_TRUE(fs::is_symlink(folder.path / "c.yaml"));
  EXPECT_EQ(content(folder.path / "real/c.yaml"), "new");
}

TEST(ReplaceFile, SaysWhyNot) {
  store::TestFolder folder;
  EXPECT_NE(why_not_replaced(folder.path / "none"), "");
  EXPECT_NE(why_not_replaced(folder.path), "");
  EXPECT_FALSE(replace_file(folder.path / "none", "new"));
}

}  // namespace
}  // namespace causeway::app
