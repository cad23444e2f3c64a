// Answers as stages see them, errors, embeddings.
#include "dialects/gemini/test_support.h"

namespace causeway::gemini {
namespace {

using std::chrono::milliseconds;

class AnswerTest : public testing::DialectTest {
 protected:
  // Frames of a stream that comes in one piece, and whether it ended rightly.
  std::vector<Frame> frames(const std::string& wire, bool& complete) {
    std::vector<Frame> all;
    reader_ = kDialect.reader(operation_);
    reader_->feed(padded(wire));
    take(all);
    const auto finished = reader_->finish();
    complete = finished && *finished;
    take(all);
    return all;
  }

  void take(std::vector<Frame>& all) {
    Frame frame;
    for (;;) {
      const auto more = reader_->next(frame);
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) return;
      all.push_back(frame);
    }
  }

  Error classify(int status, const std::string& body) {
    return kDialect.classify(status, {}, body);
  }

  std::unique_ptr<AnswerReader> reader_;
};

TEST_F(AnswerTest, AStreamHasTextsCallsUsageAndAnEnd) {
  bool complete = false;
  const auto all = frames(
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]},\"index\":0}]}\r\n\r\n"
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hm\",\"thought\":true},"
      "{\"functionCall\":{\"name\":\"f\",\"args\":{\"a\":\"b\",\"n\":1}}}]},\"finishReason\":"
      "\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":5,\"candidatesTokenCount\":2,"
      "\"thoughtsTokenCount\":3,\"cachedContentTokenCount\":4}}\r\n\r\n",
      complete);
  EXPECT_TRUE(complete);
  ASSERT_EQ(all.size(), 3u);
  ASSERT_EQ(all[0].events.size(), 1u);
  EXPECT_EQ(all[0].events[0].kind, EventKind::Text);
  EXPECT_TRUE(all[0].has_content);
  std::vector<EventKind> kinds;
  for (const auto& event : all[1].events) kinds.push_back(event.kind);
  using enum EventKind;
  EXPECT_EQ(kinds, (std::vector{Text, TextEnd, TextEnd, ToolCall, Text, Stop, Usage}));
  EXPECT_EQ(all[1].events[0].lane.channel, Channel::Reasoning);
  EXPECT_EQ(all[1].events[3].raw, "f");
  EXPECT_EQ(all[1].events[5].stop, causeway::Stop::Tools);
  EXPECT_EQ(all[1].usage.input_uncached, 1u);
  EXPECT_EQ(all[1].usage.cache_read, 4u);
  EXPECT_EQ(all[1].usage.output_visible, 2u);
  EXPECT_EQ(all[1].usage.reasoning, 3u);
  EXPECT_EQ(all[2].kind, Frame::Kind::End);
}

TEST_F(AnswerTest, AStreamWithoutAReasonIsNotComplete) {
  bool complete = true;
  const std::string begun =
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hi\"}]}}]}\n\n";
  EXPECT_EQ(frames(begun, complete).size(), 1u);
  EXPECT_FALSE(complete);
  frames(begun + "data: {\"candidates\":[{\"finishReason\":\"STOP\"}", complete);
  EXPECT_FALSE(complete) << "cut inside its last event";
}

TEST_F(AnswerTest, APromptThatWasRefusedIsAnEnd) {
  bool complete = false;
  const auto all = frames("data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}\n\n", complete);
  EXPECT_TRUE(complete);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].events[0].stop, Stop::Filtered);
}

TEST_F(AnswerTest, AnErrorInTheStreamIsOne) {
  bool complete = false;
  const auto all =
      frames("data: {\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}\n\n", complete);
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].kind, Frame::Kind::Error);
  EXPECT_EQ(kDialect.classify(500, {}, all[0].data).kind, ErrorKind::Overloaded);
}

TEST_F(AnswerTest, ClassifiesByWhatTheDetailsSay) {
  const Error minute = classify(429, R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED",
    "message":"quota","details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure",
      "violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"55.5s"}]}})");
  EXPECT_EQ(minute.kind, ErrorKind::RateLimited);
  EXPECT_EQ(minute.retry_after, milliseconds(55'500));
  EXPECT_TRUE(minute.retryable);
  EXPECT_EQ(classify(429, R"({"error":{"status":"RESOURCE_EXHAUSTED","details":[{"violations":[
    {"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}})")
                .kind,
            ErrorKind::QuotaExhausted);
  const Error key = classify(400, R"({"error":{"status":"INVALID_ARGUMENT",
    "message":"API key not valid.","details":[{"reason":"API_KEY_INVALID"}]}})");
  EXPECT_EQ(key.code, "upstream_auth");
  EXPECT_TRUE(key.retryable);
  EXPECT_EQ(key.message.find("API key"), std::string::npos) << "our account is not the caller's";
  const Error request = classify(400, R"({"error":{"status":"INVALID_ARGUMENT","message":"bad"}})");
  EXPECT_EQ(request.kind, ErrorKind::InvalidRequest);
  EXPECT_EQ(request.message, "bad");
  EXPECT_FALSE(request.retryable);
  EXPECT_EQ(classify(400, R"({"error":{"message":"The input token count (9) exceeds the maximum )"
                          R"(number of tokens allowed (8)."}})")
                .kind,
            ErrorKind::ContextTooLong);
  EXPECT_EQ(classify(404, "{}").kind, ErrorKind::NotFound);
  EXPECT_EQ(classify(503, R"([{"error":{"status":"UNAVAILABLE"}}])").kind, ErrorKind::Overloaded);
  EXPECT_EQ(classify(504, "no JSON").kind, ErrorKind::Timeout);
}

TEST_F(AnswerTest, ErrorsSayHowLongToWait) {
  Error error;
  error.kind = ErrorKind::RateLimited;
  error.message = "Too many.";
  error.retry_after = milliseconds(1500);
  const std::string body = kDialect.error_body(error, "req_1");
  EXPECT_NE(body.find(R"("code":429,"message":"Too many.","status":"RESOURCE_EXHAUSTED")"),
            body.npos)
      << body;
  EXPECT_NE(body.find(R"("retryDelay":"2s")"), body.npos) << body;
  EXPECT_EQ(*classify(429, body).retry_after, milliseconds(2000));
}

TEST_F(AnswerTest, EmbeddingsKeepTheirNumbers) {
  const auto answer = kDialect.decode_vectors(
      padded(R"({"embeddings":[{"values":[0.1, -2.5e-3]},{"values":[1,0.3333333333333333]}]})"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->vectors, (std::vector<RawJson>{"[0.1, -2.5e-3]", "[1,0.3333333333333333]"}));
  const auto batch = operation(OperationKind::Embeddings, kEmbedBatch);
  EXPECT_EQ(kDialect.encode_vectors(batch, {}, *answer),
            R"({"embeddings":[{"values":[0.1, -2.5e-3]},{"values":[1,0.3333333333333333]}]})");
  const auto one = operation(OperationKind::Embeddings, kEmbed);
  EXPECT_EQ(kDialect.encode_vectors(one, {}, *answer),
            R"({"embedding":{"values":[0.1, -2.5e-3]}})");
  for (const std::string body : {R"({})", R"({"embeddings":[]})", R"({"embedding":{}})", "x"}) {
    EXPECT_FALSE(kDialect.decode_vectors(padded(body))) << body;
  }
}

TEST_F(AnswerTest, BothFormsOfARequestForEmbeddingsAreRead) {
  operation_ = operation(OperationKind::Embeddings, kEmbed);
  ASSERT_TRUE(read(R"({"content":{"parts":[{"text":"a"},{"text":"b"}]},"taskType":"CLUSTERING",
    "output_dimensionality":8})"));
  const auto one = kDialect.decode_embedding(operation_, Request(index_));
  ASSERT_TRUE(one) << one.error().message;
  EXPECT_EQ(one->inputs, std::vector<std::string>{"ab"});
  EXPECT_EQ(one->dimensions, 8u);
  ASSERT_EQ(one->others.size(), 1u);
  EXPECT_TRUE(one->others[0].hint);
  LeftOut left_out;
  EXPECT_EQ(*kDialect.encode_embedding(*one, "e", left_out),
            R"({"requests":[{"model":"models/e","content":{"parts":[{"text":"ab"}]},)"
            R"("outputDimensionality":8}]})");
  ASSERT_TRUE(read(R"({"content":{"parts":[{"inlineData":{"data":"QUJD"}}]}})"));
  const auto image = kDialect.decode_embedding(operation_, Request(index_));
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().param, "content");
}

}  // namespace
}  // namespace causeway::gemini
