// The OpenAI wire format: chat completions, completions, embeddings, models; streams as server-sent
// events ended by [DONE]. Source: OpenAI's published API specification, version 2.3.0.
#pragma once

#include "core/dialect.h"

namespace causeway::openai {

class OpenAiDialect : public Dialect {
 public:
  std::string_view name() const override { return "openai"; }
  void operations(Operations& table) const override;
  Result<void> read(const Operation& operation, std::string_view argument, std::string_view body,
                    RequestIndex& index) const override;
  Result<std::size_t> read_form(const Operation& operation, std::span<const http::FormPart> parts,
                                RequestIndex& index) const override;
  void address(const Operation& operation, std::string_view upstream_model, bool ask_for_usage,
               Request& request) const override;
  std::string_view upstream_path(const Operation& operation) const override;
  std::span<const std::string_view> request_fields() const override;
  std::span<const std::string_view> answer_fields() const override;
  std::unique_ptr<LogprobReader> logprob_reader() const override;
  void ask_for_logprobs(Request& request) const override;
  bool wants_logprobs(const RequestIndex& index) const override;
  std::unique_ptr<AnswerReader> reader(const Operation& operation) const override;
  std::unique_ptr<AnswerWriter> writer(const Operation& operation,
                                       WriterSettings settings) const override;
  std::string error_body(const Error& error, std::string_view request_id) const override;
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
  std::string models_body(std::span<const ModelCard> models) const override;
  std::string model_body(const ModelCard& model) const override;
};

}  // namespace causeway::openai
