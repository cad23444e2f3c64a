// Writes the line when the exchange has ended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/exchange.h"
#include "core/stage.h"
#include "features/insight/access_log/config.h"

namespace causeway::log {
class AccessLog;
}

namespace causeway::access_log {

class AccessLogStage final : public Stage {
 public:
  AccessLogStage(log::AccessLog* log, SectionKey<AccessLogSettings> key, int loops)
      : log_(log), key_(key), loops_(static_cast<std::size_t>(loops)) {}
  std::string_view name() const override { return "access_log"; }
  unsigned hooks() const override { return kOnDone; }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;

 private:
  struct PerLoop {
    PerLoop();
    std::unique_ptr<char[]> buffer;  // of a line
    std::int64_t second = -1;        // that `stamp` is of
    std::string stamp;               // "2026-11-24T20:15:32.000Z"
  };
  log::AccessLog* log_;
  SectionKey<AccessLogSettings> key_;
  std::vector<PerLoop> loops_;
};

}  // namespace causeway::access_log
