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

std::int64_t seconds_of(Wall time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

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

// One tenant, who may make up as many users as he likes, does not get the last eighth: others are
// counted all the same.
bool Table::make_room(Part& part, std::uint8_t tenant, const Now& now) {
  const std::size_t most = std::max<std::size_t>(1, most_.load(std::memory_order_relaxed) / kParts);
  const bool has_enough = tenant != 0 && most >= 8 && part.of_tenant[tenant] >= most - most / 8;
  if (part.entries.size() < most && !has_enough) return true;
  int looks = 0;
  for (auto at = part.order.rbegin(); at != part.order.rend() && looks < kLooks; ++at, ++looks) {
    const auto found = part.entries.find(*at);
    if (has_enough && found->second.tenant != tenant) continue;
    if (!idle(found->second, now)) continue;
    --part.of_tenant[found->second.tenant];
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
    Entry& entry = found->second;
    part.order.splice(part.order.begin(), part.order, entry.place);
    // Each loop has a label of its own; another text comes with a reload.
    const auto& label = wanted.limit->label;
    if (entry.label != label && *entry.label != *label) entry.label = label;
    return &entry;
  }
  if (!make_room(part, wanted.tenant, now)) return nullptr;
  Entry& entry = part.entries[wanted.key];
  entry.tenant = wanted.tenant;
  ++part.of_tenant[entry.tenant];
  const Limit& limit = *wanted.limit;
  part.order.push_front(wanted.key);
  entry.place = part.order.begin();
  entry.label = limit.label;
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
  entry.told_soft = false;  // told again by a process that begins
  entry.shared_until = {};
}

// The part that each replica has.
std::int64_t Table::part_of(std::int64_t most, const Counting& counting) {
  if (counting.by != Counting::By::Share) return most;
  return std::max<std::int64_t>(1, most / std::max<std::int64_t>(1, counting.replicas));
}

// Of a window what was said holds for its length, of a budget until its period ends.
void Table::learn(Entry& entry, const Limit& limit, std::int64_t all, std::int64_t replicas,
                  const Now& now) {
  const std::int64_t left = std::max<std::int64_t>(0, limit.most - all);
  entry.shared_used = all;
  entry.share = used(entry, now) + left / std::max<std::int64_t>(1, replicas);
  entry.shared_until = limit.each ? nanoseconds::max() : since_start(now.steady) + entry.length;
}

std::int64_t Table::most_of(const Entry& entry, const Limit& limit, const Counting& counting,
                            const Now& now) {
  if (counting.by != Counting::By::Share) return limit.most;
  if (since_start(now.steady) < entry.shared_until) return std::min(limit.most, entry.share);
  return part_of(limit.most, counting);
}

std::optional<Refusal> Table::refuse(Entry& entry, const Wanted& wanted, const Counting& counting,
                                     const Now& now) const {
  const Limit& limit = *wanted.limit;
  if (counting.by == Counting::By::Granted) return std::nullopt;
  const std::int64_t has = used(entry, now);
  if (wanted.amount > limit.most) return Refusal{0, {}, Refusal::Why::TooLarge};
  const std::int64_t most = most_of(entry, limit, counting, now);
  if (has + wanted.amount > most) {
    Refusal refusal;
    refusal.some_left = wanted.amount > 1 && has < most;
    const nanoseconds steady = since_start(now.steady);
    if (entry.window) {
      const auto until = entry.window->until(most - wanted.amount, steady, entry.length);
      refusal.wait = until.value_or(entry.length);
    } else if (limit.each) {
      refusal.wait = entry.period.end - now.wall;
    }
    return refusal;
  }
  if (limit.burst > 0) {
    const auto wait =
        entry.spacing.until(part_of(limit.most, counting), part_of(limit.burst, counting),
                            entry.length, since_start(now.steady));
    if (wait.count() > 0) return Refusal{0, wait, Refusal::Why::Used};
  }
  return std::nullopt;
}

void Table::commit(Entry& entry, const Wanted& wanted, const Counting& counting, const Now& now,
                   Taken& taken, Standing& standing) {
  const Limit& limit = *wanted.limit;
  const nanoseconds steady = since_start(now.steady);
  const bool by_share = counting.by == Counting::By::Share;
  taken = {wanted.key, wanted.amount, 0, by_share};
  entry.most = most_of(entry, limit, counting, now);
  if (entry.window) {
    taken.slot = entry.window->add(wanted.amount, steady, entry.length);
    if (limit.burst > 0) entry.spacing.add(part_of(limit.most, counting), entry.length, steady);
    const auto until = entry.window->until(0, steady, entry.length);
    standing.until = until.value_or(nanoseconds(0));
  } else {
    taken.slot = entry.period.end.time_since_epoch().count();
    standing.until = limit.each ? entry.period.end - now.wall : nanoseconds(0);
  }
  entry.reserved += wanted.amount;
  if (counting.by == Counting::By::Granted) {
    learn(entry, limit, standing.used, counting.replicas, now);
    const bool above = limit.soft > 0 && standing.used - wanted.amount >= limit.soft;
    if (!limit.each && !above) entry.told_soft = false;
    standing.soft_passed = above && !std::exchange(entry.told_soft, true);
    return;
  }
  standing.used = used(entry, now);
  if (by_share && entry.window) {
    if (entry.owed_until <= steady) entry.owed = 0;
    entry.owed += wanted.amount;
    entry.owed_until = steady + entry.length;
  }
}

// Locks are taken in the order of the parts, each once.
struct Table::Locks {
  Locks(std::array<Part, kParts>& parts, std::span<const Wanted> wanted) {
    std::array<std::size_t, kMostLimits> numbers{};
    for (std::size_t i = 0; i < wanted.size(); ++i) numbers[i] = wanted[i].key.high % kParts;
    const auto sorted = std::span(numbers).first(wanted.size());
    std::ranges::sort(sorted);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
      if (i == 0 || sorted[i] != sorted[i - 1]) {
        locks[i] = std::unique_lock(parts[sorted[i]].mutex);
      }
    }
  }
  std::array<std::unique_lock<std::mutex>, kMostLimits> locks;
};

std::optional<Refusal> Table::look(std::span<const Wanted> wanted, std::span<Known> known) {
  const Now now{clock_.now(), clock_.wall()};
  const Locks locks(parts_, wanted);
  std::array<Entry*, kMostLimits> entries{};
  std::size_t looked = 0;
  for (; looked < wanted.size(); ++looked) {
    const Wanted& one = wanted[looked];
    Entry* entry = entries[looked] = find_or_make(part_of(one.key), one, now);
    if (!entry) break;
    ++entry->pinned;
    turn(*entry, *one.limit, one.key, now);
    entry->most = one.limit->most;
  }
  const bool full = looked < wanted.size();
  for (std::size_t i = 0; i < looked; ++i) {
    Entry& entry = *entries[i];
    --entry.pinned;
    if (full) continue;
    known[i] = {};
    if (wanted[i].limit->each) known[i] = {seconds_of(entry.period.end), entry.spent, 0};
    const std::int64_t owed = std::exchange(entry.owed, 0);
    if (entry.owed_until > since_start(now.steady)) known[i].owed = owed;
  }
  if (!full) return std::nullopt;
  return Refusal{looked, wanted[looked].limit->window, Refusal::Why::TableFull};
}

void Table::owe(std::span<const Wanted> wanted, std::span<const Known> known) {
  const Locks locks(parts_, wanted);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (known[i].owed == 0) continue;
    Part& part = part_of(wanted[i].key);
    const auto found = part.entries.find(wanted[i].key);
    if (found != part.entries.end()) found->second.owed += known[i].owed;
  }
}

std::vector<Table::Owed> Table::take_owed() {
  const Now now{clock_.now(), clock_.wall()};
  std::vector<Owed> all;
  for (Part& part : parts_) {
    const std::lock_guard lock(part.mutex);
    for (auto& [key, entry] : part.entries) {
      const std::int64_t owed = std::exchange(entry.owed, 0);
      if (owed > 0 && entry.owed_until > since_start(now.steady)) {
        all.push_back({key, entry.length, owed});
      }
    }
  }
  return all;
}

void Table::refused(const Wanted& wanted, std::int64_t all) {
  const Now now{clock_.now(), clock_.wall()};
  Part& part = part_of(wanted.key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(wanted.key);
  if (found == part.entries.end()) return;
  ++found->second.refused;
  learn(found->second, *wanted.limit, all, 1, now);
}

std::optional<Refusal> Table::take(std::span<const Wanted> wanted, std::span<Taken> taken,
                                   std::span<Standing> standing, Counting counting) {
  const Now now{clock_.now(), clock_.wall()};
  const Locks locks(parts_, wanted);
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
    refusal = refuse(*entry, one, counting, now);
    if (refusal) {
      ++entry->refused;
      entry->most = most_of(*entry, *one.limit, counting, now);
      refusal->which = looked;
      standing[looked] = {used(*entry, now), refusal->wait};
      break;
    }
    ++entry->pinned;  // where room is made for the next one of its part, it stays
  }
  for (std::size_t i = 0; i < looked; ++i) --entries[i]->pinned;
  if (refusal) return refusal;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    commit(*entries[i], wanted[i], counting, now, taken[i], standing[i]);
  }
  return std::nullopt;
}

Table::Settled Table::settle(const Limit& limit, const Taken& taken, std::int64_t real, bool soft) {
  const Now now{clock_.now(), clock_.wall()};
  Part& part = part_of(taken.key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(taken.key);
  if (found == part.entries.end()) return {};
  Entry& entry = found->second;
  Settled settled;
  entry.reserved -= taken.amount;
  if (entry.window) {
    entry.window->add_in(taken.slot, real - taken.amount);
    if (limit.burst > 0 && real == 0) entry.spacing.take_back(limit.most, entry.length);
    if (taken.by_share) entry.owed = std::max<std::int64_t>(0, entry.owed + real - taken.amount);
  } else if (limit.each) {
    turn(entry, limit, taken.key, now);
    // Of a request that began in the day before: that day is over.
    if (taken.slot != entry.period.end.time_since_epoch().count()) return {};
    entry.spent += real;
    settled = {false, seconds_of(entry.period.end), entry.spent};
    if (budgets_) (void)budgets_->write(taken.key, entry.period.end, entry.spent, now.wall);
  }
  if (!soft) return settled;
  const bool above = limit.soft > 0 && used(entry, now) >= limit.soft;
  if (!limit.each && !above) entry.told_soft = false;
  settled.soft_passed = above && !std::exchange(entry.told_soft, true);
  return settled;
}

void Table::end(const Taken& taken) {
  Part& part = part_of(taken.key);
  const std::lock_guard lock(part.mutex);
  const auto found = part.entries.find(taken.key);
  if (found != part.entries.end()) found->second.reserved -= taken.amount;
}

// ASCII letters are the same in both cases.
static bool contains(std::string_view text, std::string_view part) {
  const auto same = [](char a, char b) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    return lower(a) == lower(b);
  };
  return part.empty() || !std::ranges::search(text, part, same).empty();
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
      if (!contains(entry.label->name, query.limit)) continue;
      if (!contains(entry.subject, query.subject)) continue;
      View view{entry.label->name,
                entry.label->policy,
                entry.subject,
                entry.amount,
                0,
                entry.reserved,
                entry.most,
                {},
                entry.refused};
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
      // What others have had, as of when this process last asked.
      if (since_start(now.steady) < entry.shared_until) {
        view.used = std::max(view.used, entry.shared_used);
      }
      if (part_used(view) >= query.near) views.push_back(std::move(view));
    }
  }
  std::ranges::sort(views, [&](const View& a, const View& b) {
    const double left = part_used(a), right = part_used(b);
    if (left != right) return left > right;
    return std::tie(a.limit, a.policy, a.subject) < std::tie(b.limit, b.policy, b.subject);
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
