// A model server, its callers and the group between them, in virtual time: nothing sleeps, and
// every run is the same on every machine.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "features/traffic/overload/group.h"

namespace causeway::overload::testing {

/// What one request asks of the server.
struct Work {
  double seconds = 0.2;    // of the server, alone
  double until_first = 0;  // of these, to the first word; 0 = it is not streamed
  std::size_t request_bytes = 500;
  std::uint64_t tokens = 100;
};

/// How the server shares its time.
enum class Sharing : std::uint8_t {
  Slots,  // each of so many does one at a time; the others wait in line without bound
  Time,   // all are worked on; above so many each gets less
};

struct Server {
  Sharing sharing = Sharing::Slots;
  double capacity = 16;
  double slower = 1;  // everything takes so many times as long
};

struct Tenant {
  std::string name;
  double rate = 0;                // open loop: so many requests a second, whatever happens to them
  int callers = 0;                // closed loop: each sends the next one when it has an answer
  double think = 0, retry = 0.1;  // seconds between, and after a refusal
  int priority = 1;
  double weight = 1;
  std::function<Work(std::mt19937_64&)> work;
  double leaves = 0;  // part of those who wait that give up after half a second
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed = 1) : random_(seed) {}

  Server server;
  OverloadSettings settings;
  bool gated = true;  // else everything goes to the server at once

  std::size_t add(Tenant tenant);
  Tenant& tenant(std::size_t which) { return tenants_[which].what; }
  void run(double seconds);
  /// What is told below begins now.
  void forget();

  struct Told {
    std::vector<double> took;  // those served: from the request to its answer's end
    std::vector<double> waited;
    std::uint64_t served = 0, refused = 0, late = 0, left = 0;
    double least_retry_after = 1e9, longest_wait = 0;
    double p(double part) const;
  };
  const Told& told(std::size_t which) const { return tenants_[which].told; }
  double rate() const { return static_cast<double>(served_) / (now_ - since_); }
  double now() const { return now_; }
  Group::View view() const { return group_.view(); }
  double lowest_limit() const { return lowest_limit_; }

 private:
  struct Caller {
    Tenant what;
    Told told;
    int running = 0;  // closed loop
  };
  struct Request {
    std::size_t tenant = 0;
    Work work;
    double came = 0, began = 0, first = 0, left = 0;  // left: seconds of work
    Turn turn;
    Queue::Place place;
    bool waits = false;
  };
  using Id = std::uint64_t;
  struct Event {
    double at;
    std::uint64_t order;
    std::function<void()> act;
    bool operator>(const Event& other) const {
      return std::pair(at, order) > std::pair(other.at, other.order);
    }
  };
  Monotonic clock() const;
  void at(double when, std::function<void()> act);
  void arrives(std::size_t tenant);
  void next_arrival(std::size_t tenant, std::uint64_t generation);
  void again(std::size_t tenant, double after);
  void give_up(Id id, bool late);
  void begin(Id id);
  void end(Id id);
  void start_service();
  void share_time();
  void next_of_time();

  std::mt19937_64 random_;
  Group group_;
  double now_ = 0, since_ = 0;
  std::uint64_t order_ = 0, served_ = 0;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events_;
  std::vector<Caller> tenants_;
  std::unordered_map<Id, Request> requests_;
  Id ids_ = 0;
  double lowest_limit_ = 1e9;
  std::deque<Id> line_;  // Slots
  int busy_ = 0;
  std::vector<Id> worked_on_;  // Time
  double shared_at_ = 0;
  std::uint64_t time_generation_ = 0;
};

}  // namespace causeway::overload::testing
