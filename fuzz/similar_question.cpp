// The second gate reads whatever users write: two texts, divided at the first zero byte. What it
// says of them may not depend on their order, and a text that can be read shares an answer with
// itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "platform/similar/gate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace causeway::similar;
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const auto at = all.find('\0');
  const auto one = read_question(all.substr(0, at));
  const auto other = read_question(at == std::string_view::npos ? all : all.substr(at + 1));
  if ((differs(one, other) == Reason::Same) != (differs(other, one) == Reason::Same)) std::abort();
  if (one.read && differs(one, one) != Reason::Same) std::abort();
  return 0;
}
