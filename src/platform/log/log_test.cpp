#include "platform/log/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <type_traits>
#include <vector>

#include "platform/log/detail/line_format.h"

namespace causeway::log {
namespace {

// What must not compile.
static_assert(!std::is_constructible_v<Value, Secret>);
static_assert(!std::is_constructible_v<Value, const Secret&>);
template <class T>
concept Loggable = requires(Log& log, T message) { log.write(Level::Info, message); };
static_assert(Loggable<std::string>);
static_assert(!Loggable<Secret>);

struct LogTest : ::testing::Test {
  LogTest() {
    using namespace std::chrono;
    clock.set_wall(sys_days{2026y / 11 / 24} + 19h + 28min + 26s + 7ms);
  }
  Options options(Format format = Format::Text) {
    return {.format = format, .sink = [this](std::string_view line) { lines.emplace_back(line); }};
  }
  ManualClock clock;
  std::vector<std::string> lines;
};

TEST_F(LogTest, TextLine) {
  Log log(options(), clock);
  log.info("listening", {{"address", "127.0.0.1:8080"}, {"loops", 2}, {"tls", false}});
  log.warn("slow", {{"seconds", 1.5}, {"what", "two words"}, {"empty", ""}, {"big", ~0ULL}});
  EXPECT_EQ(lines.at(0),
            "2026-11-24T19:28:26.007Z info  listening address=127.0.0.1:8080 loops=2 tls=false");
  EXPECT_EQ(lines.at(1),
            "2026-11-24T19:28:26.007Z warn  slow seconds=1.5 what=\"two words\" empty=\"\" "
            "big=18446744073709551615");
}

TEST_F(LogTest, JsonLine) {
  Log log(options(Format::Json), clock);
  log.error("engine \"died\"", {{"exit", -9}, {"name", std::string("a\nb")}, {"again", true}});
  EXPECT_EQ(lines.at(0),
            R"({"time":"2026-11-24T19:28:26.007Z","level":"error","message":"engine \"died\"",)"
            R"("exit":-9,"name":"a\nb","again":true})");
}

TEST_F(LogTest, NobodyCanWriteLinesOfTheirOwn) {
  Log log(options(), clock);
  log.info("a\nb", {{"x", "1\r\n2026 error fake=\x1b[31m"}, {"bad\xFF", "k=v"}});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].find_first_of("\r\n\x1b\xFF"), std::string::npos) << lines[0];
}

TEST_F(LogTest, ColoursOnlyWhereAsked) {
  const detail::Line line{.level = Level::Error, .message = "x"};
  EXPECT_NE(detail::format_text(line, true).find("\x1b[31merror\x1b[0m "), std::string::npos);
  EXPECT_EQ(detail::format_text(line, false).find('\x1b'), std::string::npos);
}

TEST_F(LogTest, LevelCanChange) {
  Log log(options(), clock);
  log.debug("hidden");
  log.set_level(Level::Debug);
  log.debug("shown");
  log.set_level(Level::Error);
  log.warn("hidden");
  EXPECT_FALSE(log.enabled(Level::Warn));
  EXPECT_EQ(lines.size(), 1u);
}

TEST_F(LogTest, EqualMessagesAreLimitedAndCounted) {
  Log log(options(), clock);
  for (int i = 0; i < 1000; ++i) log.warn("upstream failed", {{"number", i}});
  log.warn("another message");
  EXPECT_EQ(lines.size(), 21u);
  clock.advance(std::chrono::seconds(10));
  log.warn("upstream failed");
  EXPECT_NE(lines.back().find(" suppressed=980"), std::string::npos) << lines.back();
  log.warn("upstream failed");
  EXPECT_EQ(lines.back().find("suppressed"), std::string::npos);
  for (int i = 0; i < 10000; ++i) log.info("message " + std::to_string(i));  // table stays bounded
  EXPECT_EQ(lines.size(), 10023u);
}

TEST_F(LogTest, StatesAreLoggedOncePerChange) {
  Log log(options(), clock);
  EXPECT_TRUE(log.state(Level::Info, "target a", "up"));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(log.state(Level::Warn, "target a", "down", {{"try", i}}), i == 0);
  }
  EXPECT_TRUE(log.state(Level::Info, "target b", "up"));
  EXPECT_TRUE(log.state(Level::Info, "target a", "up"));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_TRUE(lines[0].ends_with("info  target a: up")) << lines[0];
  EXPECT_TRUE(lines[1].ends_with("warn  target a: down try=0 before=up")) << lines[1];
  for (int i = 0; i < 5000; ++i) log.state(Level::Info, "t" + std::to_string(i), "up");
  EXPECT_TRUE(log.state(Level::Info, "target a", "up"));  // forgotten: bounded memory
}

TEST(LogToStderr, WritesFromAThreadAndDrainsAtTheEnd) {
  char path[] = "/tmp/causeway-log-XXXXXX";
  const int file = mkstemp(path);
  ASSERT_GE(file, 0);
  const int before = dup(STDERR_FILENO);
  dup2(file, STDERR_FILENO);
  {
    SystemClock clock;
    Log log({.format = Format::Json}, clock);
    for (int i = 0; i < 100; ++i) log.state(Level::Info, "thing", std::to_string(i));
    EXPECT_EQ(log.dropped(), 0u);
  }
  dup2(before, STDERR_FILENO);
  close(before);
  close(file);
  std::ifstream in(path);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  unlink(path);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 100);
  EXPECT_NE(text.find(R"("message":"thing: 99")"), std::string::npos);
}

}  // namespace
}  // namespace causeway::log
