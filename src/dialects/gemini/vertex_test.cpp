// What Vertex AI wants otherwise than the Gemini API.
#include "dialects/gemini/vertex.h"

#include "dialects/gemini/test_support.h"

namespace causeway::gemini {
namespace {

class VertexDialectTest : public testing::DialectTest {
 protected:
  std::string addressed(const std::string& body, OperationKind kind) {
    operation_ = operation(kind, kind == OperationKind::Chat ? kGenerate : kCount);
    EXPECT_TRUE(read(body));
    Request request(index_);
    vertex_.address(operation_, "gemini-x", false, request);
    return request.joined();
  }

  std::string embedding(const EmbeddingRequest& request, std::string_view model) {
    left_out_ = {};
    return *vertex_.encode_embedding(request, model, left_out_);
  }

  const VertexDialect vertex_{kDialect};
};

TEST_F(VertexDialectTest, TakesWhatIsTheSameAtBoth) {
  EXPECT_TRUE(vertex_.takes(operation(OperationKind::Chat, kGenerate)));
  EXPECT_TRUE(vertex_.takes(operation(OperationKind::CountTokens, kCount)));
  EXPECT_FALSE(vertex_.takes(operation(OperationKind::Embeddings, kEmbed)));
  EXPECT_FALSE(vertex_.takes(Operation{}));
}

TEST_F(VertexDialectTest, BodiesNameNoModel) {
  EXPECT_EQ(addressed(R"({"model":"models/m","contents":[{"role":"user","parts":[]}]})",
                      OperationKind::Chat),
            R"({"contents":[{"role":"user","parts":[]}]})");
  EXPECT_EQ(addressed(R"({ "contents": [{"parts":[],"role":"user"}] })", OperationKind::Chat),
            R"({ "contents": [{"parts":[],"role":"user"}] })");
  EXPECT_EQ(addressed(R"({"generateContentRequest":{"model":"models/m",)"
                      R"("contents":[{"role":"user","parts":[]}],"tools":[]}})",
                      OperationKind::CountTokens),
            R"({"contents":[{"role":"user","parts":[]}],"tools":[]})");
}

TEST_F(VertexDialectTest, EveryContentNamesItsRole) {
  EXPECT_EQ(
      addressed(R"({"contents":[{"parts":[]},{"role":"model","parts":[]},{ }]})",
                OperationKind::Chat),
      R"({"contents":[{"role":"user","parts":[]},{"role":"model","parts":[]},{"role":"user" }]})");
  EXPECT_EQ(addressed(R"({"contents":{"parts":[]},"model":"m"})", OperationKind::CountTokens),
            R"({"contents":{"role":"user","parts":[]}})");
  EXPECT_EQ(addressed(R"({"generateContentRequest":{"contents":[{"parts":[]}]}})",
                      OperationKind::CountTokens),
            R"({"contents":[{"role":"user","parts":[]}]})");
}

TEST_F(VertexDialectTest, WhatWasEditedIsWhatIsCounted) {
  operation_ = operation(OperationKind::CountTokens, kCount);
  ASSERT_TRUE(read(R"({"generateContentRequest":{"contents":[{"parts":[{"text":"secret"}]}]}})"));
  Request request(index_);
  request.text(0).set("masked");
  vertex_.address(operation_, "gemini-x", false, request);
  EXPECT_EQ(request.joined(), R"({"contents":[{"role":"user","parts":[{"text":"masked"}]}]})");
}

TEST_F(VertexDialectTest, OlderModelsEmbedByPrediction) {
  EmbeddingRequest request{
      .model = "m", .inputs = {"a", "b"}, .dimensions = 3, .user = "", .others = {}};
  request.others = {{"taskType", R"("CLUSTERING")", true}, {"title", R"("t")", true}};
  EXPECT_EQ(
      embedding(request, "text-embedding-005"),
      R"({"instances":[{"content":"a","task_type":"CLUSTERING"},)"
      R"({"content":"b","task_type":"CLUSTERING"}],"parameters":{"outputDimensionality":3}})");
  EXPECT_EQ(left_out_.hints, std::vector<std::string>{"title"}) << "a title belongs to one text";
  request.inputs.pop_back();
  EXPECT_NE(embedding(request, "text-embedding-005").find(R"("title":"t")"), std::string::npos);
}

TEST_F(VertexDialectTest, GeminisEmbedByTheirOwnMethods) {
  EmbeddingRequest request{
      .model = "m", .inputs = {"a"}, .dimensions = {}, .user = "u", .others = {}};
  request.others = {{"taskType", "", true}, {"odd", "1", false}};
  EXPECT_EQ(embedding(request, "gemini-embedding-001"),
            R"({"content":{"parts":[{"text":"a"}]},"embedContentConfig":{}})");
  EXPECT_EQ(left_out_.hints, (std::vector<std::string>{"user", "taskType"}));
  EXPECT_EQ(left_out_.fields, std::vector<std::string>{"odd"});
  request.inputs.emplace_back("b");
  EXPECT_EQ(embedding(request, "gemini-embedding-001"),
            R"({"requests":[{"content":{"parts":[{"text":"a"}]},"embedContentConfig":{}},)"
            R"({"content":{"parts":[{"text":"b"}]},"embedContentConfig":{}}]})");
}

TEST_F(VertexDialectTest, TaskTypesThatDifferAreNobodys) {
  operation_ = operation(OperationKind::Embeddings, kEmbedBatch);
  ASSERT_TRUE(read(R"({"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"CLUSTERING"},
    {"content":{"parts":[{"text":"b"}]},"taskType":"FACT_VERIFICATION"}]})"));
  const auto request = kDialect.decode_embedding(operation_, Request(index_));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(embedding(*request, "text-embedding-005").find("task_type"), std::string::npos);
  EXPECT_EQ(left_out_.hints, std::vector<std::string>{"taskType"});
}

TEST_F(VertexDialectTest, ReadsBothFormsOfVectors) {
  const auto predicted = vertex_.decode_vectors(padded(
      R"({"predictions":[{"embeddings":{"values":[1,2],"statistics":{"token_count":3}}},
          {"embeddings":{"statistics":{"token_count":4},"values":[3]}}]})"));
  ASSERT_TRUE(predicted);
  EXPECT_EQ(predicted->vectors, (std::vector<std::string>{"[1,2]", "[3]"}));
  EXPECT_EQ(predicted->usage.input(), 7u);
  const auto embedded = vertex_.decode_vectors(
      padded(R"({"embedding":{"values":[5]},"usageMetadata":{"promptTokenCount":2}})"));
  ASSERT_TRUE(embedded);
  EXPECT_EQ(embedded->vectors, std::vector<std::string>{"[5]"});
  EXPECT_EQ(embedded->usage.input(), 2u);
  for (const char* none :
       {"{}", "[]", "", R"({"predictions":[]})", R"({"predictions":[{"embeddings":4}]})"}) {
    EXPECT_FALSE(vertex_.decode_vectors(padded(none))) << none;
  }
}

}  // namespace
}  // namespace causeway::gemini
