#include "platform/http/pool.h"

#include <algorithm>

namespace causeway::http {

Pools::Pools(net::Loop& loop) : loop_(loop) { loop.watch(*this); }

Pools::~Pools() {
  close_idle();
  using namespace std::chrono_literals;
  loop_.run_until([this] { return closing_.empty(); }, 1s);
}

Pools::Slot Pools::reserve(const Endpoint& endpoint, const std::string& id) {
  Pool& pool = pools_[id];
  pool.max_idle = endpoint.max_idle;
  if (pool.open >= endpoint.max_open) return {};
  ++pool.open;
  ++stats_.open;
  return {this, &pool};
}

Pools::Slot Pools::take_idle(const std::string& id) {
  const auto found = pools_.find(id);
  if (found == pools_.end() || found->second.idle.empty()) return {};
  auto& idle = found->second.idle;
  Slot slot = std::move(idle.back());
  idle.pop_back();
  --stats_.idle;
  ++stats_.reused_total;
  slot->use = Connection::Use::InCall;
  slot->reused = true;
  return slot;
}

void Pools::release(Slot slot) {
  Pool& pool = *slot.pool_;
  Connection& connection = *slot;
  if (pool.idle.size() >= pool.max_idle) return;
  if (connection.buffer.size() != Connection::kBufferBytes) {
    connection.buffer.resize(Connection::kBufferBytes, 0);
  }
  connection.begin_read(connection.buffer.from(0));
  if (!connection.reading()) return;  // its end is there already, or bytes that nobody asked for
  connection.use = Connection::Use::Idle;
  connection.idle_since = loop_.now();
  pool.idle.push_back(std::move(slot));
  ++stats_.idle;
}

void Pools::idle_ended(Connection& connection) {
  for (auto& [id, pool] : pools_) {
    const auto found =
        std::ranges::find_if(pool.idle, [&](const Slot& slot) { return &*slot == &connection; });
    if (found == pool.idle.end()) continue;
    const Slot dropped = std::move(*found);
    pool.idle.erase(found);
    --stats_.idle;
    return;
  }
}

void Pools::close_idle() {
  for (auto& [id, pool] : pools_) {
    stats_.idle -= pool.idle.size();
    pool.idle.clear();
  }
}

void Pools::sweep(Monotonic now) {
  for (auto& [id, pool] : pools_) {
    const auto young = std::ranges::find_if(
        pool.idle, [now](const Slot& slot) { return now - slot->idle_since < kIdleTimeout; });
    stats_.idle -= static_cast<std::size_t>(young - pool.idle.begin());
    pool.idle.erase(pool.idle.begin(), young);
  }
  std::erase_if(pools_, [](const auto& known) { return known.second.open == 0; });
}

void Pools::discard(std::unique_ptr<Connection> connection) {
  connection->use = Connection::Use::Closing;
  connection->close();
  if (!connection->reading() && !connection->writing()) return;
  Connection* key = connection.get();
  closing_.emplace(key, std::move(connection));
}

void Pools::close_ended(Connection& connection) { closing_.erase(&connection); }

Pools::Slot::~Slot() {
  if (!pools_) return;
  --pool_->open;
  --pools_->stats_.open;
  if (connection_) pools_->discard(std::move(connection_));
}

void Pools::Slot::connected(std::unique_ptr<net::Stream> stream) {
  connection_ = std::make_unique<Connection>(*pools_, std::move(stream));
  ++pools_->stats_.opened_total;
}

}  // namespace causeway::http
