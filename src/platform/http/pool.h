// The connections of one loop, pooled by endpoint id. Idle ones are taken last in, first out, so
// that few stay warm and the rest age out; each idle one is watched, and one that the upstream
// closes is dropped before anybody takes it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "platform/http/client.h"
#include "platform/http/client_connection.h"
#include "platform/net/loop.h"

namespace causeway::http {

class Pools final : public ConnectionOwner, public net::Swept {
 public:
  static constexpr std::chrono::seconds kIdleTimeout{60};

  explicit Pools(net::Loop& loop);
  /// Closes everything and runs the loop until the sockets have noticed. No call may be running.
  ~Pools() override;

  class Slot;

  /// The right to have one connection of an endpoint; none above max_open.
  Slot reserve(const Endpoint& endpoint, const std::string& id);
  /// A connection that was idle, or nullptr.
  Slot take_idle(const std::string& id);
  void close_idle();
  const Client::Stats& stats() const { return stats_; }

  void sweep(Monotonic now) override;
  void idle_ended(Connection& connection) override;
  void close_ended(Connection& connection) override;

 private:
  struct Pool {
    std::size_t open = 0;
    std::size_t max_idle = 0;
    std::vector<Slot> idle;  // the oldest first
  };
  void release(Slot slot);
  void discard(std::unique_ptr<Connection> connection);

  net::Loop& loop_;
  Client::Stats stats_;
  std::unordered_map<std::string, Pool> pools_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> closing_;
};

/// A place among an endpoint's open connections, and the connection once there is one. Given back
/// by the destructor (which closes the connection) or by release().
class Pools::Slot {
 public:
  Slot() = default;
  Slot(Slot&& other) noexcept
      : pools_(std::exchange(other.pools_, nullptr)),
        pool_(other.pool_),
        connection_(std::move(other.connection_)) {}
  Slot& operator=(Slot&& other) noexcept {
    std::swap(pools_, other.pools_);
    std::swap(pool_, other.pool_);
    std::swap(connection_, other.connection_);
    return *this;
  }
  ~Slot();

  explicit operator bool() const { return pools_ != nullptr; }
  Connection* operator->() const { return connection_.get(); }
  Connection& operator*() const { return *connection_; }
  bool connected() const { return connection_ != nullptr; }
  void connected(std::unique_ptr<net::Stream> stream);
  /// Keeps the connection for the next call.
  void release() && { pools_->release(std::move(*this)); }

 private:
  friend class Pools;
  Slot(Pools* pools, Pool* pool) : pools_(pools), pool_(pool) {}
  Pools* pools_ = nullptr;
  Pool* pool_ = nullptr;
  std::unique_ptr<Connection> connection_;
};

}  // namespace causeway::http
