// What an operator sends to block somebody: who it is in the first line, the body of the request
// behind it. No crash; what is taken has one spelling, which is read as the same subject again.
#include <cstdlib>
#include <string>
#include <string_view>

#include "features/traffic/anomalies/admin.h"

namespace anomalies = causeway::anomalies;

namespace {

void require(bool good) {
  if (!good) std::abort();
}

void look_at(const anomalies::Subject& subject) {
  static const anomalies::Marks marks;
  const auto again = anomalies::parse_subject(subject.who, subject.tenant);
  require(again.has_value());
  require(again->who == subject.who && again->kind == subject.kind);
  require(again->network.has_value() == subject.network.has_value());
  require(again->mark(marks) == subject.mark(marks));
  for (const char c : subject.who) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto line = text.substr(0, text.find('\n'));
  if (const auto subject = anomalies::parse_subject(line, "")) look_at(*subject);
  const causeway::Wall now{std::chrono::hours(500'000)};
  const auto body = text.substr(std::min(line.size() + 1, text.size()));
  if (const auto block = anomalies::read_block(body, "key_1", now)) {
    look_at(block->subject);
    require(block->until > now);
    require(!anomalies::write_blocks("added", {*block}, now).empty());
  }
  return 0;
}
