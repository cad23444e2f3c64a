// Gemini's wire format: generateContent and its stream, the model in the path, no terminal mark.
// Source: the Gemini API reference of Google, version v1beta.
#pragma once

#include "core/dialect.h"

namespace causeway::gemini {

class GeminiDialect final : public Dialect {
 public:
  std::string_view name() const override { return "gemini"; }
  void operations(Operations& table) const override;
  Result<void> check_head(const Operation& operation, const http::RequestHead& head) const override;
  Result<void> read(const Operation& operation, std::string_view argument, std::string_view body,
                    RequestIndex& index) const override;
  void address(const Operation&, std::string_view, bool, Request&) const override {}  // in the path
  std::string_view upstream_path(const Operation&) const override { return "/models"; }
  std::span<const std::string_view> request_fields() const override;
  std::span<const std::string_view> answer_fields() const override { return {}; }
  std::unique_ptr<AnswerReader> reader(const Operation& operation) const override;
  std::unique_ptr<AnswerWriter> writer(const Operation& operation,
                                       WriterSettings settings) const override;
  std::string error_body(const Error& error, std::string_view request_id) const override;
  Error classify(int status, std::span<const http::Field> fields,
                 std::string_view body) const override;
  bool translates(OperationKind kind) const override { return kind == OperationKind::Chat; }
  Result<Chat> decode(const Operation& operation, const Request& request) const override;
  Result<std::string> encode(const Chat& chat, std::string_view upstream_model,
                             LeftOut& left_out) const override;
  std::unique_ptr<EventDecoder> decoder(bool streamed) const override;
  std::unique_ptr<EventEncoder> encoder(const EncoderSettings& settings) const override;
  std::string tokens_body(std::uint64_t tokens) const override;
  std::string models_body(std::span<const ModelCard> models) const override;
  std::string model_body(const ModelCard& model) const override;
};

/// Of a path behind ":": which method of a model is called.
inline constexpr std::string_view kGenerate = ":generateContent";
inline constexpr std::string_view kStream = ":streamGenerateContent";
inline constexpr std::string_view kCount = ":countTokens";

}  // namespace causeway::gemini
