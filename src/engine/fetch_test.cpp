#include "engine/fetch.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "engine/download.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/process/spawner.h"

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// A web server on a loopback port that hands out one content, in ways that a test chooses.
class FileServer {
 public:
  explicit FileServer(std::string content) : content_(std::move(content)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FileServer() {
    shutdown(listener_, SHUT_RDWR);
    thread_.join();
    close(listener_);
  }
  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  std::size_t cut_after = 0;  // bytes of body in one answer, then the connection ends; 0 = all
  bool ranges = true;
  int requests = 0;
  std::vector<std::string> range_fields;

 private:
  void serve() {
    for (;;) {
      const int connection = accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      ++requests;
      answer(connection);
      close(connection);
    }
  }
  void answer(int connection) {
    std::string head;
    char byte = 0;
    while (!head.ends_with("\r\n\r\n") && read(connection, &byte, 1) == 1) head.push_back(byte);
    if (head.starts_with("GET /moved")) {
      return send(connection,
                  "HTTP/1.1 302 Found\r\nLocation: /file?x=1\r\nContent-Length: 0\r\n\r\n");
    }
    if (head.starts_with("GET /loop")) {
      return send(connection, "HTTP/1.1 302 Found\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n");
    }
    if (!head.starts_with("GET /file")) {
      return send(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    }
    std::size_t from = 0;
    if (const auto at = head.find("bytes="); at != head.npos) {
      range_fields.push_back(head.substr(at, head.find('\r', at) - at));
      if (ranges) from = std::stoul(head.substr(at + 6));
    }
    if (from > 0 && from >= content_.size()) {
      return send(connection, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n\r\n");
    }
    const std::string body = content_.substr(from);
    std::string text = from > 0
                           ? "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " +
                                 std::to_string(from) + "-" + std::to_string(content_.size() - 1) +
                                 "/" + std::to_string(content_.size()) + "\r\n"
                           : std::string("HTTP/1.1 200 OK\r\n");
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    text += cut_after ? body.substr(0, cut_after) : body;
    send(connection, text);
  }
  static void send(int connection, std::string_view text) {
    while (!text.empty()) {
      const auto sent = ::send(connection, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  const std::string content_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

std::string digest(const std::string& text) {
  return crypto::to_hex(crypto::view(crypto::sha256(text)));
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

class DownloadTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/download-test-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = folder;
    path_ = folder_ + "/files/abc/model.gguf";
    for (int i = 0; i < 300'000; ++i) content_ += static_cast<char>('a' + (i * 7 + i / 1000) % 26);
  }
  void TearDown() override { fs::remove_all(folder_); }

  Result<void> download(const std::string& url, const std::string& sha256) {
    std::promise<Result<void>> ended;
    auto future = ended.get_future();
    Download download({.url = url,
                       .path = path_,
                       .sha256 = sha256,
                       .ca_file = "",
                       .on_progress =
                           [this](std::uint64_t done, std::uint64_t total) {
                             done_ = done;
                             total_ = total;
                           },
                       .on_end = [&](Result<void> result) { ended.set_value(std::move(result)); }});
    return future.get();
  }

  std::string folder_, path_, content_;
  std::atomic<std::uint64_t> done_ = 0, total_ = 0;
};

TEST_F(DownloadTest, FetchesAndChecks) {
  FileServer server(content_);
  const auto result = download(server.url("/file"), digest(content_));
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ(read_file(path_), content_);
  EXPECT_FALSE(fs::exists(path_ + ".part"));
  EXPECT_EQ(done_, content_.size());
  EXPECT_EQ(total_, content_.size());
}

TEST_F(DownloadTest, FollowsRedirections) {
  FileServer server(content_);
  const auto result = download(server.url("/moved"), digest(content_));
  EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(server.requests, 2);
  fs::remove(path_);
  EXPECT_FALSE(download(server.url("/loop"), digest(content_)));
}

TEST_F(DownloadTest, GoesOnWhereItWasCut) {
  FileServer server(content_);
  server.cut_after = 120'000;
  ASSERT_TRUE(download(server.url("/file"), digest(content_)));
  EXPECT_EQ(read_file(path_), content_);
  EXPECT_EQ(server.range_fields, (std::vector<std::string>{"bytes=120000-", "bytes=240000-"}));
}

TEST_F(DownloadTest, GoesOnFromAnEarlierRun) {
  FileServer server(content_);
  fs::create_directories(fs::path(path_).parent_path());
  std::ofstream(path_ + ".part") << content_.substr(0, 1000);
  ASSERT_TRUE(download(server.url("/file"), digest(content_)));
  EXPECT_EQ(server.range_fields, (std::vector<std::string>{"bytes=1000-"}));
  // All of it was there, only the name was missing.
  fs::rename(path_, path_ + ".part");
  ASSERT_TRUE(download(server.url("/file"), digest(content_)));
  EXPECT_EQ(read_file(path_), content_);
}

TEST_F(DownloadTest, StartsAnewWhereTheServerKnowsNoRanges) {
  FileServer server(content_);
  server.ranges = false;
  fs::create_directories(fs::path(path_).parent_path());
  std::ofstream(path_ + ".part") << "something of an earlier file";
  ASSERT_TRUE(download(server.url("/file"), digest(content_)));
  EXPECT_EQ(read_file(path_), content_);
}

TEST_F(DownloadTest, WrongContentIsNotKept) {
  FileServer server(content_);
  const auto result = download(server.url("/file"), digest("another"));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("SHA-256"), std::string::npos);
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_FALSE(fs::exists(path_ + ".part"));
}

TEST_F(DownloadTest, SaysWhatTheServerAnswered) {
  FileServer server(content_);
  const auto result = download(server.url("/other"), digest(content_));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().upstream_status, 404);
  EXPECT_EQ(server.requests, 1) << "no second try: the answer would be the same";
}

TEST_F(DownloadTest, CancelledAtOnce) {
  FileServer server(content_);
  server.cut_after = 10;  // it would take very long
  bool ended = false;
  const auto began = std::chrono::steady_clock::now();
  {
    Download download({.url = server.url("/file"),
                       .path = path_,
                       .sha256 = digest(content_),
                       .ca_file = "",
                       .on_progress = nullptr,
                       .on_end = [&](Result<void> result) { ended = !result; }});
    std::this_thread::sleep_for(50ms);
  }
  EXPECT_TRUE(ended);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 2s);
}

TEST(Fetch, ReadsTheToolsProgress) {
  std::uint64_t done = 0, total = 0;
  EXPECT_TRUE(read_progress_line(
      R"({"name": "m", "step": "downloading", "bytes": 12, "total": 99, "bytes_per_second": 5})",
      done, total));
  EXPECT_EQ(done, 12u);
  EXPECT_EQ(total, 99u);
  EXPECT_FALSE(read_progress_line(R"({"name": "m", "note": "unpacking"})", done, total));
  EXPECT_FALSE(read_progress_line("fetch: no such thing", done, total));
  EXPECT_FALSE(read_progress_line(R"({"bytes": -1, "total": 2})", done, total));
}

/// Runs a fetch tool that a test wrote.
class ArtifactFetchTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/fetch-test-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    places_.share = folder;
    places_.cache = std::string(folder) + "/cache";
    fs::create_directories(places_.share + "/scripts/tools");
    entry_.name = entry_.source.artifact = "small";
    setenv("CAUSEWAY_TEST_SECRET", "x", 1);
    setenv("PIP_TEST", "1", 1);
  }
  void TearDown() override {
    fs::remove_all(places_.share);
    unsetenv("CAUSEWAY_TEST_SECRET");
    unsetenv("PIP_TEST");
  }
  Result<void> fetch(const std::string& tool) {
    std::ofstream(places_.fetch_tool()) << tool;
    std::promise<Result<void>> ended;
    const auto fetch =
        start_fetch(entry_, places_, spawner_,
                    {.on_progress = [this](std::uint64_t done, std::uint64_t) { done_ = done; },
                     .on_end = [&](Result<void> result) { ended.set_value(std::move(result)); }});
    return ended.get_future().get();
  }
  Places places_;
  ModelEntry entry_;
  process::Spawner spawner_;
  std::atomic<std::uint64_t> done_ = 0;
};

TEST_F(ArtifactFetchTest, RunsTheToolAndShowsItsProgress) {
  EXPECT_FALSE(can_fetch(entry_, places_)) << "no tool yet";
  const auto result = fetch(R"(import os, sys
assert sys.argv[1:3] == ["--progress", "json"] and sys.argv[-1] == "small", sys.argv
assert "CAUSEWAY_TEST_SECRET" not in os.environ and os.environ["PIP_TEST"] == "1"
print('{"name": "small", "step": "x", "bytes": 7, "total": 9}', file=sys.stderr)
print("/somewhere/small.gguf")
)");
  EXPECT_TRUE(can_fetch(entry_, places_));
  EXPECT_TRUE(result) << result.error().message;
  EXPECT_EQ(done_, 7u);
}

TEST_F(ArtifactFetchTest, PassesTheToolsReasonOn) {
  const auto result = fetch("import sys\nsys.exit('fetch: nobody is there')\n");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "fetch: nobody is there");
}

}  // namespace
}  // namespace causeway::engine
