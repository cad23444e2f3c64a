#include "app/probes.h"

#include <utility>

#include "core/provider.h"

namespace causeway::app {
namespace {

constexpr std::size_t kAtOnce = 64;
constexpr std::size_t kMostBytes = 64 * 1024;  // of an answer, which nobody reads

// A member is well when it answers in time with 2xx.
Task<bool> is_well(http::Client& client, const Provider& provider, ProbeConfig config,
                   Cancel& cancel) {
  http::Endpoint elsewhere;
  std::string path = config.path;
  auto call = provider.listing_call();
  const http::Endpoint* endpoint = call ? call->endpoint : nullptr;
  http::ClientRequest request;
  if (!config.path.starts_with('/')) {
    auto parsed = http::parse_url(config.path, path);
    if (!parsed) co_return false;
    elsewhere = std::move(*parsed);
    endpoint = &elsewhere;
    if (path.empty()) path = "/";
  } else if (call) {
    request.fields = call->fields;
  }
  if (!endpoint) co_return false;
  request.method = "GET";
  request.target = path;
  request.timeouts = {config.timeout, config.timeout, config.timeout, config.timeout};
  auto answer = co_await client.call(*endpoint, request, cancel);
  if (!answer) co_return false;
  const int status = (*answer)->head().status;
  static_cast<void>(co_await (*answer)->read_all(kMostBytes));  // keeps the connection
  co_return status >= 200 && status <= 299;
}

}  // namespace

void Probes::configure(std::shared_ptr<const Snapshot> snapshot,
                       const std::map<std::string, ProbeConfig>& probed) {
  std::map<Key, Asked> before = std::exchange(asked_, {});
  for (const auto& [name, config] : probed) {
    const auto members = snapshot->providers.find(name);
    if (members == snapshot->providers.end()) continue;
    for (const Member& member : members->second.all) {
      const Key key{name, member.name};
      const auto known = before.find(key);
      Asked& asked = asked_[key];
      if (known != before.end()) asked = std::move(known->second);
      if (known == before.end()) asked.next = parts_.loop.now() + part_of(config.every, 0, 1);
      asked.config = config;
      asked.snapshot = snapshot;
      asked.provider = member.provider.get();
    }
  }
}

std::chrono::milliseconds Probes::part_of(std::chrono::milliseconds time, double from, double to) {
  const double part = std::uniform_real_distribution(from, to)(random_);
  return std::chrono::milliseconds(
      static_cast<std::int64_t>(static_cast<double>(time.count()) * part));
}

void Probes::tick() {
  for (auto& [key, asked] : asked_) {
    if (running_.size() >= kAtOnce) return;
    if (asked.running || parts_.loop.now() < asked.next) continue;
    asked.running = true;
    spawn(ask(key, asked));
  }
}

Task<void> Probes::ask(Key key, Asked asked) {
  const auto mine = running_.emplace(running_.end());
  const bool well = co_await is_well(parts_.client, *asked.provider, asked.config, *mine);
  const bool cancelled = mine->requested();
  running_.erase(mine);
  const auto found = asked_.find(key);  // it may be gone meanwhile
  if (cancelled || found == asked_.end()) co_return;
  found->second.running = false;
  found->second.next = parts_.loop.now() + part_of(found->second.config.every, 0.8, 1.2);
  judge(key, found->second, well);
}

void Probes::judge(const Key& key, Asked& asked, bool well) {
  asked.in_a_row = well == asked.last ? asked.in_a_row + 1 : 1;
  asked.last = well;
  const std::uint32_t enough = well ? asked.config.successes : asked.config.failures;
  const bool turned = asked.well != well && asked.in_a_row >= enough;
  if (turned) {
    asked.well = well;
    parts_.log.state(well ? log::Level::Info : log::Level::Warn,
                     "probe of " + key.first + (key.second.empty() ? "" : " " + key.second),
                     well ? "well" : "not well", {{"path", asked.config.path}});
  }
  if (turned || asked.well == false) parts_.tell(key.first, key.second, *asked.well);
}

std::optional<bool> Probes::well(const std::string& provider, const std::string& member) const {
  const auto found = asked_.find({provider, member});
  return found == asked_.end() ? std::nullopt : found->second.well;
}

void Probes::close() {
  asked_.clear();
  for (auto one = running_.begin(); one != running_.end();) {
    (one++)->request();  // which may be its end
  }
}

}  // namespace causeway::app
