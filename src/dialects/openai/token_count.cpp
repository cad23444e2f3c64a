#include "dialects/openai/token_count.h"

#include <algorithm>
#include <array>
#include <utility>

#include "platform/bpe/vocabulary.h"

namespace causeway::openai {
namespace {

using Kind = ChatPart::Kind;

constexpr std::uint64_t kPerMessage = 3, kPerName = 1, kAnswerBegins = 3;

// The first beginning that fits.
constexpr std::array<std::pair<std::string_view, std::string_view>, 10> kFamilies = {{
    {"o1", "o200k_base"},
    {"o3", "o200k_base"},
    {"o4-", "o200k_base"},
    {"gpt-5", "o200k_base"},
    {"gpt-4.5", "o200k_base"},
    {"gpt-4.1", "o200k_base"},
    {"gpt-4o", "o200k_base"},
    {"chatgpt-4o", "o200k_base"},
    {"gpt-4", "cl100k_base"},
    {"gpt-3.5-turbo", "cl100k_base"},
}};

std::string_view base_of(std::string_view model) {
  if (model.starts_with("ft:")) model.remove_prefix(3);
  return model;
}

bool has_published_count(std::string_view model) {
  model = base_of(model);
  return model.starts_with("gpt-3.5-turbo") ||
         (model.starts_with("gpt-4") && !model.starts_with("gpt-4."));
}

class Counter {
 public:
  explicit Counter(const bpe::Vocabulary& vocabulary) : vocabulary_(vocabulary) {}

  TokenCount run(const Chat& chat) {
    for (const auto& message : chat.messages) add(message);
    for (const auto& tool : chat.tools) {
      add(tool.name);
      add(tool.description);
      add(tool.schema);
    }
    if (!chat.format.schema.empty()) add(chat.format.schema);
    count_.exact &= chat.tools.empty() && chat.format.schema.empty();
    count_.tokens += kAnswerBegins;
    return count_;
  }

 private:
  void add(std::string_view text) { count_.tokens += vocabulary_.count(text); }

  void add(const ChatMessage& message) {
    // The role is one token in both vocabularies, and stands beside those of the message's frame.
    count_.tokens += kPerMessage + 1;
    if (!message.name.empty()) {
      count_.tokens += kPerName;
      add(message.name);
    }
    count_.exact &= message.parts.size() == 1;
    for (const auto& part : message.parts) {
      count_.exact &= part.kind == Kind::Text;
      add(part.text);
      add(part.name);
      add(part.arguments);
      for (const auto& result : part.content) add(result.text);
    }
  }

  const bpe::Vocabulary& vocabulary_;
  TokenCount count_{0, true};
};

}  // namespace

std::string_view vocabulary_of(std::string_view model) {
  const auto found = std::find_if(kFamilies.begin(), kFamilies.end(), [&](const auto& family) {
    return base_of(model).starts_with(family.first);
  });
  return found == kFamilies.end() ? std::string_view() : found->second;
}

TokenCount count_tokens(const Chat& chat, std::string_view model,
                        const bpe::Vocabulary& vocabulary) {
  TokenCount count = Counter(vocabulary).run(chat);
  count.exact &= has_published_count(model);
  return count;
}

}  // namespace causeway::openai
