#include "dialects/anthropic/vertex.h"

#include <array>

#include "dialects/anthropic/request_encoder.h"

namespace causeway::anthropic {
namespace {

constexpr std::string_view kVersion = "vertex-2023-10-16";

// A count needs none of the betas, and is refused for one that its server does not know yet.
constexpr std::array<std::string_view, 1> kRefusedByCounts = {"anthropic-beta"};

}  // namespace

void VertexDialect::address(const Operation& operation, std::string_view upstream_model, bool,
                            Request& request) const {
  request.set_member("anthropic_version", encode_json_string(kVersion));
  // The path of a count is the same for all models.
  if (operation.kind == OperationKind::CountTokens) {
    request.set_member("model", encode_json_string(upstream_model));
  } else {
    request.remove_member("model");
  }
}

std::span<const std::string_view> VertexDialect::refused_fields(const Operation& operation) const {
  if (operation.kind == OperationKind::CountTokens) return kRefusedByCounts;
  return {};
}

Result<std::string> VertexDialect::encode(const Chat& chat, std::string_view upstream_model,
                                          LeftOut& left_out) const {
  return encode_messages(chat, upstream_model, {"anthropic_version", kVersion}, left_out);
}

}  // namespace causeway::anthropic
