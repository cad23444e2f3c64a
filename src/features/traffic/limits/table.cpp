#include "features/traffic/limits/table.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace causeway::limits {
namespace {

constexpr std::size_t kMostSubjectName = 64;  // bytes that are kept for people
constexpr int kLooks = 16;                    // for one that is quiet, from the one unused longest

using std::chrono::nanoseconds;

nanoseconds since_start(Monotonic time) { return time.time_since_epoch(); }

}  // namespace

std::string_view to_string(Amount amount) {
  switch (amount) {
    case Amount::Requests:
      return "requests";
    case Amount::Tokens:
      return "tokens";
    case Amount::Money:
      return "money";
    case Amount::Concurrent:
      break;
  }
  return "concurrent";
}

Table::Table(const Clock& clock, std::size_t most_subjects, BudgetFile* budgets)
    : clock_(clock), most_(most_subjects), budgets_(budgets) {}

std::int64_t Table::used(Entry& entry, const Now& now) {
  if (entry.window) return entry.window->sum(since_start(now.steady), entry.length);
  return entry.spent + entry.reserved;
}

// Nothing is known of it that matters: it may be forgotten, or its file remembers.
bool Table::idle(Entry& entry, const Now& now) {
  if (entry.reserved != 0 || entry.pinned != 0) return false;
  if (entry.window) return used(entry, now) == 0;
  return entry.amount == Amount::Concurrent || !entry.period.contains(now.wall) || entry.spent == 0;
}

bool Table::make_room(Part& part, const Now& now) {
  const std::size_t most = std::max<std::size_t>(1, most_.load(std::memory_order_relaxed) / kParts);
  if (part.entries.size() < most) return true;
  int looks = 0;
  for (auto at = part.order.rbegin(); at != part.order.rend() && looks < kLooks; ++at, ++looks) {
    const auto found = part.entries.find(*at);
    if (!idle(found->second, now)) continue;
    part.order.erase(found->second.place);
    part.entries.erase(found);
    evicted_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  full_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

Table::Entry* Table::find_or_make(Part& part, const Wanted& wanted, const Now& now) {
  const auto found = part.entries.find(wanted.key);
  if (found != part.entries.end()) {
    part.order.splice(part.order.begin(), part.order, found->second.place);
    return &found->second;
  }
  if (!make_room(part, now)) return nullptr;
  Entry& entry = part.entries[wanted.key];
  const Limit& limit = *wanted.limit;
  part.order.push_front(wanted.key);
  entry.place = part.order.begin();
  entry.limit = std::make_shared<const std::string>(limit.name);
  entry.subject = wanted.subject.substr(0, kMostSubjectName);
  entry.amount = limit.amount;
  entry.length = limit.window;
  if (!limit.each && limit.amount != Amount::Concurrent) entry.window = std::make_unique<Window>();
  return &entry;
}

// A new day or month begins with nothing, or with what a process before this one has counted.
void Table::turn(Entry& entry, const Limit& limit, const SubjectKey& key, const Now& now) {
  if (!limit.each || entry.period.contains(now.wall)) return;
  entry.period = period_of(*limit.each, limit.time_zone, now.wall);
  entry.spent = budgets_ ? budgets_->read(key, entry.period.end) : 0;
  entry.told_soft = limit.soft > 0 && entry.spent >= limit.soft;
}

std::optional<Refusal> Table::refuse(Entry& entry, const Wanted& wanted, const Now& now) const {
  const Limit& limit = *wanted.limit;
  const std::int64_t has = used(entry, now);
  if (wanted.amount > limit.most) return Refusal{0, {}, Refusal::Why::TooLarge};
  if (has + wanted.amount > limit.most) {
    Refusal refusal;
    const nanoseconds steady = since_start(now.steady);
    if (entry.window) {
      const auto until = entry.window->until(limit.most - wanted.amount, steady, entry.length);
      refusal.wait = until.value_or(entry.length);
    } else if (limit.each) {
      refusal.wait = entry.period.end - now.wall;
    }
    return refusal;
  }
  if (limit.burst > 0) {
    const auto wait =
        entry.spacing.until(limit.most, limit.burst, entry.length, since_start(now.steady));
    if (wait.count() > 0) return Refusal{0, wait, Refusal::Why::Used};
  }
  return std::nullopt;
}

void Table::commit(Entry& entry, const Wanted& wanted, const Now& now, Taken& taken,
                   Standing& standing) {
  const Limit& limit = *wanted.limit;
  const nanoseconds steady = since_start(now.steady);
  taken = {wanted.key, wanted.amount, 0};
  entry.most = limit.most;
  if (entry.window) {
    taken.slot = entry.window->add(wanted.amount, steady, entry.length);
    if (limit.burst > 0) entry.spacing.add(limit.most, entry.length, steady);
    const auto until = entry.window->until(0, steady, entry.length);
    standing.until = until.value_or(nanoseconds(0));
  } else {
    taken.slot = entry.period.end.time_since_epoch().count();
    standing.until = limit.each ? entry.period.end - now.wall : nanoseconds(0);
  }
  entry.reserved += wanted.amount;
  standing.used = used(entry, now);
}

std::optional<Refusal> Table::take(std::span<const Wanted> wanted, std::span<Taken> taken,
                                   std::span<Standing> standing) {
  const Now now{clock_.now(), clock_.wall()};
  // Locks are taken in the order of the parts, each once.
  std::array<std::size_t, kMostLimits> numbers{};
  for (std::size_t i = 0; i < wanted.size(); ++i) numbers[i] = wanted[i].key.high % kParts;
  const auto parts = std::span(numbers).first(wanted.size());
  std::ranges::sort(parts);
  std::array<std::unique_lock<std::mutex>, kMostLimits> locks;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i == 0 || parts[i] != parts[i - 1]) {
      locks[i] = std::unique_lock(parts_[parts[i]].mutex);
    }
  }
  std::array<Entry*, kMostLimits> entries{};
  std::optional<Refusal> refusal;
  std::size_t looked = 0;
  for (; looked < wanted.size(); ++looked) {
    const Wanted& one = wanted[looked];
    Entry* entry = entries[looked] = find_or_make(part_of(one.key), one, now);
    if (!entry) {
      refusal = Refusal{looked, one.limit->window, Refusal::Why::TableFull};
      break;
    }
    turn(*entry, *one.limit, one.key, now);
    refusal = refuse(*entry, one, now);
    if (refusal) {
      ++entry->refused;
      entry->most = one.limit->most;
      refusal->which = looked;
      standing[looked] = {used(*entry, now), refusal->wait};
      break;
    }
    ++entry->pinned;  // where room is made for the next one of its part, it stays
  }
  for (std::size_t i = 0; i < looked; ++i) --entries[i]->pinned;
  if (refusal) return refusal;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    commit(*entries[i], wanted[i], now, taken[i], standing[i]);
  }
  return std::nullopt;
}

bool Table::settle(const Limit& limit, const Taken& taken, std::int64_t real) {
  const Now now{clock_.now(), clock_.wall()};
  Part& part = part_of(taken.key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(taken.key);
  if (found == part.entries.end()) return false;
  Entry& entry = found->second;
  entry.reserved -= taken.amount;
  if (entry.window) {
    entry.window->add_in(taken.slot, real - taken.amount);
    if (limit.burst > 0 && real == 0) entry.spacing.take_back(limit.most, entry.length);
  } else if (limit.each) {
    turn(entry, limit, taken.key, now);
    // Of a request that began in the day before: that day is over.
    if (taken.slot != entry.period.end.time_since_epoch().count()) return false;
    entry.spent += real;
    if (budgets_) (void)budgets_->write(taken.key, entry.period.end, entry.spent, now.wall);
  }
  const bool above = limit.soft > 0 && used(entry, now) >= limit.soft;
  if (!limit.each && !above) entry.told_soft = false;
  return above && !std::exchange(entry.told_soft, true);
}

void Table::end(const Taken& taken) {
  Part& part = part_of(taken.key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(taken.key);
  if (found != part.entries.end()) found->second.reserved -= taken.amount;
}

std::vector<Table::View> Table::list(const Query& query) const {
  const Now now{clock_.now(), clock_.wall()};
  std::vector<View> views;
  const auto part_used = [](const View& view) {
    return view.most > 0 ? static_cast<double>(view.used) / static_cast<double>(view.most) : 0;
  };
  for (const Part& const_part : parts_) {
    auto& part = const_cast<Part&>(const_part);  // looking lets what is over go
    const std::lock_guard lock(part.mutex);
    for (auto& [key, entry] : part.entries) {
      if (!query.limit.empty() && *entry.limit != query.limit) continue;
      if (!query.subject.empty() && entry.subject != query.subject) continue;
      View view{*entry.limit,   entry.subject, entry.amount, 0,
                entry.reserved, entry.most,    {},           entry.refused};
      if (entry.window) {
        const nanoseconds steady = since_start(now.steady);
        view.used = used(entry, now);
        view.until = entry.window->until(0, steady, entry.length).value_or(nanoseconds(0));
      } else if (entry.amount == Amount::Concurrent) {
        view.used = entry.reserved;
      } else if (entry.period.contains(now.wall)) {
        view.used = entry.spent + entry.reserved;
        view.until = entry.period.end - now.wall;
      }
      if (part_used(view) >= query.near) views.push_back(std::move(view));
    }
  }
  std::ranges::sort(views, [&](const View& a, const View& b) {
    const double left = part_used(a), right = part_used(b);
    if (left != right) return left > right;
    return std::tie(a.limit, a.subject) < std::tie(b.limit, b.subject);
  });
  if (views.size() > query.limit_rows) views.resize(query.limit_rows);
  return views;
}

Table::Stats Table::stats() const {
  Stats stats;
  stats.evicted = evicted_.load(std::memory_order_relaxed);
  stats.full = full_.load(std::memory_order_relaxed);
  for (const Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    stats.subjects += part.entries.size();
  }
  return stats;
}

}  // namespace causeway::limits
