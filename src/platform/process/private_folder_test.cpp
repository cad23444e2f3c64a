#include "platform/process/private_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <fcntl.h>

namespace causeway::process {
namespace {

namespace fs = std::filesystem;

class PrivateFolderTest : public testing::Test {
 protected:
  void SetUp() override {
    char path[] = "/tmp/private-folder-test-XXXXXX";
    ASSERT_NE(mkdtemp(path), nullptr);
    base_ = path;
    if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) runtime_ = runtime;
    unsetenv("XDG_RUNTIME_DIR");
  }
  void TearDown() override {
    if (!runtime_.empty()) setenv("XDG_RUNTIME_DIR", runtime_.c_str(), 1);
    fs::remove_all(base_);
  }
  std::string base_, runtime_;
};

TEST_F(PrivateFolderTest, IsOursAloneAndGoesAway) {
  std::string path;
  {
    auto folder = PrivateFolder::make(base_);
    ASSERT_TRUE(folder) << folder.error().message;
    path = folder->path();
    EXPECT_TRUE(path.starts_with(base_ + "/causeway-"));
    struct stat info{};
    ASSERT_EQ(stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 07777, 0700u);
    std::ofstream(path + "/left.sock") << "x";
    PrivateFolder moved = std::move(*folder);
    EXPECT_EQ(moved.path(), path);
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(PrivateFolderTest, PassesByABaseWhosePathIsTooLong) {
  const std::string deep = base_ + "/" + std::string(80, 'd');
  fs::create_directory(deep);
  const auto folder = PrivateFolder::make(deep);
  ASSERT_TRUE(folder);
  EXPECT_FALSE(folder->path().starts_with(deep));
  EXPECT_LE(folder->path().size() + 1 + 40, kMaxSocketPath);
}

TEST_F(PrivateFolderTest, PrefersTheRuntimeFolder) {
  setenv("XDG_RUNTIME_DIR", base_.c_str(), 1);
  const auto folder = PrivateFolder::make("/nonexistent");
  ASSERT_TRUE(folder);
  EXPECT_TRUE(folder->path().starts_with(base_));
  unsetenv("XDG_RUNTIME_DIR");
}

TEST_F(PrivateFolderTest, ClearsWhatAKilledProcessLeft) {
  const auto old_folder = [&](const std::string& name, bool with_lock) {
    const std::string path = base_ + "/" + name;
    fs::create_directory(path);
    std::ofstream(path + "/model.sock") << "x";
    if (with_lock) std::ofstream(path + "/lock") << "";
    timespec times[2] = {{std::time(nullptr) - 60, 0}, {std::time(nullptr) - 60, 0}};
    utimensat(AT_FDCWD, path.c_str(), times, 0);
    return path;
  };
  const auto abandoned = old_folder("causeway-abc123", true);
  const auto strange = old_folder("causeway-data", false);
  auto alive = PrivateFolder::make(base_);
  ASSERT_TRUE(alive);
  EXPECT_FALSE(fs::exists(abandoned));
  EXPECT_TRUE(fs::exists(strange)) << "not made by us: not ours to remove";
  timespec times[2] = {{std::time(nullptr) - 60, 0}, {std::time(nullptr) - 60, 0}};
  utimensat(AT_FDCWD, alive->path().c_str(), times, 0);
  const auto second = PrivateFolder::make(base_);
  ASSERT_TRUE(second);
  EXPECT_TRUE(fs::exists(alive->path())) << "locked by a living owner";
}

}  // namespace
}  // namespace causeway::process
