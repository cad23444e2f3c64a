// The configuration reader with any bytes as its file: no crash, no hang, and no value from the
// environment or from a secret's file in a message; what is confidential stands where it is said
// to.
#include "platform/config/config.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "platform/config/detail/test_config.h"

namespace config = causeway::config;

namespace {

constexpr std::string_view kPlanted = "Zq7-never-to-be-shown";

config::Sources sources() {
  config::Sources out;
  out.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name.size() % 3 == 0) return std::nullopt;
    return name.size() % 3 == 1 ? std::string(kPlanted) : std::string();
  };
  out.file = [](const std::string& path) -> std::expected<std::string, std::string> {
    if (path.size() % 2 == 0) return std::unexpected("No such file or directory");
    return std::string(kPlanted) + "\n";
  };
  return out;
}

void require(bool good) {
  if (!good) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const auto schema = config::test::schema();
  static const auto values = sources();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  config::Problems problems("fuzz.yaml");
  schema.read(text, problems, values);
  const std::string messages = problems.text();
  require(problems.empty() == messages.empty());
  require(messages.find(kPlanted) == std::string::npos ||
          text.find(kPlanted) != std::string_view::npos);
  for (const config::Problem& problem : problems.sorted()) {
    // A line each: whatever the file holds, a message cannot be broken in two.
    require(problem.message.find('\n') == std::string::npos);
  }
  if (const auto slices = schema.confidential(text)) {
    std::size_t end = 0;
    for (const config::Slice& slice : *slices) {
      require(slice.begin >= end && slice.size > 0 && slice.begin + slice.size <= text.size());
      require(text.substr(slice.begin, slice.size).find('\n') == std::string_view::npos);
      end = slice.begin + slice.size;
    }
  }
  return 0;
}
