// A spool gives back what was put, leaves nothing behind, and nothing that could be read.
#include "platform/store/spool.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "platform/store/test_folder.h"

namespace causeway::store {
namespace {

// The bytes of this process's nameless file in that folder.
std::string bytes_on_disk(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const auto to = std::filesystem::read_symlink(entry.path(), ignored).string();
    if (!to.starts_with(folder.string() + "/")) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  return {};
}

TEST(Spool, GivesBackWhatWasPutAndHasNoName) {
  TestFolder folder;
  auto spool = Spool::make(folder.path);
  ASSERT_TRUE(spool);
  const std::vector<std::string> pieces = {std::string(70'000, 'a'), "", std::string("b\0c", 3)};
  for (const auto& piece : pieces) ASSERT_TRUE(spool->append(piece));
  Spool moved = std::move(*spool);
  for (std::size_t i = pieces.size(); i-- > 0;) EXPECT_EQ(moved.read(i).value(), pieces[i]);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path));
}

TEST(Spool, NothingThatCouldBeReadReachesTheDisk) {
  TestFolder folder;
  auto spool = Spool::make(folder.path);
  ASSERT_TRUE(spool);
  ASSERT_TRUE(spool->append("what somebody said"));
  const std::string disk = bytes_on_disk(folder.path);
  EXPECT_GT(disk.size(), 18u);
  EXPECT_EQ(disk.find("somebody"), disk.npos);
}

TEST(Spool, TellsWhereItCannotBe) {
  TestFolder folder;
  const auto spool = Spool::make(folder.path / "nowhere");
  ASSERT_FALSE(spool);
  EXPECT_EQ(spool.error().kind, ErrorKind::Unavailable);
}

}  // namespace
}  // namespace causeway::store
