// The Anthropic wire format: messages, token counts, models; streams as named server-sent events.
// Source: Anthropic's published API reference (versions 2023-06-01 and 2026-10-21, which have the
// same form) and its official clients.
#pragma once

#include "core/dialect.h"

namespace causeway::anthropic {

class AnthropicDialect : public Dialect {
 public:
  std::string_view name() const override { return "anthropic"; }
  void operations(Operations& table) const override;
  Result<void> read(const Operation& operation, std::string_view argument, std::string_view body,
                    RequestIndex& index) const override;
  void address(const Operation& operation, std::string_view upstream_model, bool ask_for_usage,
               Request& request) const override;
  std::string_view upstream_path(const Operation& operation) const override;
  std::span<const std::string_view> request_fields() const override;
  std::span<const std::string_view> answer_fields() const override;
  std::unique_ptr<AnswerReader> reader(const Operation& operation) const override;
  std::unique_ptr<AnswerWriter> writer(const Operation& operation,
                                       WriterSettings settings) const override;
  std::string error_body(const Error& error, std::string_view request_id) const override;
  std::string_view id_field() const override { return "request-id"; }
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

}  // namespace causeway::anthropic
