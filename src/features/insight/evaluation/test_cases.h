// Test cases: exchanges that somebody marked, since the answer was bad (or just right) and shall be
// looked at again. A case is a copy: it stays when the trace it was made of has gone. What was said
// in it, and the note, are sealed under the tenant's data key.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/recorded.h"
#include "platform/base/clock.h"
#include "platform/store/sealed.h"
#include "platform/store/store.h"

namespace causeway::evaluation {

struct TestCase {
  std::string id;     // "case_…"
  std::string trace;  // request id
  std::string tenant, model, operation, dialect;
  std::string made_by;       // key id of the admin
  std::int64_t made_at = 0;  // Unix time in seconds
  std::string note;
  std::string contents;  // JSON, as in the trace; only from one()
};

/// All calls wait for the disk: for workers.
class TestCases {
 public:
  static constexpr std::size_t kMost = 10'000;
  static constexpr std::size_t kMostNote = 2'000;  // bytes

  TestCases(store::Store& store, store::Sealed& sealed, const Clock& clock)
      : store_(store), sealed_(sealed), clock_(clock) {}
  /// Once, at start-up.
  Result<void> open();

  /// Errors: Conflict "test_case_exists" where the trace is one already, "too_many_test_cases".
  Result<TestCase> add(const Recorded& recorded, std::string note, std::string made_by);
  /// Newest first, without contents. A note that cannot be opened any more (its tenant was erased)
  /// is left out with its case.
  Result<std::vector<TestCase>> all();
  /// Errors: NotFound "test_case_not_found"; those of Sealed::unseal.
  Result<TestCase> one(const std::string& id);
  /// To be asked again, as a trace would be; it stays when that has gone. Errors as of one().
  Result<Recorded> recorded(const std::string& id);
  static bool is_id(std::string_view id) { return id.starts_with("case_"); }
  /// Error: NotFound "test_case_not_found".
  Result<void> remove(const std::string& id);

 private:
  store::Store& store_;
  store::Sealed& sealed_;
  const Clock& clock_;
};

}  // namespace causeway::evaluation
