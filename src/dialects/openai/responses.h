// OpenAI's Responses API, stateless: POST /v1/responses and its /input_tokens. Its errors and
// models are those of the rest of OpenAI's dialect. Source: OpenAI's published API specification,
// version 2.3.0.
#pragma once

#include "dialects/openai/dialect.h"

namespace causeway::openai {

class ResponsesDialect final : public OpenAiDialect {
 public:
  std::string_view name() const override { return "openai-responses"; }
  void operations(Operations& table) const override;
  Result<void> read(const Operation& operation, std::string_view argument, std::string_view body,
                    RequestIndex& index) const override;
  void address(const Operation& operation, std::string_view upstream_model, bool ask_for_usage,
               Request& request) const override;
  std::string_view upstream_path(const Operation& operation) const override;
  std::unique_ptr<LogprobReader> logprob_reader() const override { return nullptr; }
  std::unique_ptr<AnswerReader> reader(const Operation& operation) const override;
  std::unique_ptr<AnswerWriter> writer(const Operation& operation,
                                       WriterSettings settings) const override;
  Result<Chat> decode(const Operation& operation, const Request& request) const override;
  /// No provider is asked in this dialect for the sake of another one: chat completions say as
  /// much.
  Result<std::string> encode(const Chat& chat, std::string_view upstream_model,
                             LeftOut& left_out) const override {
    return Dialect::encode(chat, upstream_model, left_out);
  }
  std::unique_ptr<EventDecoder> decoder(bool) const override { return nullptr; }
  std::string tokens_body(std::uint64_t tokens) const override;
  std::unique_ptr<EventEncoder> encoder(const EncoderSettings& settings) const override;
};

/// A lane of this dialect: which output item, and which part of it. An item has few parts.
constexpr std::uint16_t lane_item(std::uint32_t output_index, std::uint32_t part) {
  return static_cast<std::uint16_t>(output_index << 4 | (part & 15));
}

}  // namespace causeway::openai
