// One JSON line per exchange: who, what, where, how long, how much. Never what was said.
#pragma once

#include <memory>
#include <vector>

#include "core/feature.h"
#include "core/policy.h"
#include "features/insight/access_log/config.h"

namespace causeway::log {
class AccessLog;
}

namespace causeway::access_log {

class AccessLogStage;

class AccessLogFeature final : public Feature {
 public:
  /// `log` may be null (no line is written); it outlives the feature.
  AccessLogFeature(log::AccessLog* log, SectionKey<AccessLogSettings> key, int loops);
  ~AccessLogFeature() override;
  std::string_view name() const override { return "access_log"; }
  std::vector<Stage*> stages() override;

 private:
  std::unique_ptr<AccessLogStage> stage_;
};

}  // namespace causeway::access_log
