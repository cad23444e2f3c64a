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

TEST(Sse, BlankLinesAtTheFrontAreEventsOfTheirOwnWhereverThePiecesAreCut) {
  const std::string all = "\n\ndata: x\n\n\r\n\n";
  for (std::size_t size = 1; size <= all.size(); ++size) {
    SseReader reader;
    const auto seen = read_in_pieces(all, size, reader);
    ASSERT_EQ(seen.size(), 5u) << "pieces of " << size;
    EXPECT_EQ(seen[0].wire, "\n");
    EXPECT_EQ(seen[2].data, "x");
    EXPECT_EQ(seen[3].wire, "\r\n");
  }
}

TEST(Sse, DataOfSeveralLinesLivesUntilTheNextPiece) {
  const std::string piece = "data: a\ndata: b\n\ndata: c\ndata: d\n\n" + std::string(64, ' ');
  SseReader reader;
  reader.feed(std::string_view(piece).substr(0, piece.size() - 64));
  SseEvent first, second;
  ASSERT_TRUE(*reader.next(first));
  ASSERT_TRUE(*reader.next(second));
  EXPECT_EQ(first.data, "a\nb");
  EXPECT_EQ(second.data, "c\nd");
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

TEST(Sse, TheRoomOfALargeEventIsGivenUp) {
  SseReader reader;
  SseEvent event;
  std::string piece = "data: " + std::string(300'000, 'x');
  const auto feed = [&](std::string next) {
    piece = std::move(next);
    piece.reserve(piece.size() + SseReader::kPadding);
    reader.feed(piece);
  };
  feed(piece);
  EXPECT_FALSE(*reader.next(event));
  feed("\n\ndata: ");
  EXPECT_TRUE(*reader.next(event));
  EXPECT_FALSE(*reader.next(event));
  EXPECT_GE(reader.kept(), 300'000u) << "the event is still in use";
  feed("small\n\n");
  EXPECT_TRUE(*reader.next(event));
  EXPECT_EQ(event.data, "small");
  EXPECT_LE(reader.kept(), 100'000u);
}

TEST(Sse, TheLimitIsOneOfEventsWhereverThePiecesAreCut) {
  const std::string fits = "data: " + std::string(56, 'x') + "\n\n";  // 64 bytes
  const std::string all = fits + fits + "data: " + std::string(57, 'x') + "\n\n";
  for (std::size_t size = 1; size <= all.size(); ++size) {
    SseReader reader(64);
    std::size_t events = 0;
    bool refused = false;
    for (std::size_t at = 0; at < all.size() && !refused; at += size) {
      std::string piece(all.substr(at, size));
      piece.reserve(piece.size() + SseReader::kPadding);
      reader.feed(piece);
      SseEvent event;
      auto more = reader.next(event);
      for (; more && *more; more = reader.next(event)) ++events;
      refused = !more;
    }
    EXPECT_EQ(events, 2u) << "pieces of " << size;
    EXPECT_TRUE(refused) << "pieces of " << size;
  }
}

}  // namespace
}  // namespace causeway::http
