#include "platform/log/access_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "platform/log/detail/byte_ring.h"
#include "platform/log/log.h"

namespace causeway::log {
namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream in(path);
  return std::string{std::istreambuf_iterator<char>(in), {}};
}

std::size_t count_lines(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count(text, '\n'));
}

struct AccessLogTest : ::testing::Test {
  AccessLogTest() {
    char name[] = "/tmp/causeway-access-XXXXXX";
    folder = mkdtemp(name);
    path = folder / "access.log";
  }
  ~AccessLogTest() override { fs::remove_all(folder); }
  AccessLogOptions to_file() const { return {.target = path.string()}; }
  std::unique_ptr<AccessLog> open(AccessLogOptions options, int loops = 1) {
    auto opened = AccessLog::open(std::move(options), loops, log);
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message);
    return opened ? std::move(*opened) : nullptr;
  }

  fs::path folder;
  fs::path path;
  SystemClock clock;
  std::mutex mutex;
  std::vector<std::string> messages;
  Log log{{.sink =
               [this](std::string_view line) {
                 const std::lock_guard lock(mutex);
                 messages.emplace_back(line);
               }},
          clock};
};

TEST(ByteRing, LinesWrapAroundWhole) {
  detail::ByteRing ring(64);
  std::string written;
  std::string read;
  for (int i = 0; i < 500; ++i) {
    const std::string line(static_cast<std::size_t>(i % 23), static_cast<char>('a' + i % 26));
    ASSERT_NE(ring.push(line), detail::ByteRing::Push::Full);
    written += line + "\n";
    const auto pieces = ring.readable();
    read.append(pieces.first).append(pieces.second);
    ring.consume(pieces.size());
  }
  EXPECT_EQ(read, written);
}

TEST(ByteRing, SaysHalfFullOnceAndFullWithoutTaking) {
  detail::ByteRing ring(64);
  const std::string line(7, 'x');
  int half_full = 0;
  for (int i = 0; i < 8; ++i) {
    const auto pushed = ring.push(line);
    ASSERT_NE(pushed, detail::ByteRing::Push::Full);
    half_full += pushed == detail::ByteRing::Push::HalfFull;
  }
  EXPECT_EQ(half_full, 1);
  EXPECT_EQ(ring.push(""), detail::ByteRing::Push::Full);
  EXPECT_EQ(ring.readable().size(), 64u);
  ring.consume(8);
  EXPECT_EQ(ring.push(line), detail::ByteRing::Push::Done);
}

TEST_F(AccessLogTest, WritesWholeLinesFromSeveralLoops) {
  constexpr int kLoops = 3;
  constexpr int kLines = 20000;
  auto access = open({.target = path.string(), .buffer_bytes = 1 << 16}, kLoops);
  std::atomic<int> refused = 0;
  std::vector<std::thread> threads;
  for (int loop = 0; loop < kLoops; ++loop) {
    threads.emplace_back([&, loop] {
      const std::string tail(80, static_cast<char>('a' + loop));
      for (int i = 0; i < kLines; ++i) {
        if (!access->write(loop, std::to_string(i) + " " + tail)) ++refused;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  access->flush();
  EXPECT_EQ(access->dropped(), static_cast<std::uint64_t>(refused));
  const auto text = read_file(path);
  EXPECT_EQ(access->written_bytes(), text.size());
  EXPECT_EQ(count_lines(text), static_cast<std::size_t>(kLoops * kLines - refused));
  // Every line is whole, and each loop's lines are in order.
  int last[kLoops] = {-1, -1, -1};
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    const auto space = line.find(' ');
    ASSERT_EQ(line.size(), space + 81) << line;
    const int number = std::stoi(line.substr(0, space));
    const int loop = line.back() - 'a';
    ASSERT_EQ(line.find_first_not_of(line.back(), space + 1), std::string::npos);
    ASSERT_GT(number, last[loop]);
    last[loop] = number;
  }
}

TEST_F(AccessLogTest, RotatesWithinItsBound) {
  AccessLogOptions options = to_file();
  options.max_file_bytes = 1000;
  options.keep_files = 2;
  auto access = open(options);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(access->write(0, "line " + std::to_string(i) + std::string(90, '.')));
    access->flush();
  }
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
    EXPECT_LE(entry.file_size(), 1000u);
  }
  std::ranges::sort(names);
  EXPECT_EQ(names, (std::vector<std::string>{"access.log", "access.log.1", "access.log.2"}));
  // Nothing lost between the files that are kept: the newest lines, in order.
  const auto text =
      read_file(folder / "access.log.2") + read_file(folder / "access.log.1") + read_file(path);
  int number = 100 - static_cast<int>(count_lines(text));
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    EXPECT_TRUE(line.starts_with("line " + std::to_string(number++))) << line;
  }
  EXPECT_EQ(number, 100);
}

TEST_F(AccessLogTest, ReopensAfterTheFileWasMovedAway) {
  auto access = open(to_file());
  access->write(0, "before");
  access->flush();
  fs::rename(path, folder / "moved");
  access->write(0, "still there");
  access->flush();
  access->reopen();
  access->write(0, "after");
  access->flush();
  EXPECT_EQ(read_file(folder / "moved"), "before\nstill there\n");
  EXPECT_EQ(read_file(path), "after\n");
}

TEST_F(AccessLogTest, WrongPathIsAnErrorAtTheStart) {
  const auto opened = AccessLog::open({.target = (folder / "no/such").string()}, 1, log);
  ASSERT_FALSE(opened.has_value());
  EXPECT_NE(opened.error().message.find("no/such"), std::string::npos);
}

TEST_F(AccessLogTest, FailingDiskCostsLinesAndOneMessage) {
  auto access = open({.target = "/dev/full"});
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(access->write(0, "x"));
    access->flush();
  }
  EXPECT_EQ(access->dropped(), 5u);
  const std::lock_guard lock(mutex);
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_NE(messages[0].find("access log: failing"), std::string::npos) << messages[0];
}

TEST_F(AccessLogTest, StuckReaderNeverBlocksALoop) {
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
  auto access = open({.target = path.string(), .buffer_bytes = 1 << 12});
  int refused = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 5000; ++i) refused += !access->write(0, std::string(99, 'x'));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(500));
  EXPECT_GT(refused, 0);
  EXPECT_FALSE(access->write(0, std::string(1 << 11, 'y')));  // longer than a line may be
  ::close(reader);  // so that the writer fails at once instead of waiting
  access.reset();
}

TEST_F(AccessLogTest, EndWritesWhatIsLeft) {
  auto options = to_file();
  options.write_interval = std::chrono::hours(1);
  auto access = open(options);
  access->write(0, "{\"a\":1}");
  access.reset();
  EXPECT_EQ(read_file(path), "{\"a\":1}\n");
}

}  // namespace
}  // namespace causeway::log
