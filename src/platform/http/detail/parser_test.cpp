#include "platform/http/detail/parser.h"

#include <gtest/gtest.h>

#include <string>

namespace causeway::http::detail {
namespace {

using namespace std::string_literals;

int status_of(const std::string& bytes) {
  RequestParser parser{HeadLimits()};
  const Parsed state = parser.parse(bytes);
  if (state == Parsed::NeedMore) return 0;
  return state == Parsed::Done ? 200 : parser.refusal().status;
}

TEST(RequestParser, GivesViewsOfWhatArrived) {
  const std::string bytes =
      "POST /v1/chat?a=b&c HTTP/1.1\r\nHost: x\r\nAuthorization:  Bearer k \r\n"
      "content-length: 5\r\nExpect: 100-continue\r\nEmpty:\r\n\r\nhello";
  RequestParser parser{HeadLimits()};
  ASSERT_EQ(parser.parse(bytes), Parsed::Done);
  const RequestHead& head = parser.head();
  EXPECT_EQ(head.method, Method::Post);
  EXPECT_EQ(head.target, "/v1/chat?a=b&c");
  EXPECT_EQ(head.path, "/v1/chat");
  EXPECT_EQ(head.query, "a=b&c");
  EXPECT_EQ(head.fields.size(), 5u);
  EXPECT_EQ(head.find("authorization"), "Bearer k");
  EXPECT_EQ(head.find("EMPTY"), "");
  EXPECT_EQ(head.content_length, 5u);
  EXPECT_TRUE(head.expects_continue);
  EXPECT_TRUE(head.keep_alive);
  EXPECT_EQ(bytes.substr(parser.size()), "hello");
}

TEST(RequestParser, SaysTheStatusOfARefusal) {
  const std::string host = "\r\nHost: x\r\n";
  EXPECT_EQ(status_of("GET / HTTP/1.1" + host + "\r\n"), 200);
  EXPECT_EQ(status_of("GET / HTTP/2.0" + host + "\r\n"), 505);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\n"), 505);
  EXPECT_EQ(status_of("GET /a b HTTP/1.1" + host + "\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.1" + host + "Transfer-Encoding: gzip\r\n\r\n"), 501);
  EXPECT_EQ(status_of("GET / HTTP/1.1" + host + "X: " + std::string(17000, 'a')), 431);
  EXPECT_EQ(status_of("GET /" + std::string(17000, 'a')), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\n\r\n"), 400);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200);
  EXPECT_EQ(status_of("GET /\xc3\xa9 HTTP/1.1" + host + "\r\n"), 400);
  EXPECT_EQ(status_of("GET /#f HTTP/1.1" + host + "\r\n"), 400);
  EXPECT_EQ(status_of("CONNECT a:443 HTTP/1.1" + host + "\r\n"), 400);
}

TEST(RequestParser, RefusesOtherProtocolsAtOnce) {
  EXPECT_EQ(status_of("\x16\x03\x01"), 400);
  EXPECT_EQ(status_of("SSH-2.0-x\r\n\r\n"), 400);
  EXPECT_EQ(status_of("{\"a\""), 400);
}

TEST(RequestParser, LimitsAreExact) {
  const std::string start = "GET / HTTP/1.1\r\nHost: x\r\n";
  const auto with_fields = [&](int count) {
    std::string bytes = start;
    for (int i = 1; i < count; ++i) bytes += "A: b\r\n";
    return bytes + "\r\n";
  };
  EXPECT_EQ(status_of(with_fields(64)), 200);
  EXPECT_EQ(status_of(with_fields(65)), 431);
  const std::string big = "A: " + std::string(16000, 'a') + "\r\n";
  EXPECT_EQ(status_of(start + big + big + "\r\n"), 200);
  EXPECT_EQ(status_of(start + big + big + big), 431);
}

TEST(RequestParser, CanBeUsedAgain) {
  RequestParser parser{HeadLimits()};
  for (int i = 0; i < 3; ++i) {
    const std::string bytes = "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      ASSERT_EQ(parser.parse(bytes.substr(0, n)), Parsed::NeedMore);
    }
    ASSERT_EQ(parser.parse(bytes), Parsed::Done);
    EXPECT_EQ(parser.head().target, "/" + std::to_string(i));
    EXPECT_EQ(parser.head().fields.size(), 1u);
    parser.reset();
  }
}

TEST(RequestParser, KeepAlive) {
  const auto keeps = [](const std::string& version, const std::string& connection) {
    const std::string bytes =
        "GET / HTTP/" + version + "\r\nHost: x\r\nConnection: " + connection + "\r\n\r\n";
    RequestParser parser{HeadLimits()};
    EXPECT_EQ(parser.parse(bytes), Parsed::Done) << bytes;
    return parser.head().keep_alive;
  };
  EXPECT_TRUE(keeps("1.1", "Upgrade"));
  EXPECT_TRUE(keeps("1.1", "keep-alive"));
  EXPECT_FALSE(keeps("1.1", "Close"));
  EXPECT_FALSE(keeps("1.1", "foo, close"));
  EXPECT_FALSE(keeps("1.0", "foo"));
  EXPECT_TRUE(keeps("1.0", "Keep-Alive"));
}

TEST(ResponseParser, GivesStatusAndFraming) {
  const std::string bytes =
      "HTTP/1.1 429 Too Many\r\nretry-after: 3\r\nTransfer-Encoding: Chunked\r\n\r\n";
  ResponseParser parser{HeadLimits()};
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    ASSERT_EQ(parser.parse(bytes.substr(0, n)), Parsed::NeedMore);
  }
  ASSERT_EQ(parser.parse(bytes), Parsed::Done);
  EXPECT_EQ(parser.head().status, 429);
  EXPECT_EQ(parser.head().find("Retry-After"), "3");
  EXPECT_TRUE(parser.framing().chunked);
  EXPECT_FALSE(parser.framing().content_length);
  EXPECT_TRUE(parser.framing().keep_alive);
}

TEST(ResponseParser, Refuses) {
  for (const char* bytes :
       {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/3.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
        "HTTP/1.1 200 OK\nA: b\n\n", "<html>"}) {
    ResponseParser parser{HeadLimits()};
    EXPECT_EQ(parser.parse(bytes), Parsed::Refused) << bytes;
  }
}

/// Feeds `bytes` in pieces of `step`; the body, or "REFUSED", or "MORE:" and the body so far.
std::string decode(const std::string& bytes, std::size_t step) {
  ChunkedDecoder decoder;
  std::string body;
  std::string tail;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    tail += bytes.substr(at, step);
    while (true) {
      const auto result = decoder.next(tail);
      body += result.data;
      const bool progress = !result.data.empty();
      tail.erase(0, result.consumed);
      if (result.state == Parsed::Refused) return "REFUSED";
      if (result.state == Parsed::Done) return body;
      if (!progress) break;
    }
  }
  return "MORE:" + body;
}

TEST(ChunkedDecoder, TheSameHoweverItIsCut) {
  const struct {
    std::string bytes, expected;
  } cases[] = {
      {"0\r\n\r\n", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5\r\nhello\r\n6;a=\"b;\"\r\n world\r\n00\r\nX-T: 1\r\n\r\n", "hello world"},
      {"A\r\n0123456789\r\n1;x\r\n!\r\n0\r\n\r\n", "0123456789!"},
      {"5\r\nhel", "MORE:hel"},
      {"5\r\nhelloXX\r\n0\r\n\r\n", "REFUSED"},
      {"5 \r\nhello\r\n0\r\n\r\n", "REFUSED"},
      {"-5\r\nhello\r\n0\r\n\r\n", "REFUSED"},
      {"5;a=\"\tb\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=\"\nxx\"\r\nhello\r\n0\r\n\r\n", "REFUSED"},
      {"5\r\nhello\r\n0;a=\"\nxx\"\r\n\r\n", "REFUSED"},
      {"00000000000000005\r\nhello\r\n0\r\n\r\n", "REFUSED"},
      {"5\r\nhello\r\n00000000000000000\r\n\r\n", "REFUSED"},
      {"5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n", "REFUSED"},
  };
  for (const auto& test : cases) {
    for (std::size_t step : {1, 2, 3, 7, 1000}) {
      EXPECT_EQ(decode(test.bytes, step), test.expected) << test.bytes << " in pieces of " << step;
    }
  }
}

TEST(ChunkedDecoder, LinesAndTrailersAreBounded) {
  EXPECT_EQ(decode("5;" + std::string(20'000, 'a'), 1000), "REFUSED");
  EXPECT_EQ(decode("0\r\nX: " + std::string(20'000, 'a'), 1000), "REFUSED");
}

TEST(ChunkedDecoder, ResetStartsAnew) {
  ChunkedDecoder decoder;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(decoder.next("2\r\nhi\r\n0\r\n\r\n").data, "hi");
    decoder.reset();
  }
}

}  // namespace
}  // namespace causeway::http::detail
