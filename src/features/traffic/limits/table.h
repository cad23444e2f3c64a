// What everybody has had, by limit and subject. All that one request takes is taken at once, or
// nothing of it: two requests in the same instant never both have the last one. Bounded: being
// unknown is no way around a limit, so with a full table a new subject is refused until one has
// been quiet for its window. Outlives snapshots. Safe from any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "features/traffic/limits/budget_file.h"
#include "features/traffic/limits/config.h"
#include "features/traffic/limits/period.h"
#include "features/traffic/limits/window.h"
#include "platform/base/clock.h"

namespace causeway::limits {

enum class Amount : std::uint8_t { Requests, Tokens, Money, Concurrent };
std::string_view to_string(Amount amount);

/// A limit as the configuration has it, ready to be checked. Money is in nanodollars.
/// What a limit is called, and where it stands: for people.
struct Label {
  std::string name, policy;
  bool operator==(const Label&) const = default;
};

struct Limit {
  std::string name;
  std::string identity;  // over a reload: what it counts, whom and when, but not how much
  Amount amount = Amount::Requests;
  std::vector<Per> per;
  std::int64_t most = 0;
  std::int64_t soft = 0;   // 0 = nothing is told
  std::int64_t burst = 0;  // 0 = all at once
  std::chrono::nanoseconds window{0};
  std::optional<Each> each;
  std::string time_zone;
  Unpriced unpriced = Unpriced::Allow;
  std::string field_name, field_policy;  // as heads of answers say it
  std::shared_ptr<const Label> label;
};

/// One amount of one limit that a request takes.
struct Wanted {
  const Limit* limit = nullptr;
  SubjectKey key{};
  std::string_view subject;  // for people
  std::int64_t amount = 1;
  std::uint8_t tenant = 0;  // of 255 that are told apart; 0 = nobody's
};

/// By what is decided what a request may take.
struct Counting {
  enum class By : std::uint8_t {
    Alone,    // this process counts for itself
    Share,    // replicas count together, but cannot now: each has its part
    Granted,  // it was granted by those who count together; here it is only noted down
  } by = By::Alone;
  std::int64_t replicas = 1;
};

/// What is known here and must be told to those who count together.
struct Known {
  std::int64_t ends = 0;   // of a budget: its period, seconds of the epoch
  std::int64_t spent = 0;  // of a budget: in it, by this process
  std::int64_t owed = 0;   // of a window: what was taken by share; from now on it counts as told
};

/// What must be kept to give back, or to settle: of a request that has taken it.
struct Taken {
  SubjectKey key{};
  std::int64_t amount = 0, slot = 0;
  bool by_share = false;
};

/// How one limit stands for one subject.
struct Standing {
  std::int64_t used = 0;              // with what is reserved; of one Granted, by all replicas
  std::chrono::nanoseconds until{0};  // until all of it is free; of one refused, until it may go
  bool soft_passed = false;           // of one Granted: for the first time in this period
};

struct Refusal {
  std::size_t which = 0;             // of what was wanted
  std::chrono::nanoseconds wait{0};  // until it is worth asking again; 0 = not known
  enum class Why : std::uint8_t { Used, TooLarge, TableFull } why = Why::Used;
  bool some_left = false;  // but less than was wanted
};

class Table {
 public:
  /// `clock` outlives it; `budgets` may be null (nothing is kept over a restart).
  Table(const Clock& clock, std::size_t most_subjects, BudgetFile* budgets = nullptr);

  /// Takes all of it, `taken` and `standing` for each, or nothing. At most kMostLimits. Of what is
  /// Granted, `standing` says how much all replicas have used; only a full table refuses it.
  static constexpr std::size_t kMostLimits = 12;
  std::optional<Refusal> take(std::span<const Wanted> wanted, std::span<Taken> taken,
                              std::span<Standing> standing, Counting counting = {});
  /// Before those who count together are asked. A refusal: the table is full.
  std::optional<Refusal> look(std::span<const Wanted> wanted, std::span<Known> known);
  /// What look() said was told has not been.
  void owe(std::span<const Wanted> wanted, std::span<const Known> known);
  /// All that was taken of windows by share and not told yet; from now on it counts as told. Looks
  /// at all subjects, a part at a time.
  struct Owed {
    SubjectKey key;
    std::chrono::nanoseconds window;
    std::int64_t amount;
  };
  std::vector<Owed> take_owed();
  /// Those who count together have refused it; `used` by all.
  void refused(const Wanted& wanted, std::int64_t used);

  struct Settled {
    bool soft_passed = false;          // for the first time in this period
    std::int64_t ends = 0, spent = 0;  // as Known says
  };
  /// What a request has really come to: the difference is given back, or owed. `soft`: whether the
  /// soft part is looked at.
  Settled settle(const Limit& limit, const Taken& taken, std::int64_t real, bool soft = true);
  /// Of Concurrent, when the request is over.
  void end(const Taken& taken);

  void set_most(std::size_t subjects) { most_.store(subjects, std::memory_order_relaxed); }

  struct View {
    std::string limit, policy, subject;
    Amount amount = Amount::Requests;
    std::int64_t used = 0, reserved = 0, most = 0;
    std::chrono::nanoseconds until{0};
    std::uint64_t refused = 0;
  };
  struct Query {
    std::string limit, subject;  // a part of it, in any case; "" = all
    double near = 0;             // from this part of the most on
    std::size_t limit_rows = 1000;
  };
  /// Those nearest to their end first. Looks at all of them, a part at a time.
  std::vector<View> list(const Query& query) const;

  struct Stats {
    std::size_t subjects = 0;
    std::uint64_t evicted = 0, full = 0;
  };
  Stats stats() const;

 private:
  struct Entry {
    std::shared_ptr<const Label> label;
    std::string subject;
    Amount amount = Amount::Requests;
    std::int64_t most = 0;
    std::unique_ptr<Window> window;  // null: by the calendar, or concurrent
    Spacing spacing;
    std::chrono::nanoseconds length{0};
    Period period;
    std::int64_t spent = 0;     // of the period
    std::int64_t reserved = 0;  // taken and not settled; of Concurrent: what runs
    std::uint64_t refused = 0;
    // Of those that are counted together: by all, when it was last said; how much of it this
    // process may have had when it is alone; both until then, since a window forgets.
    std::int64_t shared_used = 0, share = 0;
    std::chrono::nanoseconds shared_until{0};
    std::int64_t owed = 0;  // in this window, by share
    std::chrono::nanoseconds owed_until{0};
    std::uint32_t pinned = 0;
    std::uint8_t tenant = 0;
    bool told_soft = false;
    std::list<SubjectKey>::iterator place;
  };
  struct KeyHash {
    std::size_t operator()(const SubjectKey& key) const { return key.low; }
  };
  struct alignas(64) Part {
    mutable std::mutex mutex;
    std::unordered_map<SubjectKey, Entry, KeyHash> entries;
    std::list<SubjectKey> order;  // used last in front
    std::array<std::uint32_t, 256> of_tenant{};
  };
  static constexpr std::size_t kParts = 64;

  struct Now {
    Monotonic steady;
    Wall wall;
  };
  Part& part_of(const SubjectKey& key) { return parts_[key.high % kParts]; }
  Entry* find_or_make(Part& part, const Wanted& wanted, const Now& now);
  bool make_room(Part& part, std::uint8_t tenant, const Now& now);
  static bool idle(Entry& entry, const Now& now);
  void turn(Entry& entry, const Limit& limit, const SubjectKey& key, const Now& now);
  static std::int64_t part_of(std::int64_t most, const Counting& counting);
  static std::int64_t most_of(const Entry& entry, const Limit& limit, const Counting& counting,
                              const Now& now);
  std::optional<Refusal> refuse(Entry& entry, const Wanted& wanted, const Counting& counting,
                                const Now& now) const;
  static void learn(Entry& entry, const Limit& limit, std::int64_t used, std::int64_t replicas,
                    const Now& now);
  static std::int64_t used(Entry& entry, const Now& now);
  static void commit(Entry& entry, const Wanted& wanted, const Counting& counting, const Now& now,
                     Taken& taken, Standing& standing);
  struct Locks;

  const Clock& clock_;
  std::atomic<std::size_t> most_;
  BudgetFile* budgets_;
  std::array<Part, kParts> parts_;
  std::atomic<std::uint64_t> evicted_{0}, full_{0};
};

}  // namespace causeway::limits
