// Callers, the choice among targets, and servers that have bad days, in virtual time: nothing
// sleeps, hours pass in seconds, and every run is the same on every machine. The choice is the
// program's own (order, breaker, quota); the servers are simple: so many answers at once, the
// others wait in line.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "features/traffic/routing/loop_states.h"
#include "features/traffic/routing/order.h"
#include "features/traffic/routing/target_states.h"
#include "platform/base/clock.h"

namespace causeway::routing::testing {

/// What is wrong with a server for a while. Seconds of the simulation.
struct Trouble {
  enum class Kind : std::uint8_t {
    Down,    // refuses connections
    Hangs,   // says nothing: the caller's timeout ends it
    Errors,  // 500 after 20 ms, to a part of the calls
    Slow,    // everything takes `much` times as long
  };
  Kind kind = Kind::Down;
  double begin = 0, end = 0;
  double much = 1;  // of Errors the part, of Slow the factor
};

struct Server {
  std::string name;
  double seconds = 0.5;  // an answer alone, in the mean; exponential
  int places = 8;
  std::vector<Trouble> troubles;
  std::uint32_t requests_per_minute = 0;  // beyond these 429 with retry-after; 0 = any number
  bool quota_known = false;               // as written down in the configuration
  std::size_t prefixes = 0;               // whose beginnings it remembers: a tenth of the time
};

class Simulation {
 public:
  /// `strategy`, or none: plain round robin with the others behind as fallbacks, which learns
  /// nothing of its servers.
  explicit Simulation(std::optional<Strategy> strategy, std::uint64_t seed = 1)
      : strategy_(strategy), random_(seed) {}

  std::vector<Server> servers;
  double rate = 10;          // requests a second, at random times (Poisson)
  std::size_t prefixes = 0;  // different beginnings of prompts, some more frequent; 0 = none
  double timeout = 30;       // of one call, seconds
  double patience = 10;      // that a request waits in all for targets that rest

  /// Once.
  void run(double seconds);

  struct Told {
    std::vector<double> took;  // of those answered, seconds
    std::uint64_t requests = 0, errors = 0;
    std::uint64_t calls = 0;            // that reached a server, or its closed door
    std::uint64_t limited = 0;          // 429
    std::vector<std::uint64_t> shares;  // of the calls, by server
    double p(double part) const;
    double calls_each() const { return static_cast<double>(calls) / static_cast<double>(requests); }
  };
  const Told& told() const { return told_; }

 private:
  struct Request {
    double came = 0, waited = 0;
    std::uint64_t begins = 0;
    std::vector<const Target*> order;
    std::size_t next = 0;
    double soonest = 0;  // when one of those that rest may be asked
    int rounds = 0;
  };
  struct Call {
    std::shared_ptr<Request> request;
    std::size_t server = 0;
    double began = 0;
    bool trial = false, over = false;
  };
  struct Event {
    double when;
    std::uint64_t order;
    std::function<void()> act;
    bool operator>(const Event& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  struct Place {
    int busy = 0;
    std::deque<std::shared_ptr<Call>> line;
    std::deque<std::uint64_t> remembers;  // beginnings, the last one first
    double left = 0, filled = 0;          // of its own quota
  };
  using Request_ = std::shared_ptr<Request>;

  void at(double when, std::function<void()> act);
  Monotonic clock() const { return clock_.now(); }
  void arrives();
  void choose(Request& request);
  void goes_on(const Request_& request);
  bool admit(const Request_& request, std::size_t server);
  void call(const Request_& request, std::size_t server, bool trial);
  void begins(const std::shared_ptr<Call>& call);
  void leaves(std::size_t server);
  void answered(const std::shared_ptr<Call>& call);
  void failed(const std::shared_ptr<Call>& call, double retry_after);
  const Trouble* trouble(std::size_t server, Trouble::Kind kind) const;

  const std::optional<Strategy> strategy_;
  std::mt19937_64 random_;
  ManualClock clock_;
  double now_ = 0;
  std::uint64_t order_ = 0, turn_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Target> targets_;
  std::vector<Place> places_;
  TargetStates all_{clock_};
  LoopStates states_{all_};
  double until_ = 0;
  Told told_;
};

}  // namespace causeway::routing::testing
