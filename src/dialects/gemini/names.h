// Names of this dialect come in two spellings: Google's JSON readers take both.
#pragma once

#include <string_view>

namespace causeway::gemini {

constexpr bool is(std::string_view key, std::string_view camel, std::string_view snake) {
  return key == camel || key == snake;
}

}  // namespace causeway::gemini
