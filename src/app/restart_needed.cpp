#include "app/restart_needed.h"

namespace causeway::app {

std::vector<std::string> restart_needed(const AppConfig& now, const AppConfig& then) {
  std::vector<std::string> names;
  const auto note = [&](std::string_view name, bool same) {
    if (!same) names.emplace_back(name);
  };
  note("server.listen", *now.server.listen == *then.server.listen);
  note("server.admin", *now.server.admin == *then.server.admin);
  note("server.data", now.server.data == then.server.data);
  note("server.threads", now.server.threads == then.server.threads);
  note("server.drain", now.server.drain == then.server.drain);
  note("alerts.step", now.alerts.step == then.alerts.step);
  note("cache.questions", now.cache.questions == then.cache.questions);
  note("log.level", now.log.level == then.log.level);
  note("log.format", now.log.format == then.log.format);
  note("log.access", now.log.access == then.log.access);
  note("shared_state", now.shared_state.redis.equals(then.shared_state.redis.reveal()) &&
                           now.shared_state.key.equals(then.shared_state.key.reveal()) &&
                           now.shared_state.ca_file == then.shared_state.ca_file &&
                           now.shared_state.replicas == then.shared_state.replicas &&
                           now.shared_state.timeout == then.shared_state.timeout);
  return names;
}

}  // namespace causeway::app
