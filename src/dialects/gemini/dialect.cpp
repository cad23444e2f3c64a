#include "dialects/gemini/dialect.h"

#include <array>

#include "platform/json/on_demand.h"
#include "platform/text/json_writer.h"

namespace causeway::gemini {
namespace {

constexpr std::array<std::string_view, 2> kRequestFields = {"x-goog-api-client",
                                                            "x-server-timeout"};

// The current official client goes to /v1 by default, everybody else to /v1beta.
constexpr std::array<std::string_view, 2> kVersions = {"/v1beta", "/v1"};
constexpr std::string_view kKeyField = "x-goog-api-key";  // of Google's clients

constexpr std::array<std::pair<std::string_view, OperationKind>, 5> kMethods = {{
    {kGenerate, OperationKind::Chat},
    {kStream, OperationKind::Chat},
    {kCount, OperationKind::CountTokens},
    {kEmbed, OperationKind::Embeddings},
    {kEmbedBatch, OperationKind::Embeddings},
}};

// Parts of the protocol that are known but not served: a clear 501 instead of a 404.
constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kRefused = {{
    {"/v1beta/files", "Send the contents in the request, as inlineData."},
    {"/v1beta/files/*", "Send the contents in the request, as inlineData."},
    {"/upload/*", "Send the contents in the request, as inlineData."},
    {"/v1beta/cachedContents", "Send the contents in the request."},
    {"/v1beta/models/*:batchGenerateContent", "Send the requests one by one."},
    {"/ws/*", "Use :streamGenerateContent."},
}};

void write_model(text::JsonWriter& json, const ModelCard& model) {
  json.begin_object().field("name", "models/" + std::string(model.id));
  json.field("version", "1").field("displayName", model.id);
  json.key("supportedGenerationMethods").begin_array();
  for (const auto method : {kGenerate, kStream, kCount}) json.string(method.substr(1));
  json.end_array().end_object();
}

// Every model's name in a body, or in each of a list of bodies, becomes `model`.
std::string with_model(std::string_view raw, const std::string& model) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  if (parser.parse(simdjson::padded_string(raw)).get(root)) return std::string(raw);
  std::string out;
  text::JsonWriter json(out);
  const auto write = [&](simdjson::dom::object object) {
    json.begin_object();
    for (const auto& [key, value] : object) {
      json.key(std::string_view(key));
      if (key == "model") {
        json.string(model);
      } else {
        json.raw(simdjson::minify(value));
      }
    }
    json.end_object();
  };
  simdjson::dom::object object;
  simdjson::dom::array array;
  if (!root.get_object().get(object)) {
    write(object);
  } else if (!root.get_array().get(array)) {
    json.begin_array();
    for (const auto element : array) {
      if (!element.get_object().get(object)) write(object);
    }
    json.end_array();
  } else {
    return std::string(raw);
  }
  return out;
}

}  // namespace

std::string resource_of(std::string_view model) {
  const bool is_one = model.starts_with("models/") || model.starts_with("tunedModels/");
  return is_one ? std::string(model) : "models/" + std::string(model);
}

std::string_view method_of(const Operation& operation, const Dialect& dialect, bool stream) {
  switch (operation.kind) {
    case OperationKind::CountTokens:
      return kCount;
    case OperationKind::Embeddings:
      return operation.dialect == &dialect && operation.path.ends_with(kEmbed) ? kEmbed
                                                                               : kEmbedBatch;
    default:
      return stream ? kStream : kGenerate;
  }
}

void GeminiDialect::operations(Operations& table) const {
  using http::Method;
  for (const auto version : kVersions) {
    const std::string models = std::string(version) + "/models/*";
    for (const auto& [method, kind] : kMethods) {
      table.add({Method::Post, models + std::string(method), kind, BodyKind::Json, this, {}, {}});
    }
  }
  for (const auto& [path, advice] : kRefused) {
    for (const auto method : {Method::Post, Method::Get, Method::Delete}) {
      table.add({method,
                 std::string(path),
                 OperationKind::Refused,
                 BodyKind::None,
                 this,
                 std::string(advice),
                 {}});
    }
  }
  // The lists under /v1 are OpenAI's but for Google's clients.
  for (const auto version : kVersions) {
    const std::string models = std::string(version) + "/models";
    const std::string field(version == "/v1" ? kKeyField : "");
    const std::string key(version == "/v1" ? key_parameter() : "");
    const auto add = [&](const std::string& path, OperationKind kind) {
      table.add({Method::Get, path, kind, BodyKind::None, this, {}, field, key});
    };
    add(models, OperationKind::ListModels);
    add(models + "/*", OperationKind::GetModel);
  }
}

Result<void> GeminiDialect::check_head(const Operation& operation,
                                       const http::RequestHead& head) const {
  const std::string query = "&" + std::string(head.query) + "&";
  if (!operation.path.ends_with(kStream) || query.find("&alt=sse&") != query.npos) return {};
  return fail(ErrorKind::NotImplemented, Origin::Us,
              "Streams are served as server-sent events only: add ?alt=sse.");
}

void GeminiDialect::address(const Operation&, std::string_view upstream_model, bool,
                            Request& request) const {
  const std::string model = resource_of(upstream_model);
  if (request.member("model")) request.set_member("model", encode_json_string(model));
  for (const char* name : {"requests", "generateContentRequest", "generate_content_request"}) {
    const auto inner = request.member(name);
    if (!inner || inner->find("\"model\"") == inner->npos) continue;
    request.set_member(name, with_model(*inner, model));
  }
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
