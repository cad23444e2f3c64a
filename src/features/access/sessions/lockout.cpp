#include "features/access/sessions/lockout.h"

#include <arpa/inet.h>

#include <algorithm>

namespace causeway::sessions {
namespace {

using namespace std::chrono_literals;

constexpr int kFailures = 5;
constexpr auto kWithin = 1min;
constexpr std::chrono::seconds kFirstLock = 1min;
constexpr std::chrono::seconds kLongestLock = 15min;
constexpr auto kForgotten = 1h;

}  // namespace

std::string household(std::string_view address) {
  in6_addr parsed{};
  const std::string text(address);
  if (inet_pton(AF_INET6, text.c_str(), &parsed) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&parsed)) return text;
  std::fill(std::begin(parsed.s6_addr) + 8, std::end(parsed.s6_addr), std::uint8_t{0});
  char network[INET6_ADDRSTRLEN];
  return inet_ntop(AF_INET6, &parsed, network, sizeof network);
}

Lockout::Entries::iterator Lockout::find(std::string_view address) {
  const std::string wanted = household(address);
  return std::ranges::find(entries_, wanted, &Entry::address);
}

std::chrono::seconds Lockout::wait(std::string_view address) const {
  const auto found = std::ranges::find(entries_, household(address), &Entry::address);
  if (found == entries_.end()) return 0s;
  return std::max(0s, std::chrono::ceil<std::chrono::seconds>(found->locked_until - clock_.now()));
}

std::chrono::seconds Lockout::failed(std::string_view address) {
  const auto now = clock_.now();
  while (!entries_.empty() && entries_.back().last + kForgotten <= now) entries_.pop_back();
  if (const auto found = find(address); found != entries_.end()) {
    entries_.splice(entries_.begin(), entries_, found);
  } else {
    if (entries_.size() >= kMostAddresses) entries_.pop_back();
    entries_.push_front({household(address), 0, now, now, now, 0s});
  }
  Entry& entry = entries_.front();
  entry.last = now;
  if (now - entry.since >= kWithin) {
    entry.since = now;
    entry.failures = 0;
  }
  if (++entry.failures < kFailures && entry.lock == 0s) return 0s;
  entry.lock = entry.lock == 0s ? kFirstLock : std::min(2 * entry.lock, kLongestLock);
  entry.locked_until = now + entry.lock;
  return entry.lock;
}

void Lockout::succeeded(std::string_view address) {
  if (const auto found = find(address); found != entries_.end()) entries_.erase(found);
}

}  // namespace causeway::sessions
