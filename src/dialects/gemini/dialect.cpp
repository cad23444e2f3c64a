#include "dialects/gemini/dialect.h"

#include <array>

#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

constexpr std::array<std::string_view, 2> kRequestFields = {"x-goog-api-client",
                                                            "x-server-timeout"};

// The current official client goes to /v1beta, an older one and some settings of it to /v1.
constexpr std::array<std::string_view, 2> kVersions = {"/v1beta", "/v1"};

void write_model(text::JsonWriter& json, const ModelCard& model) {
  json.begin_object().field("name", "models/" + std::string(model.id));
  json.field("baseModelId", model.id).field("displayName", model.id);
  json.key("supportedGenerationMethods").raw(R"(["generateContent","countTokens"])");
  json.end_object();
}

}  // namespace

void GeminiDialect::operations(Operations& table) const {
  using http::Method;
  for (const auto version : kVersions) {
    const std::string models = std::string(version) + "/models/*";
    const auto add = [&](std::string_view method, OperationKind kind) {
      table.add({Method::Post, models + std::string(method), kind, BodyKind::Json, this, {}, {}});
    };
    add(kGenerate, OperationKind::Chat);
    add(kStream, OperationKind::Chat);
    add(kCount, OperationKind::CountTokens);
    for (const char* method : {":embedContent", ":batchEmbedContents"}) {
      table.add({Method::Post,
                 models + method,
                 OperationKind::Refused,
                 BodyKind::None,
                 this,
                 "Ask for embeddings with POST /v1/embeddings.",
                 {}});
    }
  }
  // The lists under /v1 are OpenAI's.
  table.add(
      {Method::Get, "/v1beta/models", OperationKind::ListModels, BodyKind::None, this, {}, {}});
  table.add(
      {Method::Get, "/v1beta/models/*", OperationKind::GetModel, BodyKind::None, this, {}, {}});
}

Result<void> GeminiDialect::check_head(const Operation& operation,
                                       const http::RequestHead& head) const {
  if (!operation.path.ends_with(kStream) || head.query.find("alt=sse") != head.query.npos)
    return {};
  return fail(ErrorKind::NotImplemented, Origin::Us,
              "Streams are served as server-sent events only: add ?alt=sse.");
}

std::span<const std::string_view> GeminiDialect::request_fields() const { return kRequestFields; }

std::string GeminiDialect::tokens_body(std::uint64_t tokens) const {
  std::string out;
  text::JsonWriter(out).begin_object().field("totalTokens", tokens).end_object();
  return out;
}

std::string GeminiDialect::models_body(std::span<const ModelCard> models) const {
  std::string out;
  text::JsonWriter json(out);
  json.begin_object().key("models").begin_array();
  for (const auto& model : models) write_model(json, model);
  json.end_array().end_object();
  return out;
}

std::string GeminiDialect::model_body(const ModelCard& model) const {
  std::string out;
  text::JsonWriter json(out);
  write_model(json, model);
  return out;
}

}  // namespace causeway::gemini
