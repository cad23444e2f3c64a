#include "features/insight/alerts/notifier.h"

#include <algorithm>

namespace causeway::alerts {

std::optional<Message> Notifier::due(Monotonic now, const Times& times,
                                     const std::vector<Alert>& active,
                                     const std::vector<Alert>& ended,
                                     const std::function<bool(const Alert&)>& is_silenced) {
  // Whoever was told of its beginning is told of its end, silenced or not: a pager must close.
  for (const Alert& alert : ended) {
    if (told_.erase(alert.id) > 0) over_.push_back(alert);
  }
  Message message;
  for (const Alert& alert : active) {
    if (is_silenced(alert)) continue;
    const auto told = told_.find(alert.id);
    if (told == told_.end()) {
      message.began.push_back(alert);
    } else if (now - told->second >= times.repeat) {
      message.goes_on.push_back(alert);
    }
  }
  message.ended = over_;
  if (message.empty()) {
    waiting_since_.reset();
    return std::nullopt;
  }
  if (!waiting_since_) waiting_since_ = now;
  if (now - *waiting_since_ < times.group_wait) return std::nullopt;
  waiting_since_.reset();
  over_.clear();
  for (const auto* list : {&message.began, &message.goes_on}) {
    for (const Alert& alert : *list) told_[alert.id] = now;
  }
  return message;
}

Message for_receiver(const Message& message, const std::string& name) {
  Message out = message;
  for (auto* list : {&out.began, &out.goes_on, &out.ended}) {
    std::erase_if(*list, [&](const Alert& alert) {
      return !alert.receivers.empty() &&
             std::ranges::find(alert.receivers, name) == alert.receivers.end();
    });
  }
  return out;
}

}  // namespace causeway::alerts
