#include "engine/child_log.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;

TEST(ChildLog, KeepsTheLastLines) {
  ChildLog log("", {.lines = 3});
  for (int i = 0; i < 10; ++i) log.add("line " + std::to_string(i));
  EXPECT_EQ(log.last(2), (std::vector<std::string>{"line 8", "line 9"}));
  EXPECT_EQ(log.last(100).size(), 3u);
}

TEST(ChildLog, FindsTheReason) {
  ChildLog log("");
  EXPECT_EQ(log.last_error(), "");
  log.add("starting");
  EXPECT_EQ(log.last_error(), "starting");
  log.add("error: invalid magic");
  log.add("bye");
  EXPECT_EQ(log.last_error(), "error: invalid magic");
  log.begin("another child");
  EXPECT_EQ(log.last_error(), "") << "the earlier one's reason is not this one's";
  log.add("hello");
  EXPECT_EQ(log.last_error(), "hello");
}

TEST(ChildLog, FileIsBoundedAndPrivate) {
  char folder[] = "/tmp/child-log-test-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  const std::string logs = std::string(folder) + "/logs";  // made when needed
  const std::string path = logs + "/engine.log";
  {
    ChildLog log(path, {.file_bytes = 1000});
    for (int i = 0; i < 200; ++i) log.add("a line of some length " + std::to_string(i));
  }
  EXPECT_LE(fs::file_size(path), 1100u);
  EXPECT_LE(fs::file_size(path + ".1"), 1100u);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(std::distance(fs::directory_iterator(logs), fs::directory_iterator{}), 2);
  ChildLog unwritable("/proc/no/engine.log");
  unwritable.add("still kept in memory");
  EXPECT_EQ(unwritable.last(1).size(), 1u);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace causeway::engine
