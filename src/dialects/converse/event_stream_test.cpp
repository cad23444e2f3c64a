#include "dialects/converse/event_stream.h"

#include <gtest/gtest.h>

#include "dialects/converse/testing/wire.h"

namespace causeway::converse {
namespace {

struct Seen {
  std::string type, name, payload;
  bool operator==(const Seen&) const = default;
};

/// Everything up to the end or an error, fed in pieces of one size.
Result<std::vector<Seen>> read(std::string_view wire, std::size_t step,
                               std::size_t most = 1024 * 1024) {
  EventStreamReader reader(most);
  std::vector<Seen> seen;
  while (!wire.empty()) {
    reader.feed(wire.substr(0, step));
    wire.remove_prefix(std::min(step, wire.size()));
    for (bool more = true; more;) {
      StreamMessage message;
      auto next = reader.next(message);
      if (!next) return std::unexpected(next.error());
      more = *next;
      if (!more) break;
      // A parser may read these; a sanitizer sees whether they are there.
      const char* behind = message.payload.data() + message.payload.size();
      EXPECT_EQ(std::string_view(behind, EventStreamReader::kPadding).size(),
                EventStreamReader::kPadding);
      seen.push_back(
          {std::string(message.type), std::string(message.name), std::string(message.payload)});
    }
  }
  if (reader.partial()) return fail(ErrorKind::Internal, Origin::Us, "partial");
  return seen;
}

const std::string kTwo = wire_event("messageStart", R"({"role":"assistant"})") +
                         wire_exception("throttlingException", R"({"message":"slow down"})");

TEST(EventStream, ReadsMessagesCutAnywhere) {
  const std::vector<Seen> expected = {
      {"event", "messageStart", R"({"role":"assistant"})"},
      {"exception", "throttlingException", R"({"message":"slow down"})"}};
  for (std::size_t step = 1; step <= kTwo.size(); ++step) {
    const auto seen = read(kTwo, step);
    ASSERT_TRUE(seen) << step << ": " << seen.error().detail;
    EXPECT_EQ(*seen, expected) << step;
  }
}

// The bytes are those of botocore 1.44.8's own tests of its reader ("payload_one_str_header").
TEST(EventStream, ReadsTheVectorOfTheOfficialClient) {
  const std::string wire(
      "\x00\x00\x00=\x00\x00\x00 \x07\xfd\x83\x96\x0c"
      "content-type\x07\x00\x10"
      "application/json{'foo':'bar'}\x8d\x9c\x08\xb1",
      61);
  const auto seen = read(wire, wire.size());
  ASSERT_TRUE(seen) << seen.error().detail;
  ASSERT_EQ(seen->size(), 1u);
  EXPECT_EQ(seen->front().payload, "{'foo':'bar'}");
}

TEST(EventStream, SkipsHeadersOfEveryType) {
  std::string headers;
  const std::size_t sizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  for (int type = 0; type < 10; ++type) {
    headers += std::string("\x01x") + static_cast<char>(type);
    if (type == 6 || type == 7) headers += std::string("\0\3abc", 5);
    headers += std::string(sizes[type], 'v');
  }
  const auto seen =
      read(wire_message(headers + text_headers({{":message-type", "event"}}), "p"), 7);
  ASSERT_TRUE(seen) << seen.error().detail;
  EXPECT_EQ(seen->front().type, "event");
}

TEST(EventStream, EveryFlippedBitIsNoticed) {
  const std::string good = wire_event("metadata", R"({"usage":{}})");
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << bit % 8));
    const auto seen = read(bad, bad.size());
    ASSERT_FALSE(seen) << "bit " << bit;
    EXPECT_EQ(seen.error().kind, ErrorKind::UpstreamBroken) << "bit " << bit;
  }
}

TEST(EventStream, SizesAreBounded) {
  const std::string wire = wire_event("metadata", std::string(1000, 'x'));
  EXPECT_TRUE(read(wire, 100, wire.size()));
  const auto seen = read(wire.substr(0, 12), 12, wire.size() - 1);
  ASSERT_FALSE(seen) << "told by the prelude, before the message is there";
  EXPECT_NE(seen.error().detail.find("bytes"), std::string::npos);
}

TEST(EventStream, HeadersThatReachBeyondTheirEndAreRefused) {
  for (const std::string& headers :
       {std::string("\x05:me"), std::string("\x01x\x07\x00\x09short", 10), std::string("\x01x\x0a"),
        std::string("\x01x")}) {
    const auto seen = read(wire_message(headers, "{}"), 1000);
    ASSERT_FALSE(seen) << headers.size();
    EXPECT_NE(seen.error().detail.find("headers"), std::string::npos) << seen.error().detail;
  }
}

}  // namespace
}  // namespace causeway::converse
