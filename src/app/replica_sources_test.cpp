#include "app/replica_sources.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace causeway::app {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

std::string why(std::string_view text) {
  const auto lines = replica_lines(text);
  return lines ? "" : lines.error().message;
}

TEST(ReplicaLines, AreUrlsOrHostsWithComments) {
  EXPECT_EQ(replica_lines("# all of them\n\n10.0.0.7:8000\n  http://h:1/v1  # the old one\r\n"),
            (Texts{"10.0.0.7:8000", "http://h:1/v1"}));
}

TEST(ReplicaLines, OneBadLineSpoilsAll) {
  EXPECT_NE(why("h:1\nh:x\n").find("line 2 is not a usable URL"), std::string::npos);
  EXPECT_EQ(why("# none\n"), "it has no replicas");
  EXPECT_EQ(why(""), "it has no replicas");
  std::string many;
  for (int i = 0; i < 257; ++i) many += "h" + std::to_string(i) + ":1\n";
  EXPECT_EQ(why(many), "it has more than 256 replicas");
}

struct ReplicaSourcesTest : ::testing::Test {
  void SetUp() override {
    source_.file = (folder_ / "replicas.txt").string();
    source_.every = 100ms;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& text) { std::ofstream(source_.file) << text; }
  /// Ticks until `done`.
  bool ticks(const std::function<bool()>& done, std::chrono::milliseconds limit = 3s) {
    return loop_.run_until(
        [&] {
          sources_.tick();
          return done();
        },
        limit);
  }

  static std::filesystem::path make_folder() {
    std::string text = (std::filesystem::temp_directory_path() / "replicas-XXXXXX").string();
    return mkdtemp(text.data());
  }

  const std::filesystem::path folder_ = make_folder();
  net::Loop loop_{0, 10ms};
  SystemClock clock_;
  Texts lines_;
  log::Log log_{{.sink = [this](std::string_view line) { lines_.emplace_back(line); }}, clock_};
  int changes_ = 0;
  ReplicaSources sources_{loop_, log_, {.changed = [this] { ++changes_; }}};
  ReplicasConfig source_;
};

TEST_F(ReplicaSourcesTest, AFileIsReadAtOnceAndAgain) {
  write("h:1\n");
  EXPECT_EQ(sources_.found(source_), Texts{"h:1"});
  EXPECT_EQ(changes_, 0);
  write("h:1\nh:2\n");
  EXPECT_TRUE(ticks([&] { return changes_ == 1; }));
  EXPECT_EQ(sources_.found(source_), (Texts{"h:1", "h:2"}));
}

TEST_F(ReplicaSourcesTest, WhatFailsKeepsWhatWasKnownAndSaysSoOnce) {
  write("h:1\n");
  sources_.found(source_);
  write("");
  EXPECT_TRUE(ticks([&] { return !sources_.problems().empty(); }));
  ticks([] { return false; }, 400ms);
  EXPECT_EQ(sources_.problems(),
            Texts{"replicas of file " + source_.file + ": it has no replicas"});
  EXPECT_EQ(sources_.found(source_), Texts{"h:1"});
  EXPECT_EQ(changes_, 0);
  EXPECT_EQ(lines_.size(), 2u);  // found, not found
  std::filesystem::remove(source_.file);
  write("h:1\n");
  EXPECT_TRUE(ticks([&] { return sources_.problems().empty(); }));
  EXPECT_EQ(changes_, 0);
  EXPECT_EQ(lines_.size(), 3u);
}

TEST_F(ReplicaSourcesTest, AFileThatIsNotThereIsNothingKnown) {
  EXPECT_EQ(sources_.found(source_), Texts{});
  EXPECT_EQ(sources_.problems().size(), 1u);
  sources_.keep({});
  EXPECT_EQ(sources_.problems().size(), 0u);
}

// Names of this machine come from a file of the test (c-ares reads CARES_HOSTS instead of
// /etc/hosts).
TEST_F(ReplicaSourcesTest, AllAddressesOfAName) {
  const std::string hosts = (folder_ / "hosts").string();
  ::setenv("CARES_HOSTS", hosts.c_str(), 1);
  std::ofstream(hosts) << "127.0.0.3 pods.test\n127.0.0.2 pods.test\n";
  ReplicasConfig source;
  source.dns = "pods.test";
  source.every = 100ms;
  EXPECT_EQ(sources_.found(source), Texts{});
  EXPECT_TRUE(ticks([&] { return changes_ == 1; }));
  EXPECT_EQ(sources_.found(source), (Texts{"127.0.0.2", "127.0.0.3"}));
  std::ofstream(hosts) << "127.0.0.2 pods.test\n";
  EXPECT_TRUE(ticks([&] { return changes_ == 2; }));
  EXPECT_EQ(sources_.found(source), Texts{"127.0.0.2"});
  sources_.close();
  EXPECT_TRUE(ticks([&] { return sources_.idle(); }));
  ::unsetenv("CARES_HOSTS");
}

}  // namespace
}  // namespace causeway::app
