#include "app/line_diff.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <random>

#include "platform/store/test_folder.h"

namespace causeway::app {
namespace {

TEST(LineDiff, Forms) {
  EXPECT_EQ(unified_diff("a\nb\n", "a\nb\n", "f"), "");
  EXPECT_EQ(unified_diff("a\nb\nc\n", "a\nB\nc\n", "f"),
            "--- f\n+++ f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
  EXPECT_EQ(unified_diff("", "a\n", "f"), "--- f\n+++ f\n@@ -0,0 +1,1 @@\n+a\n");
  EXPECT_EQ(unified_diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\n5\n6\n7\n8\n", "f"),
            "--- f\n+++ f\n@@ -6,4 +6,3 @@\n 6\n 7\n 8\n-9\n");
}

// Applied by patch(1), each difference makes the new text of the old one.
TEST(LineDiff, PatchMakesTheOneOfTheOther) {
  if (std::system("command -v patch > /dev/null") != 0) GTEST_SKIP() << "no patch here";
  store::TestFolder folder;
  std::mt19937 random(3);
  for (int round = 0; round < 40; ++round) {
    std::string before, after;
    for (unsigned i = 0; i < 60; ++i) {
      const std::string line = std::to_string(random() % 9) + "\n";
      if (random() % 12 != 0) before += line;
      if (random() % 12 != 0) after += line;
    }
    if (before == after) continue;
    const auto file = folder.path / "f";
    std::ofstream(file) << before;
    std::ofstream(folder.path / "d") << unified_diff(before, after, "f");
    const std::string command =
        "patch -s " + file.string() + " " + (folder.path / "d").string() + " > /dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << unified_diff(before, after, "f");
    std::ifstream patched(file);
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(patched), {}), after);
  }
}

TEST(LineDiff, HugeDifferencesAreReplacedWhole) {
  std::string before, after;
  for (int i = 0; i < 5000; ++i) {
    before += "old " + std::to_string(i) + "\n";
    after += "new " + std::to_string(i) + "\n";
  }
  const auto diff = unified_diff(before, after, "f");
  EXPECT_TRUE(diff.starts_with("--- f\n+++ f\n@@ -1,5000 +1,5000 @@\n-old 0\n"));
}

}  // namespace
}  // namespace causeway::app
