// The feature "evaluation": so far the test cases that operators mark; judges and runs come to
// them.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "core/recorded.h"
#include "features/insight/evaluation/test_cases.h"
#include "platform/base/worker.h"

namespace causeway::evaluation {

class EvaluationFeature final : public Feature {
 public:
  using Post = std::function<void(std::move_only_function<void()>)>;
  struct Parts {
    store::Store& store;
    store::Sealed& sealed;
    const Clock& clock;
    RecordedById recorded;
    WorkerGroup& workers;
    Post post;  // onto the loop of the admin port
  };
  explicit EvaluationFeature(Parts parts)
      : parts_(std::move(parts)), cases_(parts_.store, parts_.sealed, parts_.clock) {}
  Result<void> open() { return cases_.open(); }
  TestCases& cases() { return cases_; }

  std::string_view name() const override { return "evaluation"; }
  std::vector<AdminRoute> routes() override;

 private:
  /// Runs a job on a worker; the text is the reply's body.
  Task<AdminReply> reply_of(std::move_only_function<Result<std::string>()> job, int status);

  Parts parts_;
  TestCases cases_;
};

/// `causeway test-cases`.
Verb test_cases_verb();

}  // namespace causeway::evaluation
