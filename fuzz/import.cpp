// Configurations of other gateways: whatever they hold, what is written is YAML that our own reader
// takes, and it has a comment for each remark. The first byte says whose configuration it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "app/importer/importer.h"
#include "platform/config/config.h"
#include "platform/config/yaml_tree.h"

using namespace causeway;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0 || size > 64 * 1024) return 0;
  const auto& tools = app::importer::kTools;
  const std::string tool(tools[data[0] % tools.size()]);
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto imported =
      app::importer::import_text({.tool = tool, .file = "source", .model_name = "chat"}, text);
  if (!imported) return 0;
  const std::string yaml = app::importer::write_yaml(*imported, tool, "source");
  config::Problems problems("written");
  config::Tree tree;
  if (yaml.size() > config::kMaxFileBytes) return 0;
  const bool read = config::parse_yaml(yaml, tree, problems, config::kMaxFileBytes);
  if (!read || !problems.ok()) std::abort();
  return 0;
}
