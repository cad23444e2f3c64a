// Who is told of what, and when: alerts that begin or end together go into one message, what is
// silenced waits, what goes on is said again after a while, and the end of what nobody was told of
// is not told.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "features/insight/alerts/message.h"

namespace causeway::alerts {

class Notifier {
 public:
  struct Times {
    std::chrono::milliseconds group_wait, repeat;
  };
  /// What is to be told now; nothing for most calls.
  std::optional<Message> due(Monotonic now, const Times& times, const std::vector<Alert>& active,
                             const std::vector<Alert>& ended,
                             const std::function<bool(const Alert&)>& is_silenced);

 private:
  std::map<std::string, Monotonic> told_;  // by id of the alert: when last
  std::vector<Alert> over_;                // ended, of those that were told
  std::optional<Monotonic> waiting_since_;
};

/// The part of a message that goes to this receiver.
Message for_receiver(const Message& message, const std::string& name);

}  // namespace causeway::alerts
