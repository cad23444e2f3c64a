// The last exchanges, and what every stage and attempt made of each: GET /api/traces.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/feature.h"
#include "core/stage.h"
#include "features/insight/traces/record.h"

namespace causeway::traces {

class TraceStage final : public Stage {
 public:
  TraceStage(int loops, std::size_t records_per_loop);
  std::string_view name() const override { return "trace"; }
  unsigned hooks() const override { return kOnDone; }
  void on_done(Exchange& exchange, const Outcome& outcome) noexcept override;
  /// From any thread, newest first.
  std::vector<Record> records() const;

 private:
  std::vector<std::unique_ptr<Ring>> rings_;
};

class TracesFeature final : public Feature {
 public:
  /// `stage_names` in the order of the pipeline, asked for when a trace is shown.
  TracesFeature(int loops, std::function<std::vector<std::string>()> stage_names);
  std::string_view name() const override { return "traces"; }
  std::vector<Stage*> stages() override { return {&stage_}; }
  std::vector<AdminRoute> routes() override;

 private:
  Task<AdminReply> list(AdminRequest request);
  Task<AdminReply> one(AdminRequest request);
  TraceStage stage_;
  std::function<std::vector<std::string>()> stage_names_;
};

}  // namespace causeway::traces
