// An answer that is given again, read as if it came from its provider.
#pragma once

#include "core/exchange.h"
#include "platform/http/client.h"

namespace causeway::exchange {

class StoredStream final : public http::ClientStream {
 public:
  /// `stored` outlives it.
  explicit StoredStream(const StoredAnswer& stored);

  const http::ResponseHead& head() const override { return head_; }
  Task<Result<std::string_view>> read() override;
  Task<Result<std::string_view>> read_all(std::size_t limit, MayHold may_hold) override;

 private:
  http::Field type_;
  http::ResponseHead head_;
  std::string_view left_;
};

}  // namespace causeway::exchange
