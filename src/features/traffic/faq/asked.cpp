#include "features/traffic/faq/asked.h"

#include <algorithm>

#include "features/traffic/faq/entry.h"

namespace causeway::faq {
namespace {

bool is_system(Role role) { return role == Role::System || role == Role::Developer; }

// A form that the answer is to have: JSON, speech, pictures.
bool wants_form(const RequestIndex& index) {
  for (const std::string_view name : {"response_format", "text", "output_config", "output_format",
                                      "generationConfig", "generation_config", "modalities"}) {
    const auto* member = index.member(name);
    if (!member) continue;
    const std::string_view value = index.bytes(member->value);
    for (const std::string_view word :
         {"json", "schema", "Schema", "grammar", "audio", "AUDIO", "IMAGE", "enum"}) {
      if (value.contains(word)) return true;
    }
  }
  return false;
}

bool is_plain(const RequestIndex& index) {
  return !index.has_tools && index.calls.empty() && !index.has_unread_content &&
         !index.unread_elsewhere && index.choices <= 1 && !wants_form(index) &&
         !index.member("cachedContent") && !index.member("audio");
}

bool asks_first(const RequestIndex& index, bool conversation) {
  if (index.messages.empty()) return true;  // "input": a text alone
  if (index.messages.back().role != Role::User) return false;
  return conversation || std::ranges::all_of(index.messages.begin(), index.messages.end() - 1,
                                             [](const auto& one) { return is_system(one.role); });
}

}  // namespace

std::string_view question_of(Exchange& exchange, bool conversation, std::string& joined) {
  const RequestIndex& index = exchange.index;
  if (!is_plain(index) || !asks_first(index, conversation)) return {};
  const auto last =
      static_cast<std::uint16_t>(index.messages.empty() ? 0 : index.messages.size() - 1);
  joined.clear();
  std::string_view only;
  for (std::uint32_t i = 0; i < exchange.request.text_count(); ++i) {
    const Text text = exchange.request.text(i);
    const Where where = text.where();
    if (where.message != last || where.role != Role::User) continue;
    if (where.kind != TextKind::Content) return {};
    const std::string_view words = text.get();
    if (joined.size() + words.size() > Draft::kMostQuestion) return {};
    only = words;
    if (!joined.empty()) joined += '\n';
    joined += words;
  }
  return only.size() == joined.size() ? only : joined;
}

Result<void> add_system_message(Request& request, std::string text) {
  const RequestIndex& index = request.index();
  std::size_t at = index.messages.size();
  if (index.system_member.empty()) {
    const auto first =
        std::ranges::find_if(index.messages, [](const auto& one) { return !is_system(one.role); });
    at = static_cast<std::size_t>(first - index.messages.begin());
  }
  auto added = request.insert(at, {Role::System, text});
  if (added || !index.member("input")) return added;
  // OpenAI's Responses with a text alone: its system prompt is a member.
  for (std::uint32_t i = 0; i < request.text_count(); ++i) {
    Text one = request.text(i);
    if (one.where().role != Role::System) continue;
    one.set(std::string(one.get()) + "\n\n" + text);
    return {};
  }
  request.set_member("instructions", encode_json_string(text));
  return {};
}

}  // namespace causeway::faq
