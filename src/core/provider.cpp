#include "core/provider.h"

namespace causeway {

OperationPaths::OperationPaths(std::string_view base, const Dialect& dialect) {
  for (std::size_t i = 0; i < kOperationKinds; ++i) {
    Operation operation;
    operation.kind = static_cast<OperationKind>(i);
    paths_[i] = std::string(base) + std::string(dialect.upstream_path(operation));
  }
}

}  // namespace causeway
