#include "core/operation.h"

#include <algorithm>

namespace causeway {

std::string_view to_string(OperationKind kind) {
  switch (kind) {
    case OperationKind::Chat:
      return "chat";
    case OperationKind::Completion:
      return "text_completion";
    case OperationKind::Embeddings:
      return "embeddings";
    case OperationKind::ListModels:
      return "list_models";
    case OperationKind::GetModel:
      return "get_model";
    case OperationKind::Refused:
      return "refused";
    case OperationKind::Health:
      return "health";
  }
  return "other";
}

void Operations::add(Operation operation) { operations_.push_back(std::move(operation)); }

Operations::Match Operations::find(http::Method method, std::string_view path) const {
  Match match;
  for (const auto& operation : operations_) {
    std::string_view argument;
    if (operation.path.ends_with('*')) {
      const std::string_view prefix(operation.path.data(), operation.path.size() - 1);
      if (!path.starts_with(prefix) || path.size() == prefix.size()) continue;
      argument = path.substr(prefix.size());
    } else if (operation.path != path) {
      continue;
    }
    const bool fits = operation.method == method ||
                      (operation.method == http::Method::Get && method == http::Method::Head);
    if (fits) return {&operation, argument, nullptr};
    match.other_method = &operation;
  }
  return match;
}

const Dialect* Operations::dialect_of(std::string_view path) const {
  const Dialect* best = operations_.empty() ? nullptr : operations_.front().dialect;
  std::size_t longest = 0;
  for (const auto& operation : operations_) {
    const auto [a, b] =
        std::mismatch(path.begin(), path.end(), operation.path.begin(), operation.path.end());
    (void)b;
    const auto common = static_cast<std::size_t>(a - path.begin());
    if (common > longest) {
      longest = common;
      best = operation.dialect;
    }
  }
  return best;
}

}  // namespace causeway
