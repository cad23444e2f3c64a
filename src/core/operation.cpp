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
    case OperationKind::CountTokens:
      return "count_tokens";
    case OperationKind::Moderation:
      return "moderation";
    case OperationKind::Transcription:
      return "transcription";
    case OperationKind::Translation:
      return "translation";
    case OperationKind::PassThrough:
      return "pass_through";
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

std::optional<std::string_view> query_value(std::string_view query, std::string_view parameter) {
  while (!query.empty()) {
    const std::string_view one = query.substr(0, query.find('&'));
    if (one.size() > parameter.size() && one.starts_with(parameter) &&
        one[parameter.size()] == '=') {
      return one.substr(parameter.size() + 1);
    }
    query.remove_prefix(std::min(one.size() + 1, query.size()));
  }
  return std::nullopt;
}

void Operations::add(Operation operation) {
  const auto place = operation.only_with.empty() ? operations_.end() : operations_.begin();
  operations_.insert(place, std::move(operation));
}

namespace {

bool fits_path(std::string_view pattern, std::string_view path, std::string_view& argument) {
  const auto star = pattern.find('*');
  if (star == pattern.npos) return pattern == path;
  const auto before = pattern.substr(0, star), behind = pattern.substr(star + 1);
  if (path.size() <= before.size() + behind.size()) return false;
  if (!path.starts_with(before) || !path.ends_with(behind)) return false;
  argument = path.substr(before.size(), path.size() - before.size() - behind.size());
  return true;
}

}  // namespace

Operations::Match Operations::find(http::Method method, std::string_view path,
                                   std::span<const http::Field> fields,
                                   std::string_view query) const {
  const auto is_asked_for = [&](const Operation& operation) {
    return operation.only_with.empty() || http::find(fields, operation.only_with) ||
           (!operation.or_with.empty() && query_value(query, operation.or_with));
  };
  Match match;
  for (const auto& operation : operations_) {
    std::string_view argument;
    if (!fits_path(operation.path, path, argument)) continue;
    if (!is_asked_for(operation)) continue;
    const bool fits = operation.method == method ||
                      (operation.method == http::Method::Get && method == http::Method::Head);
    if (fits) return {&operation, argument, nullptr};
    match.other_method = &operation;
  }
  return match;
}

const Dialect* Operations::dialect_of(std::string_view path) const {
  const Dialect* best = nullptr;
  std::size_t longest = 0;
  for (const auto& operation : operations_) {
    if (!operation.only_with.empty()) continue;
    if (!best) best = operation.dialect;
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
