#include "features/traffic/routing/asked.h"

#include <algorithm>

namespace causeway::routing {
namespace {

bool is_asked(const Where& where) {
  return (where.role == Role::User && where.kind == TextKind::Content) ||
         where.kind == TextKind::Prompt;
}

}  // namespace

std::string_view question_of(Request& request, std::string& joined) {
  const auto texts = request.texts();
  const auto last = std::find_if(texts.rbegin(), texts.rend(),
                                 [](const Text& text) { return is_asked(text.where()); });
  if (last == texts.rend()) return {};
  const auto message = last->where().message;
  const auto of_last = [&](const Text& text) {
    return is_asked(text.where()) && text.where().message == message;
  };
  if (std::ranges::count_if(texts, of_last) == 1) return last->get();
  joined.clear();
  for (const Text& text : texts) {
    if (!of_last(text)) continue;
    if (!joined.empty()) joined += '\n';
    joined += text.get();
  }
  return joined;
}

ChatShape shape_of(std::string_view question, const RequestIndex& index, bool schema) {
  ChatShape chat{.question = question, .bytes = question.size(), .turns = 0};
  chat.tools = index.has_tools;
  chat.schema = schema;
  const auto last = std::find_if(index.texts.rbegin(), index.texts.rend(),
                                 [](const auto& text) { return is_asked(text.where); });
  for (const auto& text : index.texts) {
    const bool spoken = text.where.role == Role::User || text.where.role == Role::Assistant;
    const bool asked = last != index.texts.rend() && text.where.message == last->where.message;
    if (spoken && !asked) chat.bytes += text.value.end - text.value.begin;
  }
  for (const auto& message : index.messages) chat.turns += message.role == Role::User;
  return chat;
}

}  // namespace causeway::routing
