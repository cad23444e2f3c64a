#include "features/insight/ledger/hosted.h"

#include <chrono>

#include "features/insight/ledger/totals.h"

namespace causeway::ledger {
namespace {

constexpr HostedMeter::Mark kHour = 3'600'000'000'000;  // in nanoseconds

std::int64_t nanoseconds(Monotonic::duration time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

}  // namespace

void HostedSums::add(const HostedSums& more) {
  busy_us += more.busy_us;
  idle_us += more.idle_us;
  busy_cost += more.busy_cost;
  idle_cost += more.idle_cost;
}

// Loops read their clocks at slightly different times: an earlier one than the last counts as that.
void HostedMeter::advance(Monotonic now) {
  if (now <= last_) return;
  const std::int64_t passed = nanoseconds(now - last_);
  last_ = now;
  const Mark cost = Mark{rate_} * passed;
  if (running_ > 0) {
    share_ += cost / running_;
    busy_ns_ += passed;
    busy_cost_ += cost;
  } else if (rate_ > 0) {
    idle_ns_ += passed;
    idle_cost_ += cost;
  }
}

void HostedMeter::set_rate(Nanos per_hour, Monotonic now) {
  std::lock_guard lock(mutex_);
  advance(now);
  rate_ = per_hour;
}

HostedMeter::Mark HostedMeter::begin(Monotonic now) {
  std::lock_guard lock(mutex_);
  advance(now);
  ++running_;
  return share_;
}

Nanos HostedMeter::end(Mark mark, Monotonic now) {
  std::lock_guard lock(mutex_);
  advance(now);
  --running_;
  return static_cast<Nanos>((share_ - mark) / kHour);
}

HostedSums HostedMeter::take(Monotonic now) {
  std::lock_guard lock(mutex_);
  advance(now);
  HostedSums sums;
  sums.busy_us = busy_ns_ / 1000;
  sums.idle_us = idle_ns_ / 1000;
  sums.busy_cost = static_cast<Nanos>(busy_cost_ / kHour);
  sums.idle_cost = static_cast<Nanos>(idle_cost_ / kHour);
  // What is less than a unit stays for the next time.
  busy_ns_ %= 1000;
  idle_ns_ %= 1000;
  busy_cost_ %= kHour;
  idle_cost_ %= kHour;
  return sums;
}

void HostedMeter::put_back(const HostedSums& sums) {
  std::lock_guard lock(mutex_);
  busy_ns_ += sums.busy_us * 1000;
  idle_ns_ += sums.idle_us * 1000;
  busy_cost_ += sums.busy_cost * kHour;
  idle_cost_ += sums.idle_cost * kHour;
}

void HostedMeters::set_rates(const std::map<std::string, Nanos, std::less<>>& per_hour) {
  std::lock_guard lock(mutex_);
  const Monotonic now = clock_.now();
  for (const auto& [provider, rate] : per_hour) {
    auto& meter = meters_[provider];
    if (!meter) meter = std::make_unique<HostedMeter>(now);
  }
  for (auto& [provider, meter] : meters_) {
    const auto rate = per_hour.find(provider);
    meter->set_rate(rate == per_hour.end() ? 0 : rate->second, now);
  }
}

HostedMeter* HostedMeters::find(std::string_view provider) const {
  std::lock_guard lock(mutex_);
  const auto found = meters_.find(provider);
  return found == meters_.end() ? nullptr : found->second.get();
}

bool HostedMeters::empty() const {
  std::lock_guard lock(mutex_);
  return meters_.empty();
}

Result<void> HostedMeters::store(store::Database& db) {
  std::lock_guard lock(mutex_);
  taken_.clear();
  const std::int32_t day = day_of(clock_.wall());
  for (auto& [provider, meter] : meters_) {
    const HostedSums sums = meter->take(clock_.now());
    taken_.emplace_back(meter.get(), sums);
    if (sums.busy_us == 0 && sums.idle_us == 0) continue;
    auto done = db.run(
        "insert into hosted_totals values(?, ?, ?, ?, ?, ?) on conflict do update set "
        "busy_us = busy_us + excluded.busy_us, idle_us = idle_us + excluded.idle_us, "
        "busy_cost = busy_cost + excluded.busy_cost, idle_cost = idle_cost + excluded.idle_cost",
        {day, provider, sums.busy_us, sums.idle_us, sums.busy_cost, sums.idle_cost});
    if (!done) return pass(std::move(done));
  }
  return {};
}

void HostedMeters::stored(bool kept) {
  std::lock_guard lock(mutex_);
  if (!kept) {
    for (const auto& [meter, sums] : taken_) meter->put_back(sums);
  }
  taken_.clear();
}

Result<std::vector<HostedRow>> read_hosted(store::Database& db, std::optional<std::int32_t> from,
                                           std::optional<std::int32_t> to) {
  std::vector<HostedRow> rows;
  auto read = db.query(
      "select day, provider, busy_us, idle_us, busy_cost, idle_cost from hosted_totals "
      "where (?1 is null or day >= ?1) and (?2 is null or day <= ?2) "
      "order by day desc, provider limit 10000",
      {from, to}, [&rows](const store::Row& row) {
        rows.push_back({static_cast<std::int32_t>(row.integer(0)),
                        std::string(row.text(1)),
                        {row.integer(2), row.integer(3), row.integer(4), row.integer(5)}});
        return true;
      });
  if (!read) return pass(std::move(read));
  return rows;
}

}  // namespace causeway::ledger
