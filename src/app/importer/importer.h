// From another gateway's configuration file to causeway.yaml, with all that does not carry over
// named. Nothing here reads the environment or the network; secrets of the source are not copied.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "app/importer/imported.h"
#include "platform/base/error.h"

namespace causeway::app::importer {

inline constexpr std::array<std::string_view, 3> kTools = {"litellm", "portkey", "tensorzero"};

struct Request {
  std::string tool;               // of kTools
  std::string file;               // as it is named in messages and in what is written
  std::string model_name = {};    // Portkey: what applications will ask for
  std::string target_model = {};  // Portkey: of targets that name no model
};

/// Errors: InvalidRequest, with the place where the text cannot be read, or with the tool whose
/// file it seems to be.
Result<Imported> import_text(const Request& request, std::string_view text);

/// Whose configuration that is, by what stands in it; nothing where it cannot be told.
std::optional<std::string_view> tool_of(std::string_view text);

}  // namespace causeway::app::importer
