// Which scalars of a file are not to be shown, as the reader finds them.
#pragma once

#include <vector>

#include "platform/config/config.h"
#include "platform/config/yaml_tree.h"

namespace causeway::config::detail {

/// Of the tree below `root`; the object is only read into. Some may be named twice (aliases).
std::vector<const Node*> confidential(const Type& type, void* object, const Node& root,
                                      const Sources& sources);

}  // namespace causeway::config::detail
