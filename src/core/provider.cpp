#include "core/provider.h"

namespace causeway {

OperationPaths::OperationPaths(std::string_view base, const Dialect& dialect) {
  for (std::size_t i = 0; i < kOperationKinds; ++i) {
    Operation operation;
    operation.kind = static_cast<OperationKind>(i);
    paths_[i] = std::string(base) + std::string(dialect.upstream_path(operation));
  }
}

Result<Call> Provider::address(const Exchange&, Attempt&) const {
  return fail(ErrorKind::Internal, Origin::Us, "this provider has only the form that waits");
}

Task<Result<Call>> Provider::wait_address(Exchange& exchange, Attempt& attempt) const {
  co_return address(exchange, attempt);
}

Task<std::optional<TokenCount>> Provider::count_tokens(Exchange&, const Target&, Chat) const {
  co_return std::nullopt;
}

}  // namespace causeway
