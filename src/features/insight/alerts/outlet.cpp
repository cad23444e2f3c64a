#include "features/insight/alerts/outlet.h"

#include <algorithm>
#include <utility>

#include "platform/base/worker.h"
#include "platform/transfer/transfer.h"

namespace causeway::alerts {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestWait = std::chrono::minutes(5);

bool same(const Receiver& a, const Receiver& b) {
  return a.kind == b.kind && a.url.reveal() == b.url.reveal() &&
         a.secret.reveal() == b.secret.reveal() && a.server == b.server && a.user == b.user &&
         a.password.reveal() == b.password.reveal() && a.from == b.from && a.to == b.to &&
         a.ca_file == b.ca_file && a.deadline == b.deadline && a.tries == b.tries;
}

}  // namespace

Outlet::Outlet(Parts parts) : parts_(std::move(parts)) {
  thread_ = start_thread("alert-outlet", [this] {
    work();
    ended_ = true;
  });
}

Outlet::~Outlet() {
  stop();
  thread_.join();
}

void Outlet::stop() {
  const std::lock_guard guard(mutex_);
  stopped_ = true;
  wake_.notify_all();
}

bool Outlet::put(Message message) {
  const std::lock_guard guard(mutex_);
  if (queue_.size() >= kMostQueued) {
    ++dropped_;
    return false;
  }
  queue_.push_back(std::move(message));
  wake_.notify_all();
  return true;
}

bool Outlet::is_for(const Receiver& receiver, milliseconds retry) const {
  return same(parts_.receiver, receiver) && parts_.retry == retry;
}

OutletCounts Outlet::counts() const {
  return {sent_.load(), failed_.load(), given_up_.load(), dropped_.load()};
}

void Outlet::work() {
  while (!stopped_) {
    Message message;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || !queue_.empty(); });
      if (stopped_) return;
      message = std::move(queue_.front());
      queue_.pop_front();
    }
    if (deliver(message)) {
      ++sent_;
    } else if (!stopped_) {
      ++given_up_;
    }
  }
}

// The error's text names no URL and no password.
bool Outlet::deliver(const Message& message) {
  const std::string what = "alerts to receiver " + parts_.name;
  milliseconds pause = parts_.retry;
  for (std::uint32_t tries = 1; !stopped_; ++tries) {
    const auto sent = send(message);
    if (sent) {
      parts_.log.state(log::Level::Info, what, "delivered");
      return true;
    }
    if (stopped_) return false;
    ++failed_;
    const bool again = sent.error().retryable && tries < parts_.receiver.tries;
    parts_.log.state(log::Level::Warn, what, again ? "failing, will be tried again" : "given up",
                     {{"reason", sent.error().message}, {"tries", tries}});
    if (!again || !wait(pause)) return false;
    pause = std::min(pause * 2, kLongestWait);
  }
  return false;
}

bool Outlet::wait(milliseconds time) {
  std::unique_lock lock(mutex_);
  return !wake_.wait_for(lock, time, [this] { return stopped_.load(); });
}

Result<void> Outlet::send(const Message& message) {
  const Receiver& to = parts_.receiver;
  const transfer::Limits limits{to.deadline, to.ca_file, &stopped_};
  if (to.kind == Kind::Email) {
    const transfer::Mail mail{to.server, to.user, to.password,
                              to.from,   to.to,   mail_text(message, to.from, to.to)};
    return transfer::send(mail, limits);
  }
  transfer::Post post{to.url, {{"Content-Type", "application/json"}}, ""};
  if (to.kind == Kind::Slack) {
    post.body = slack_json(message);
    return transfer::send(post, limits);
  }
  post.body = webhook_json(message);
  post.fields.emplace_back("X-Causeway-Delivery", message.id);
  if (!to.secret.empty()) {
    const auto now = std::chrono::floor<std::chrono::seconds>(parts_.clock.wall());
    post.fields.emplace_back(
        "X-Causeway-Signature",
        signature(to.secret.reveal(), now.time_since_epoch().count(), post.body));
  }
  return transfer::send(post, limits);
}

void Outlets::configure(const AlertSettings& settings) {
  std::map<std::string, std::unique_ptr<Outlet>> now;
  for (const auto& entry : settings.receivers) {
    auto old = outlets_.find(entry.name);
    if (old != outlets_.end() && old->second->is_for(entry.value, settings.retry)) {
      now[entry.name] = std::move(old->second);
      outlets_.erase(old);
      continue;
    }
    now[entry.name] = std::make_unique<Outlet>(
        Outlet::Parts{entry.name, entry.value, settings.retry, clock_, log_});
  }
  for (auto& [name, outlet] : outlets_) {
    outlet->stop();
    replaced_.push_back(std::move(outlet));
  }
  outlets_ = std::move(now);
}

Outlet* Outlets::find(const std::string& name) {
  const auto found = outlets_.find(name);
  return found == outlets_.end() ? nullptr : found->second.get();
}

void Outlets::tidy() {
  std::erase_if(replaced_, [](const auto& outlet) { return outlet->has_ended(); });
}

}  // namespace causeway::alerts
