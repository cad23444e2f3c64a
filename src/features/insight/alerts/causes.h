// Why a number rose. Each (target, model, key) has an excess: what it adds beyond what it would
// have added at its own baseline. The value of a dimension with the largest share of all excess,
// measured against its share of the traffic, is a cause; its rows are set aside and what is left is
// explained in the same way, so that two causes at once are both found. For times, each cause is
// then divided into the parts of an answer's time.
#pragma once

#include <string>
#include <vector>

#include "features/insight/alerts/cells.h"
#include "features/insight/alerts/config.h"

namespace causeway::alerts {

struct Cause {
  std::string kind;  // provider, model, key, address, error_class, latency_part, process
  std::string name;
  double share = 0;  // of the rise, 0 to 1; 0 = not known
  std::string text;  // for people
  std::string advice;
};

/// What is explained: rows of the window, and of the baseline before it (empty: nothing is known),
/// already narrowed to what the rule is about. `fixed` is what the alert itself is about (of
/// `per`): it is the first cause, and what explains the rise inside of it comes behind.
struct Rise {
  const Rule& rule;
  const Rows& now;
  const Rows& before;
  double now_time = 1, before_time = 1;  // how long each was, in the same unit
  Per per = Per::All;
  std::string fixed;
};

/// The largest first; at most eight.
std::vector<Cause> find_causes(const Rise& rise);

}  // namespace causeway::alerts
