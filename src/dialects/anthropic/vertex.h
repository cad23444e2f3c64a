// The Messages API as Google's Vertex AI serves it: the model stands in the path, and the body says
// which form it has. Source: Google's pages on Claude, and Anthropic's official client for it.
#pragma once

#include "dialects/anthropic/dialect.h"

namespace causeway::anthropic {

class VertexDialect final : public AnthropicDialect {
 public:
  /// `plain` is what applications speak; it outlives this one.
  explicit VertexDialect(const AnthropicDialect& plain) : plain_(plain) {}

  bool takes(const Operation& operation) const override { return operation.dialect == &plain_; }
  void address(const Operation& operation, std::string_view upstream_model, bool ask_for_usage,
               Request& request) const override;
  std::span<const std::string_view> refused_fields(const Operation& operation) const override;
  Result<std::string> encode(const Chat& chat, std::string_view upstream_model,
                             LeftOut& left_out) const override;

 private:
  const AnthropicDialect& plain_;
};

}  // namespace causeway::anthropic
