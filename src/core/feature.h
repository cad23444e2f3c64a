// One technique with all that belongs to it. app/ builds the features, hands each what it needs,
// and asks it for its parts; nothing registers itself.
#pragma once

#include <string_view>
#include <vector>

#include "core/admin.h"
#include "core/stage.h"

namespace causeway {

class Feature {
 public:
  virtual ~Feature() = default;
  virtual std::string_view name() const = 0;
  /// The feature's stages; app/pipeline.cpp gives them their places by name.
  virtual std::vector<Stage*> stages() { return {}; }
  virtual std::vector<AdminRoute> routes() { return {}; }
  virtual std::vector<Verb> verbs() { return {}; }
};

}  // namespace causeway
