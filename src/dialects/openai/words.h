// The words of this dialect that more than one of its parts reads or writes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/chat.h"
#include "core/event.h"

namespace causeway::openai {

Stop stop_of(std::string_view reason);
/// The reason as OpenAI would write it; `raw`, the provider's own word, where there is none.
std::string_view reason_of(Stop stop, std::string_view raw);
/// The same JSON without line breaks, which would end the line of an event that it stands in.
std::string in_one_line(std::string_view json);

/// A seal as the encrypted_content of a reasoning item; that of another dialect is marked as its
/// own.
std::string encrypted_content(const Seal& seal, bool hidden);
struct Unsealed {
  Seal seal;
  std::optional<bool> hidden;  // of a marked one: whether there was only the seal
};
Unsealed unseal(std::string_view encrypted_content);

}  // namespace causeway::openai
