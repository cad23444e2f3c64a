#include "platform/http/memory_stream.h"

#include <gtest/gtest.h>

namespace causeway::http {
namespace {

MemoryStream::Request request(std::string body, std::size_t piece_bytes = 0) {
  return {"POST",          "/v1/chat?x=1", {{"Authorization", "Bearer k"}},
          std::move(body), piece_bytes,    "127.0.0.1"};
}

TEST(MemoryStream, GivesTheRequest) {
  MemoryStream stream(request("hello"));
  EXPECT_EQ(stream.head().method, Method::Post);
  EXPECT_EQ(stream.head().path, "/v1/chat");
  EXPECT_EQ(stream.head().query, "x=1");
  EXPECT_EQ(stream.head().find("authorization"), "Bearer k");
  EXPECT_EQ(stream.head().content_length, 5u);
  EXPECT_EQ(stream.peer(), "127.0.0.1");
  EXPECT_EQ(*run_ready(stream.read_body(5)), "hello");
}

TEST(MemoryStream, KeepsTheLimit) {
  MemoryStream stream(request("hello"));
  EXPECT_EQ(run_ready(stream.read_body(4)).error().kind, ErrorKind::TooLarge);
}

TEST(MemoryStream, GivesPieces) {
  MemoryStream stream(request("hello", 2));
  EXPECT_EQ(*run_ready(stream.read_some()), "he");
  EXPECT_EQ(*run_ready(stream.read_some()), "ll");
  EXPECT_EQ(*run_ready(stream.read_some()), "o");
  EXPECT_EQ(*run_ready(stream.read_some()), "");
}

TEST(MemoryStream, CollectsAReply) {
  MemoryStream stream(request(""));
  const Field fields[] = {{"Content-Type", "text/plain"}};
  const std::string_view body[] = {"a", "b"};
  EXPECT_TRUE(run_ready(stream.reply(201, fields, body)));
  EXPECT_TRUE(stream.begun());
  EXPECT_EQ(stream.answer().status, 201);
  EXPECT_EQ(stream.answer().body, "ab");
  EXPECT_EQ(stream.answer().field("content-type"), "text/plain");
  EXPECT_TRUE(stream.answer().complete);
  EXPECT_FALSE(run_ready(stream.reply(200, {}, {})));
}

TEST(MemoryStream, CollectsAStream) {
  MemoryStream stream(request(""));
  stream.begin(200, {});
  EXPECT_FALSE(stream.begun());
  const std::string_view one[] = {"data: ", "1\n\n"};
  EXPECT_TRUE(run_ready(stream.write(one)));
  EXPECT_TRUE(run_ready(stream.write(one)));
  EXPECT_FALSE(stream.answer().complete);
  EXPECT_TRUE(run_ready(stream.finish()));
  EXPECT_EQ(stream.answer().writes.size(), 2u);
  EXPECT_EQ(stream.answer().body, "data: 1\n\ndata: 1\n\n");
  EXPECT_TRUE(stream.answer().complete);
}

TEST(MemoryStream, LeavingIsTold) {
  MemoryStream stream(request(""));
  int told = 0;
  stream.on_gone([&] { ++told; });
  stream.begin(200, {});
  stream.leave();
  stream.leave();
  EXPECT_EQ(told, 1);
  stream.on_gone([&] { ++told; });
  EXPECT_EQ(told, 2);
  const std::string_view one[] = {"x"};
  EXPECT_EQ(run_ready(stream.write(one)).error().kind, ErrorKind::Cancelled);
}

}  // namespace
}  // namespace causeway::http
