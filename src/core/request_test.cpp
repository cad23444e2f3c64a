#include "core/request.h"

#include <gtest/gtest.h>

namespace causeway {
namespace {

std::string encode(const Message& message) {
  return "{\"m\":" + encode_json_string(message.text) + "}";
}

/// {"model":"x","messages":[{"c":"a"},{"c":"b\n"}],"n":1}
struct Indexed {
  std::string body = R"({"model":"x","messages":[{"c":"a"},{"c":"b\n"}],"n":1})";
  RequestIndex index;
  Indexed() {
    index.body = body;
    index.model = "x";
    index.encode_message = &encode;
    const auto range = [&](std::string_view text, std::size_t from = 0) {
      const auto at = static_cast<std::uint32_t>(body.find(text, from));
      return ByteRange{at, at + static_cast<std::uint32_t>(text.size())};
    };
    index.members = {{"model", range(R"("model":"x")"), range(R"("x")")},
                     {"messages", range(R"("messages":[{"c":"a"},{"c":"b\n"}])"), {}},
                     {"n", range(R"("n":1)"), range("1")}};
    index.messages_array = range(R"([{"c":"a"},{"c":"b\n"}])");
    index.members[1].value = index.messages_array;
    index.messages = {{Role::User, range(R"({"c":"a"})")}, {Role::User, range(R"({"c":"b\n"})")}};
    index.texts = {{{Role::User, TextKind::Content, 0, 0}, range(R"("a")")},
                   {{Role::User, TextKind::Content, 1, 0}, range(R"("b\n")")}};
  }
};

TEST(Request, UntouchedIsOneSpanOfTheOriginal) {
  Indexed in;
  Request request(in.index);
  Spans spans;
  request.bytes(spans);
  ASSERT_EQ(spans.size(), 1u);
  EXPECT_EQ(spans[0].data(), in.body.data());
  EXPECT_FALSE(request.edited());
}

TEST(Request, TextsAreDecodedAndReplacedWhole) {
  Indexed in;
  Request request(in.index);
  EXPECT_EQ(request.text(1).get(), "b\n");
  request.text(1).set("say \"hi\"");
  EXPECT_EQ(request.text(1).get(), "say \"hi\"");
  request.text(0).set("A");
  EXPECT_EQ(request.joined(), R"({"model":"x","messages":[{"c":"A"},{"c":"say \"hi\""}],"n":1})");
}

TEST(Request, AMemberIsTakenAndReplacedAsItWasEdited) {
  Indexed in;
  Request request(in.index);
  request.text(0).set("A");
  EXPECT_EQ(request.member("messages"), R"([{"c":"A"},{"c":"b\n"}])");
  request.set_member("messages", "[1]");
  EXPECT_EQ(request.member("messages"), "[1]");
  EXPECT_EQ(request.joined(), R"({"model":"x","messages":[1],"n":1})");
}

TEST(Request, AMessageGetsAMember) {
  Indexed in;
  Request request(in.index);
  request.text(1).set("B");
  request.add_to_message(1, "r", "7");
  EXPECT_EQ(request.joined(), R"({"model":"x","messages":[{"c":"a"},{"r":7,"c":"B"}],"n":1})");
  request.drop(0);
  EXPECT_EQ(request.joined(), R"({"model":"x","messages":[{"r":7,"c":"B"}],"n":1})");
}

TEST(Request, ForksDoNotSeeEachOther) {
  Indexed in;
  Request request(in.index);
  request.text(0).set("common");
  Request one = request.fork(), two = request.fork();
  one.text(1).set("one");
  two.set_member("model", "\"y\"");
  EXPECT_EQ(one.joined(), R"({"model":"x","messages":[{"c":"common"},{"c":"one"}],"n":1})");
  EXPECT_EQ(two.joined(), R"({"model":"y","messages":[{"c":"common"},{"c":"b\n"}],"n":1})");
  EXPECT_EQ(request.joined(), R"({"model":"x","messages":[{"c":"common"},{"c":"b\n"}],"n":1})");
}

TEST(Request, MembersAreReplacedAddedAndRemoved) {
  Indexed in;
  Request request(in.index);
  request.set_member("n", "2");
  request.set_member("user", "\"u\"");
  EXPECT_EQ(request.member("user"), "\"u\"");
  EXPECT_EQ(request.member("n"), "2");
  request.set_member("user", "\"v\"");
  EXPECT_EQ(request.joined(),
            R"({"model":"x","messages":[{"c":"a"},{"c":"b\n"}],"n":2,"user":"v"})");
  request.remove_member("n");
  request.remove_member("model");
  EXPECT_EQ(request.member("n"), std::nullopt);
  EXPECT_EQ(request.joined(), R"({"messages":[{"c":"a"},{"c":"b\n"}],"user":"v"})");
  request.set_member("n", "3");
  EXPECT_NE(request.joined().find(R"("n":3)"), std::string::npos);
}

TEST(Request, NeighboursAreRemovedInAnyOrder) {
  Indexed in;
  const std::vector<std::vector<std::string>> orders = {
      {"messages", "n"}, {"n", "messages"}, {"model", "messages"}, {"messages", "model"}};
  for (const auto& order : orders) {
    Request request(in.index);
    for (const auto& key : order) request.remove_member(key);
    const bool model_left = order[0] != "model" && order[1] != "model";
    EXPECT_EQ(request.joined(), model_left ? R"({"model":"x"})" : R"({"n":1})") << order[0];
    request.set_member(order[1], "2");
    EXPECT_EQ(request.member(order[0]), std::nullopt);
    EXPECT_EQ(request.member(order[1]), "2");
  }
  Request all(in.index);
  for (const char* key : {"messages", "n", "model"}) all.remove_member(key);
  EXPECT_EQ(all.joined(), "{}");
  all.set_member("a", "1");
  all.set_member("b", "2");
  EXPECT_EQ(all.joined(), R"({"a":1,"b":2})");
  EXPECT_EQ(all.member("b"), "2");
  all.set_member("model", "\"y\"");
  EXPECT_EQ(all.joined(), R"({"model":"y","a":1,"b":2})");
}

TEST(Request, MembersAreAddedToAnEmptyObject) {
  RequestIndex index;
  index.body = "{ }";
  Request request(index);
  request.set_member("a", "1");
  request.set_member("b", "2");
  EXPECT_EQ(request.joined(), R"({"a":1,"b":2 })");
}

TEST(Request, InsertedMessagesAreTextsOfTheirPlace) {
  Indexed in;
  Request request(in.index);
  ASSERT_TRUE(request.insert(0, {Role::System, "be kind"}));
  ASSERT_TRUE(request.insert(2, {Role::User, "last"}));
  ASSERT_EQ(request.text_count(), 4u);
  EXPECT_EQ(request.text(0).get(), "be kind");
  EXPECT_EQ(request.text(0).where().role, Role::System);
  EXPECT_EQ(request.text(1).get(), "a");
  EXPECT_EQ(request.text(3).get(), "last");
  request.text(0).set("be brief");
  request.text(2).set("B");
  EXPECT_EQ(
      request.joined(),
      R"({"model":"x","messages":[{"m":"be brief"},{"c":"a"},{"c":"B"},{"m":"last"}],"n":1})");
}

TEST(Request, TextsStandInTheOrderOfTheBodyWhateverWasInsertedFirst) {
  Indexed in;
  in.index.texts.erase(in.index.texts.begin());  // the first message has no text of its own
  in.index.texts.push_back({{Role::None, TextKind::UserId, 0, 0}, in.index.members[2].value});
  Request request(in.index);
  ASSERT_TRUE(request.insert(2, {Role::User, "third"}));
  ASSERT_TRUE(request.insert(1, {Role::User, "second"}));
  ASSERT_TRUE(request.insert(0, {Role::User, "first"}));
  auto texts = request.texts();
  ASSERT_EQ(texts.size(), 5u);
  EXPECT_EQ(texts[0].get(), "first");
  EXPECT_EQ(texts[1].get(), "second");
  EXPECT_EQ(texts[2].get(), "b\n");
  EXPECT_EQ(texts[3].get(), "third");
  EXPECT_EQ(texts[4].where().kind, TextKind::UserId) << "it stands behind the messages";
}

TEST(Request, DroppedMessagesTakeTheirTextsAlong) {
  Indexed in;
  Request request(in.index);
  request.drop(0);
  ASSERT_EQ(request.text_count(), 1u);
  EXPECT_EQ(request.text(0).get(), "b\n");
  EXPECT_EQ(request.joined(), R"({"model":"x","messages":[{"c":"b\n"}],"n":1})");
  request.drop(1);
  EXPECT_EQ(request.text_count(), 0u);
  EXPECT_EQ(request.joined(), R"({"model":"x","messages":[],"n":1})");
}

TEST(Request, TextsAreCountedAsEdited) {
  Indexed in;
  Request request(in.index);
  EXPECT_EQ(request.text_bytes(), 4u) << R"(a, b\n)";
  request.text(0).set("four");
  EXPECT_EQ(request.text_bytes(), 7u);
  const std::size_t both[] = {0, 1};
  ASSERT_TRUE(request.insert(2, {Role::User, "new"}));
  request.drop(both);
  EXPECT_TRUE(request.is_dropped(0) && request.is_dropped(1));
  EXPECT_EQ(request.text_bytes(), 3u);
  EXPECT_EQ(request.fork().joined(), R"({"model":"x","messages":[{"m":"new"}],"n":1})");
}

TEST(JsonString, DecodesEveryEscape) {
  std::string storage;
  EXPECT_EQ(decode_json_string(R"("plain")", storage), "plain");
  EXPECT_EQ(decode_json_string(R"("\"\\\/\b\f\n\r\t")", storage), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(decode_json_string(R"("\u00e9\u20AC\ud83d\ude00")", storage), "é€😀");
  EXPECT_EQ(decode_json_string(R"("\ud83d!")", storage), "\xEF\xBF\xBD!");
}

}  // namespace
}  // namespace causeway
