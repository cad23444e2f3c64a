// Every input of tests/data/hostile_http.json gets its verdict: by the parser alone and through a
// running server, whole and byte by byte. "accept" and "refuse" are binding; "either" is checked
// for being the same in all ways. After an input that was refused, nothing of it may be served.
#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <boost/json/src.hpp>
#include <fstream>
#include <sstream>

#include "platform/http/detail/parser.h"
#include "platform/http/testing/server_fixture.h"

namespace causeway::http {
namespace {

using testing::RawClient;
using testing::TestServer;

struct Input {
  std::string name, verdict, bytes;
};

std::string latin1(std::string_view utf8) {
  std::string bytes;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    const auto c = static_cast<unsigned char>(utf8[i]);
    if (c < 0x80) {
      bytes += utf8[i];
    } else {  // U+0080 to U+00FF: two bytes
      const auto next = static_cast<unsigned char>(utf8[++i]);
      bytes += static_cast<char>((c & 0x03) << 6 | (next & 0x3f));
    }
  }
  return bytes;
}

const std::vector<Input>& inputs() {
  static const std::vector<Input> all = [] {
    std::ifstream file(CAUSEWAY_SOURCE_DIR "/tests/data/hostile_http.json");
    std::stringstream text;
    text << file.rdbuf();
    std::vector<Input> read;
    const boost::json::value document = boost::json::parse(text.str());
    for (const auto& entry : document.as_array()) {
      read.push_back({std::string(entry.at("name").as_string()),
                      std::string(entry.at("verdict").as_string()),
                      latin1(entry.at("bytes_latin1").as_string())});
    }
    return read;
  }();
  return all;
}

/// "accept" when a whole message was read, else "refuse" (also when it wants more: a server would
/// let it run into the deadline).
std::string verdict_of_parser(const std::string& bytes, std::size_t step) {
  using namespace detail;
  RequestParser parser{HeadLimits()};
  std::string buffer;
  std::size_t at = 0;
  Parsed state = Parsed::NeedMore;
  while (state == Parsed::NeedMore && at < bytes.size()) {
    buffer += bytes.substr(at, step);
    at += step;
    state = parser.parse(buffer);
  }
  if (state != Parsed::Done) return "refuse";
  if (!parser.head().chunked) {
    const std::size_t body = parser.head().content_length.value_or(0);
    return bytes.size() - parser.size() >= body ? "accept" : "refuse";
  }
  ChunkedDecoder decoder;
  std::string tail = buffer.substr(parser.size());
  while (true) {
    const auto result = decoder.next(tail);
    tail.erase(0, result.consumed);
    if (result.state == Parsed::Refused) return "refuse";
    if (result.state == Parsed::Done) return "accept";
    if (!result.data.empty()) continue;
    if (at >= bytes.size()) return "refuse";
    tail += bytes.substr(at, step);
    at += step;
  }
}

TEST(Hostile, ThereAreInputs) { EXPECT_GE(inputs().size(), 70u); }

TEST(Hostile, TheParserAlone) {
  for (const Input& input : inputs()) {
    const std::string whole = verdict_of_parser(input.bytes, input.bytes.size());
    const std::string bytewise = verdict_of_parser(input.bytes, 1);
    EXPECT_EQ(whole, bytewise) << input.name;
    if (input.verdict != "either") {
      EXPECT_EQ(whole, input.verdict) << input.name;
    }
  }
}

Task<void> accept_whole(ServerStream& stream, std::atomic<int>& served) {
  auto body = co_await stream.read_body(1 << 20);
  if (!body) co_return;  // the server answers 400 to bad chunks
  ++served;
  co_await stream.reply(200, {}, {});
}

/// What the running server says; the status of the first answer ("" when it only closes).
std::string status_from(TestServer& server, const std::string& bytes, bool bytewise) {
  RawClient client(server.port());
  if (bytewise) {
    for (const char byte : bytes) {
      if (!client.send({&byte, 1})) break;
    }
  } else {
    client.send(bytes);
  }
  if (!client.anything_within(std::chrono::milliseconds(2000))) return "";
  const std::string answer = client.receive();
  if (answer.size() < 12) return "";
  const std::string status = answer.substr(9, 3);
  if (status != "200") {
    EXPECT_TRUE(client.ended()) << "a refusal must close";
  }
  return status;
}

TEST(Hostile, ThroughARunningServer) {
  std::atomic<int> served = 0;
  ServerLimits limits;
  limits.header_timeout = std::chrono::milliseconds(300);
  limits.body_timeout = std::chrono::milliseconds(300);
  TestServer server([&served](ServerStream& stream) { return accept_whole(stream, served); },
                    limits);
  for (const Input& input : inputs()) {
    for (const bool bytewise : {false, true}) {
      // A second request inside the input before may be served late.
      ASSERT_TRUE(server.eventually([](const auto& stats) { return stats.connections == 0; }));
      served = 0;
      const std::string status = status_from(server, input.bytes, bytewise);
      const std::string where = input.name + (bytewise ? " (byte by byte)" : " (whole)");
      if (input.verdict == "accept") {
        EXPECT_EQ(status, "200") << where;
        EXPECT_EQ(served, 1) << where;
      } else if (input.verdict == "refuse") {
        EXPECT_TRUE(status == "400" || status == "413" || status == "431" || status == "501" ||
                    status == "505")
            << where << ": " << status;
        EXPECT_EQ(served, 0) << where;
      }
    }
  }
}

}  // namespace
}  // namespace causeway::http
