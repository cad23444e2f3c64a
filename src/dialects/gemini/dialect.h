// Gemini's wire format: generateContent and its stream, embeddings, counts of tokens; the model
// stands in the path, streams have no terminal mark. Source: the Gemini API reference of Google,
// version v1beta, and its official clients.
#pragma once

#include "core/dialect.h"

namespace causeway::gemini {

class GeminiDialect : public Dialect {
 public:
  std::string_view name() const override { return "gemini"; }
  void operations(Operations& table) const override;
  Result<void> check_head(const Operation& operation, const http::RequestHead& head) const override;
  Result<void> read(const Operation& operation, std::string_view argument, std::string_view body,
                    RequestIndex& index) const override;
  /// The model stands in the path; where the body repeats it, it must say the same.
  void address(const Operation& operation, std::string_view upstream_model, bool ask_for_usage,
               Request& request) const override;
  std::string_view upstream_path(const Operation&) const override { return "/models"; }
  std::span<const std::string_view> request_fields() const override;
  std::span<const std::string_view> answer_fields() const override { return {}; }
  std::unique_ptr<AnswerReader> reader(const Operation& operation) const override;
  std::unique_ptr<AnswerWriter> writer(const Operation& operation,
                                       WriterSettings settings) const override;
  std::string error_body(const Error& error, std::string_view request_id) const override;
  std::string_view key_parameter() const override { return "key"; }
  Error classify(int status, std::span<const http::Field> fields,
                 std::string_view body) const override;
  bool translates(OperationKind kind) const override {
    return kind == OperationKind::Chat || kind == OperationKind::Embeddings;
  }
  Result<Chat> decode(const Operation& operation, const Request& request) const override;
  Result<std::string> encode(const Chat& chat, std::string_view upstream_model,
                             LeftOut& left_out) const override;
  std::unique_ptr<EventDecoder> decoder(bool streamed) const override;
  std::unique_ptr<EventEncoder> encoder(const EncoderSettings& settings) const override;
  Result<EmbeddingRequest> decode_embedding(const Operation& operation,
                                            const Request& request) const override;
  Result<std::string> encode_embedding(const EmbeddingRequest& request,
                                       std::string_view upstream_model,
                                       LeftOut& left_out) const override;
  Result<EmbeddingAnswer> decode_vectors(std::string_view body) const override;
  std::string encode_vectors(const Operation& operation, const EncoderSettings& settings,
                             const EmbeddingAnswer& answer) const override;
  std::string tokens_body(std::uint64_t tokens) const override;
  std::string models_body(std::span<const ModelCard> models) const override;
  std::string model_body(const ModelCard& model) const override;
};

/// What stands behind a model's name in a path: which of its methods is called.
inline constexpr std::string_view kGenerate = ":generateContent";
inline constexpr std::string_view kStream = ":streamGenerateContent";
inline constexpr std::string_view kCount = ":countTokens";
inline constexpr std::string_view kEmbed = ":embedContent";
inline constexpr std::string_view kEmbedBatch = ":batchEmbedContents";

/// A model's name as bodies have it: "models/NAME", also where it is given so.
std::string resource_of(std::string_view model);

/// The method that a request in this dialect or translated to it calls.
std::string_view method_of(const Operation& operation, const Dialect& dialect, bool stream);

}  // namespace causeway::gemini
