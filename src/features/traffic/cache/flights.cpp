#include "features/traffic/cache/flights.h"

#include <utility>

namespace causeway::cache {

bool Flights::lead(const Key& key) {
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  return part.flights.try_emplace(key).second;
}

Flights::Joined Flights::join(const Key& key, Landed landed, Ticket& ticket) {
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  const auto [flight, first] = part.flights.try_emplace(key);
  if (first) return Joined::Leads;
  if (flight->second.size() >= kMostWaiting) return Joined::Full;
  ticket = ++part.last;
  flight->second.push_back({ticket, std::move(landed)});
  return Joined::Waits;
}

void Flights::leave(const Key& key, Ticket ticket) {
  Part& part = part_of(key);
  const std::lock_guard lock(part.mutex);
  const auto flight = part.flights.find(key);
  if (flight == part.flights.end()) return;
  std::erase_if(flight->second, [&](const Waiting& one) { return one.ticket == ticket; });
}

void Flights::land(const Key& key, bool kept) {
  std::vector<Waiting> waiting;
  {
    Part& part = part_of(key);
    const std::lock_guard lock(part.mutex);
    const auto flight = part.flights.find(key);
    if (flight == part.flights.end()) return;
    waiting = std::move(flight->second);
    part.flights.erase(flight);
  }
  for (Waiting& one : waiting) one.landed(kept);
}

}  // namespace causeway::cache
