// Amazon Bedrock's Converse and ConverseStream, as targets speak it: no application calls in it.
// Source: the service model of bedrock-runtime, version 2023-09-30, as AWS's SDKs have it.
#pragma once

#include "core/dialect.h"

namespace causeway::converse {

class ConverseDialect final : public Dialect {
 public:
  std::string_view name() const override { return "converse"; }
  void operations(Operations&) const override {}
  Result<void> read(const Operation& operation, std::string_view argument, std::string_view body,
                    RequestIndex& index) const override;
  void address(const Operation&, std::string_view, bool, Request&) const override {}
  /// Depends on the model.
  std::string_view upstream_path(const Operation&) const override { return {}; }
  std::string_view stream_type() const override { return "application/vnd.amazon.eventstream"; }
  std::span<const std::string_view> request_fields() const override { return {}; }
  std::span<const std::string_view> answer_fields() const override { return {}; }
  std::unique_ptr<AnswerReader> reader(const Operation&) const override { return nullptr; }
  std::unique_ptr<AnswerWriter> writer(const Operation&, WriterSettings) const override {
    return nullptr;
  }
  std::string error_body(const Error& error, std::string_view request_id) const override;
  Error classify(int status, std::span<const http::Field> fields,
                 std::string_view body) const override;
  bool translates(OperationKind kind) const override { return kind == OperationKind::Chat; }
  Result<std::string> encode(const Chat& chat, std::string_view upstream_model,
                             LeftOut& left_out) const override;
  std::unique_ptr<EventDecoder> decoder(bool streamed) const override;
  std::string models_body(std::span<const ModelCard>) const override { return {}; }
  std::string model_body(const ModelCard&) const override { return {}; }
};

/// What an exception of the service means, in an answer of its own or inside a stream. `type` as in
/// x-amzn-errortype or :exception-type; status 0 inside a stream.
Error classify_exception(std::string_view type, int status, std::string_view body);

}  // namespace causeway::converse
