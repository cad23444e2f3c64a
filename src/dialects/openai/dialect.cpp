#include "dialects/openai/dialect.h"

#include <array>

#include "dialects/openai/answer_reader.h"
#include "dialects/openai/answer_writer.h"
#include "dialects/openai/audio.h"

namespace causeway::openai {
namespace {

constexpr std::array<std::string_view, 5> kRequestFields = {
    "openai-beta", "idempotency-key", "accept-language", "tracestate", "x-client-request-id"};
constexpr std::array<std::string_view, 2> kAnswerFields = {"openai-processing-ms",
                                                           "openai-version"};

constexpr std::string_view kPassThrough =
    "A policy with pass_through opens the provider's own paths: /providers/NAME/";

// Parts of the protocol that are known but not served: a clear 501 instead of a 404.
constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kRefused = {{
    {"/v1/audio/*", kPassThrough},
    {"/v1/images/*", kPassThrough},
    {"/v1/files", "Send the contents in the request."},
    {"/v1/files/*", "Send the contents in the request."},
    {"/v1/uploads", "Send the contents in the request."},
    {"/v1/batches", "Send the requests one by one."},
    {"/v1/batches/*", "Send the requests one by one."},
    {"/v1/fine_tuning/*", kPassThrough},
    {"/v1/realtime", "Use /v1/chat/completions with \"stream\": true."},
    {"/v1/realtime/*", "Use /v1/chat/completions with \"stream\": true."},
    {"/v1/assistants", "Use /v1/chat/completions."},
}};

}  // namespace

void OpenAiDialect::operations(Operations& table) const {
  using http::Method;
  const auto add = [&](Method method, std::string path, OperationKind kind, BodyKind body) {
    table.add({method, std::move(path), kind, body, this, {}});
  };
  add(Method::Post, "/v1/chat/completions", OperationKind::Chat, BodyKind::Json);
  add(Method::Post, "/v1/completions", OperationKind::Completion, BodyKind::Json);
  add(Method::Post, "/v1/embeddings", OperationKind::Embeddings, BodyKind::Json);
  add(Method::Post, "/v1/moderations", OperationKind::Moderation, BodyKind::Json);
  add(Method::Post, "/v1/audio/transcriptions", OperationKind::Transcription, BodyKind::Multipart);
  add(Method::Post, "/v1/audio/translations", OperationKind::Translation, BodyKind::Multipart);
  add(Method::Get, "/v1/models", OperationKind::ListModels, BodyKind::None);
  add(Method::Get, "/v1/models/*", OperationKind::GetModel, BodyKind::None);
  for (const auto& [path, advice] : kRefused) {
    for (const auto method : {Method::Post, Method::Get, Method::Delete}) {
      table.add({method, std::string(path), OperationKind::Refused, BodyKind::None, this,
                 std::string(advice)});
    }
  }
}

void OpenAiDialect::address(const Operation& operation, std::string_view upstream_model,
                            bool ask_for_usage, Request& request) const {
  const auto& index = request.index();
  if (upstream_model != index.model) {
    request.set_member("model", encode_json_string(upstream_model));
  }
  const bool streams =
      operation.kind == OperationKind::Chat || operation.kind == OperationKind::Completion;
  if (!streams || !index.stream || index.usage_wanted || !ask_for_usage) return;
  const auto options = request.member("stream_options");
  if (!options || options->empty() || options->front() != '{') {
    request.set_member("stream_options", R"({"include_usage":true})");
    return;
  }
  std::string spliced(*options);
  const auto* member = index.member("stream_options");
  const auto asked = index.usage_wanted_value;
  if (!asked.empty() && options->data() == index.bytes(member->value).data()) {
    spliced.replace(asked.begin - member->value.begin, asked.end - asked.begin, "true");
  } else {
    const bool empty = spliced.find_first_not_of(" \t\r\n", 1) == spliced.size() - 1;
    spliced.insert(1, empty ? R"("include_usage":true)" : R"("include_usage":true,)");
  }
  request.set_member("stream_options", std::move(spliced));
}

std::string_view OpenAiDialect::upstream_path(const Operation& operation) const {
  switch (operation.kind) {
    case OperationKind::Chat:
      return "/chat/completions";
    case OperationKind::Completion:
      return "/completions";
    case OperationKind::Embeddings:
      return "/embeddings";
    case OperationKind::Moderation:
      return "/moderations";
    case OperationKind::Transcription:
      return "/audio/transcriptions";
    case OperationKind::Translation:
      return "/audio/translations";
    default:
      return "/models";
  }
}

std::span<const std::string_view> OpenAiDialect::request_fields() const { return kRequestFields; }
std::span<const std::string_view> OpenAiDialect::answer_fields() const { return kAnswerFields; }

std::unique_ptr<AnswerReader> OpenAiDialect::reader(const Operation& operation) const {
  if (is_audio(operation.kind)) return make_transcript_reader();
  return make_answer_reader(operation);
}

std::unique_ptr<AnswerWriter> OpenAiDialect::writer(const Operation& operation,
                                                    WriterSettings settings) const {
  return make_answer_writer(*this, operation, settings);
}

}  // namespace causeway::openai
