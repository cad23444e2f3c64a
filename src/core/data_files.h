// Files of data that third_party/manifest pins (models that are no engine's, vocabularies), by
// name: where they lie on this machine.
#pragma once

#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway {

class DataFiles {
 public:
  virtual ~DataFiles() = default;
  /// The path of the file. Unavailable where it is not here, with what mends it: then its fetch has
  /// been begun, unless there is no way to. From any thread; looks at the disk.
  virtual Result<std::string> find(std::string_view name) = 0;
};

}  // namespace causeway
