#include "platform/process/line_splitter.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::process {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

TEST(LineSplitter, CutsAtEveryByteTheSame) {
  const std::string_view text = "first\r\n\nsecond line\nlast";
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    Lines lines;
    LineSplitter splitter({}, [&](std::string_view line) { lines.emplace_back(line); });
    splitter.add(text.substr(0, cut), {});
    splitter.add(text.substr(cut), {});
    splitter.finish();
    EXPECT_EQ(lines, (Lines{"first", "", "second line", "last"})) << cut;
  }
}

TEST(LineSplitter, BoundsLinesAndReplacesControls) {
  Lines lines;
  LineSplitter splitter({.line_bytes = 5},
                        [&](std::string_view line) { lines.emplace_back(line); });
  splitter.add("123456789\n\x1b[0m\tx\x7f\n12345\n", {});
  EXPECT_EQ(lines, (Lines{"12345 [cut]", "?[0m\t [cut]", "12345"}));
}

TEST(LineSplitter, DropsAboveTheRateAndSaysHowMany) {
  Lines lines;
  LineSplitter splitter({.lines_per_second = 10, .burst = 2},
                        [&](std::string_view line) { lines.emplace_back(line); });
  const Monotonic start{};
  splitter.add("a\nb\nc\nd\n", start);
  EXPECT_EQ(lines, (Lines{"a", "b"}));
  splitter.add("e\n", start + 100ms);
  EXPECT_EQ(lines, (Lines{"a", "b", "[2 lines dropped: too many at once]", "e"}));
  splitter.add("f\n", start + 100ms);
  splitter.finish();
  EXPECT_EQ(lines.back(), "[1 lines dropped: too many at once]");
}

}  // namespace
}  // namespace causeway::process
