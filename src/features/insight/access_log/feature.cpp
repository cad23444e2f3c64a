#include "features/insight/access_log/feature.h"

#include "features/insight/access_log/stage.h"

namespace causeway::access_log {

void describe(config::Fields& f, AccessLogSettings& c) {
  f.word("on", c.on, true, "A line per request.");
  f.word("off", c.on, false, "None.");
}

AccessLogFeature::AccessLogFeature(log::AccessLog* log, SectionKey<AccessLogSettings> key,
                                   int loops)
    : stage_(std::make_unique<AccessLogStage>(log, key, loops)) {}
AccessLogFeature::~AccessLogFeature() = default;

std::vector<Stage*> AccessLogFeature::stages() { return {stage_.get()}; }

}  // namespace causeway::access_log
