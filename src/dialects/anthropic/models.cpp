#include "dialects/anthropic/models.h"

#include "platform/text/ascii.h"

namespace causeway::anthropic {
namespace {

// Enough for a long answer, and not more than any model since Claude 3.7 accepts.
constexpr std::uint32_t kUsualLimit = 16'384;

// "claude-opus-4-5-20251101" is 405, "claude-3-7-sonnet-latest" 307, "claude-opus-4@20250514" 400;
// 0 = no Claude model, or one without a number.
int version_of(std::string_view model) {
  const auto claude = model.find("claude");
  if (claude == model.npos) return 0;
  model.remove_prefix(claude);
  int numbers[2] = {0, 0};
  int count = 0;
  for (std::size_t i = 0; i < model.size() && count < 2;) {
    if (!text::is_digit(model[i])) {
      if (count == 1 && model[i] != '-' && model[i] != '.') break;
      ++i;
      continue;
    }
    int number = 0;
    std::size_t digits = 0;
    for (; i < model.size() && text::is_digit(model[i]); ++i, ++digits) {
      if (digits < 6) number = number * 10 + (model[i] - '0');
    }
    if (digits > 2) break;  // a date
    numbers[count++] = number;
  }
  return numbers[0] * 100 + numbers[1];
}

}  // namespace

ModelTraits traits_of(std::string_view model) {
  int version = version_of(model);
  ModelTraits traits;
  traits.max_tokens = kUsualLimit;
  if (version == 0 && model.find("claude") == model.npos) return traits;
  if (version == 0) version = 500;  // "claude-mythos-preview": named without a number since then
  if (version < 307) {
    traits.budgets = false;
    traits.max_tokens = version < 305 ? 4096 : 8192;
    return traits;
  }
  if (version < 405 && model.find("opus") != model.npos) traits.most_tokens = 32'000;
  traits.strict = version >= 405;
  traits.one_sampling = true;
  traits.adaptive = version >= 406;
  traits.xhigh = version >= 407;
  traits.sampling = traits.budgets = version < 407;
  traits.thinks = version >= 500;
  traits.may_be_off = version <= 500;
  traits.forced_tools = version <= 500;
  return traits;
}

}  // namespace causeway::anthropic
