// One endpoint: method, path, dialect, kind of body. The table of all of them is the one place
// where a request's path means something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "platform/http/message.h"

namespace causeway {

class Dialect;

enum class OperationKind : std::uint8_t {
  Chat,
  Completion,
  Embeddings,
  CountTokens,
  Moderation,
  Transcription,
  Translation,  // of speech
  PassThrough,  // any path of a provider's
  ListModels,
  GetModel,
  Refused,  // known, not served: a clear 501
  Health,   // open to everybody
};

/// The value of a parameter of the query, as it stands there; nothing where it has none.
std::optional<std::string_view> query_value(std::string_view query, std::string_view parameter);

/// Value of gen_ai.operation.name.
std::string_view to_string(OperationKind kind);

/// Whether answers of this kind can be streamed event by event.
constexpr bool streams(OperationKind kind) {
  return kind == OperationKind::Chat || kind == OperationKind::Completion;
}

constexpr std::size_t kOperationKinds = 12;

enum class BodyKind : std::uint8_t {
  None,
  Json,
  Multipart,  // a form with files: kept on the disk where it is large, until it has been passed on
  Opaque,     // passed on unread, as it comes
};

struct Operation {
  http::Method method = http::Method::Post;
  std::string path;  // "/v1/models/*": the rest of the path is the argument; '*' may stand before
                     // a last part as well ("/v1beta/models/*:countTokens")
  OperationKind kind = OperationKind::Chat;
  BodyKind body = BodyKind::Json;
  const Dialect* dialect = nullptr;
  std::string refusal;      // of Refused: what is not served, and what to use instead
  std::string only_with{};  // a header field: of two dialects with the same path, the one whose
                            // clients send it; it is looked at before all others
  std::string or_with{};    // or this parameter in the query
};

class Operations {
 public:
  void add(Operation operation);

  struct Match {
    const Operation* operation = nullptr;
    std::string_view argument;  // what stands for '*', percent escapes left as they are
    const Operation* other_method = nullptr;  // the path is known with another method
  };
  Match find(http::Method method, std::string_view path, std::span<const http::Field> fields = {},
             std::string_view query = {}) const;

  /// The dialect whose errors fit this path best, also when it is not served.
  const Dialect* dialect_of(std::string_view path) const;

  const std::vector<Operation>& all() const { return operations_; }

 private:
  std::vector<Operation> operations_;
};

}  // namespace causeway
