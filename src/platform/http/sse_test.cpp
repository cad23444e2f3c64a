#include "platform/http/sse.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::http {
namespace {

struct Seen {
  std::string wire, event, data;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> read_in_pieces(std::string_view all, std::size_t piece_size, SseReader& reader) {
  std::vector<Seen> seen;
  for (std::size_t at = 0; at < all.size(); at += piece_size) {
    std::string piece(all.substr(at, piece_size));
    piece.reserve(piece.size() + SseReader::kPadding);
    reader.feed(piece);
    SseEvent event;
    for (;;) {
      const auto more = reader.next(event);
      EXPECT_TRUE(more.has_value());
      if (!more || !*more) break;
      seen.push_back({std::string(event.wire), std::string(event.event), std::string(event.data)});
    }
  }
  return seen;
}

TEST(Sse, SameEventsWhereverThePiecesAreCut) {
  const std::string all =
      ": hello\n\ndata: {\"a\":1}\n\nevent: ping\r\ndata: x\r\n\r\ndata:one\ndata: two\n\n"
      "id: 7\nretry: 10\ndata: last\n\ndata: [DONE]\n\n";
  SseReader whole;
  const auto expected = read_in_pieces(all, all.size(), whole);
  ASSERT_EQ(expected.size(), 6u);
  EXPECT_EQ(expected[1].data, "{\"a\":1}");
  EXPECT_EQ(expected[2].event, "ping");
  EXPECT_EQ(expected[2].data, "x");
  EXPECT_EQ(expected[3].data, "one\ntwo");
  std::string wires;
  for (const auto& event : expected) wires += event.wire;
  EXPECT_EQ(wires, all);
  for (std::size_t size = 1; size < all.size(); ++size) {
    SseReader reader;
    EXPECT_EQ(read_in_pieces(all, size, reader), expected) << "pieces of " << size;
    EXPECT_FALSE(reader.partial());
  }
}

TEST(Sse, AnUnfinishedEventIsNotGiven) {
  SseReader reader;
  EXPECT_TRUE(read_in_pieces("data: cut", 4, reader).empty());
  EXPECT_TRUE(reader.partial());
}

TEST(Sse, AnEventOverTheLimitIsAnError) {
  SseReader reader(64);
  const std::string big = "data: " + std::string(100, 'x');
  reader.feed(big);
  SseEvent event;
  const auto result = reader.next(event);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().kind, ErrorKind::UpstreamBroken);
}

}  // namespace
}  // namespace causeway::http
