// One receiver's way out: a thread of its own with a bounded queue, so that a receiver that is down
// or slow holds up nobody. A send that fails is tried again, with a wait that doubles.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "features/insight/alerts/config.h"
#include "features/insight/alerts/message.h"
#include "platform/base/clock.h"
#include "platform/log/log.h"

namespace causeway::alerts {

struct OutletCounts {
  std::uint64_t sent = 0, failed = 0, given_up = 0, dropped = 0;
};

class Outlet {
 public:
  static constexpr std::size_t kMostQueued = 64;
  struct Parts {
    std::string name;
    Receiver receiver;
    std::chrono::milliseconds retry;
    const Clock& clock;
    log::Log& log;
  };
  explicit Outlet(Parts parts);
  /// Ends a send that runs, within about a second.
  ~Outlet();
  Outlet(const Outlet&) = delete;
  Outlet& operator=(const Outlet&) = delete;

  /// False: the queue is full, the message is dropped and counted.
  bool put(Message message);
  void stop();
  bool has_ended() const { return ended_.load(); }
  bool is_for(const Receiver& receiver, std::chrono::milliseconds retry) const;
  OutletCounts counts() const;

 private:
  void work();
  bool deliver(const Message& message);
  Result<void> send(const Message& message);
  bool wait(std::chrono::milliseconds time);

  const Parts parts_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Message> queue_;
  std::atomic<bool> stopped_{false}, ended_{false};
  std::atomic<std::uint64_t> sent_{0}, failed_{0}, given_up_{0}, dropped_{0};
  std::thread thread_;
};

/// All of them, as the configuration has them. Belongs to one thread, the queues aside.
class Outlets {
 public:
  Outlets(const Clock& clock, log::Log& log) : clock_(clock), log_(log) {}
  void configure(const AlertSettings& settings);
  /// Null: there is none of this name.
  Outlet* find(const std::string& name);
  const std::map<std::string, std::unique_ptr<Outlet>>& all() const { return outlets_; }
  /// Lets go of those that were replaced and have ended.
  void tidy();

 private:
  const Clock& clock_;
  log::Log& log_;
  std::map<std::string, std::unique_ptr<Outlet>> outlets_;
  std::vector<std::unique_ptr<Outlet>> replaced_;
};

}  // namespace causeway::alerts
