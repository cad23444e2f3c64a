// Gemini's dialect as Vertex AI speaks it: bodies name no model, every content
// names its role, counts have no generateContentRequest around them, and embeddings have forms of
// their own. Source: Google's
// reference of Vertex AI, and its official client.
#pragma once

#include "dialects/gemini/dialect.h"

namespace causeway::gemini {

inline constexpr std::string_view kPredict = ":predict";

class VertexDialect final : public GeminiDialect {
 public:
  /// `plain` is what applications speak; it outlives this one.
  explicit VertexDialect(const GeminiDialect& plain) : plain_(plain) {}

  bool takes(const Operation& operation) const override {
    return operation.dialect == &plain_ && operation.kind != OperationKind::Embeddings;
  }
  void address(const Operation& operation, std::string_view upstream_model, bool ask_for_usage,
               Request& request) const override;
  Result<std::string> encode_embedding(const EmbeddingRequest& request,
                                       std::string_view upstream_model,
                                       LeftOut& left_out) const override;
  Result<EmbeddingAnswer> decode_vectors(std::string_view body) const override;

 private:
  const GeminiDialect& plain_;
};

/// The method that embeds `inputs` texts: models named Gemini have the Gemini API's, older ones
/// Vertex AI's own.
std::string_view embedding_method(std::string_view model, std::size_t inputs);

}  // namespace causeway::gemini
