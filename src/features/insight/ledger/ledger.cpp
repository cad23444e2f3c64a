#include "features/insight/ledger/ledger.h"

#include <algorithm>
#include <set>
#include <utility>

#include "platform/base/worker.h"

namespace causeway::ledger {
namespace {

std::string ring_name(int loop) { return "loop-" + std::to_string(loop) + ".ring"; }

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(store::Store& store, const store::DataFolder& folder,
                                             Options options) {
  std::unique_ptr<Ledger> ledger(new Ledger(store, std::move(options)));
  auto ready = migrate_totals(store);
  if (ready) ready = ledger->open_rings(folder.file("journal"));
  if (!ready) return pass(std::move(ready));
  Ledger* self = ledger.get();
  self->sync_thread_ = start_thread("ledger-sync", [self] { self->sync_loop(); });
  self->fold_thread_ = start_thread("ledger-fold", [self] { self->fold_loop(); });
  return ledger;
}

Ledger::~Ledger() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  if (sync_thread_.joinable()) sync_thread_.join();
  if (fold_thread_.joinable()) fold_thread_.join();
}

// Rings of loops that there are no more, or of another size, are folded and removed.
Result<void> Ledger::open_rings(const std::filesystem::path& folder) {
  if (auto made = store::make_private_folder(folder); !made) return made;
  std::set<std::string> ours;
  for (int i = 0; i < options_.loops; ++i) ours.insert(ring_name(i));
  std::vector<std::filesystem::path> others;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".ring" && !ours.contains(entry.path().filename().string())) {
      others.push_back(entry.path());
    }
  }
  for (const auto& path : others) {
    if (auto done = fold_left_over(path); !done) return done;
  }
  for (int i = 0; i < options_.loops; ++i) {
    const auto path = folder / ring_name(i);
    auto ring = open_ring(path);
    if (ring && (*ring)->capacity() != options_.ring_records / 16 * 16) {
      ring->reset();
      if (auto done = fold_left_over(path); !done) return done;
      ring = open_ring(path);
    }
    if (!ring) return pass(std::move(ring));
    rings_.push_back(std::move(*ring));
  }
  std::vector<JournalRing*> all;
  for (const auto& ring : rings_) all.push_back(ring.get());
  return fold_rings(std::move(all));
}

Result<std::unique_ptr<JournalRing>> Ledger::open_ring(const std::filesystem::path& path) {
  auto ring = JournalRing::open(path, options_.ring_records);
  if (!ring && ring.error().code == "journal_damaged") {
    auto aside = path;
    aside += ".damaged";
    std::error_code code;
    std::filesystem::rename(path, aside, code);
    if (code) return ring;
    recovered_.damaged.push_back(aside);
    ring = JournalRing::open(path, options_.ring_records);
  }
  if (!ring) return ring;
  auto folded = folded_up_to(store_, (*ring)->id());
  if (!folded) return pass(std::move(folded));
  const auto found = (*ring)->recover(*folded);
  recovered_.records += found.records;
  recovered_.torn += found.torn;
  recovered_.lost += found.lost;
  return ring;
}

Result<void> Ledger::fold_left_over(const std::filesystem::path& path) {
  auto ring = open_ring(path);
  if (!ring) return pass(std::move(ring));
  if (auto done = fold_rings({ring->get()}); !done) return done;
  const std::uint64_t id = (*ring)->id();
  ring->reset();
  std::error_code code;
  std::filesystem::remove(path, code);
  if (code) return {};  // it is folded: next time it is found empty
  return store_.write_and_wait([id](store::Database& db) { return forget_ring(db, id); });
}

Result<void> Ledger::fold_rings(std::vector<JournalRing*> rings, FoldGuest* guest) {
  std::vector<Progress> progress;
  Fold fold;
  for (JournalRing* ring : rings) {
    const Progress step{ring->id(), ring->folded(), ring->head()};
    for (std::uint64_t sequence = step.from + 1; sequence <= step.to; ++sequence) {
      if (const Record* record = ring->at(sequence)) fold.add(*record);
    }
    progress.push_back(step);
  }
  const bool nothing =
      std::ranges::all_of(progress, [](const Progress& step) { return step.from == step.to; });
  if (nothing && !guest) return {};
  auto stored = store_.write_and_wait([&](store::Database& db) -> Result<void> {
    for (const Progress& step : progress) {
      if (step.from == step.to) continue;
      if (auto done = store_progress(db, step); !done) return done;
    }
    auto done = fold.store(db);
    return done && guest ? guest->store(db) : done;
  });
  if (guest) guest->stored(stored.has_value());
  if (!stored) {
    if (stored.error().code == "journal_out_of_step") find_place(rings);
    return stored;
  }
  for (std::size_t i = 0; i < rings.size(); ++i) rings[i]->set_folded(progress[i].to);
  return {};
}

// A commit that was reported as failed may have reached the disk all the same; the table knows.
void Ledger::find_place(const std::vector<JournalRing*>& rings) {
  for (JournalRing* ring : rings) {
    const auto folded = folded_up_to(store_, ring->id());
    if (folded && *folded > ring->folded() && *folded <= ring->head()) ring->set_folded(*folded);
  }
}

void Ledger::sync_loop() {
  std::unique_lock lock(mutex_);
  while (!stopped_) {
    wake_.wait_for(lock, options_.sync_every, [this] { return stopped_; });
    lock.unlock();
    bool filling = false;
    Result<void> synced;
    for (const auto& ring : rings_) {
      if (auto one = ring->sync(); !one) synced = std::move(one);
      filling |= ring->unfolded() > ring->capacity() / 4;
    }
    report(sync_trouble_, synced);
    lock.lock();
    if (filling && asked_ == answered_) {
      ++asked_;
      wake_.notify_all();
    }
  }
}

void Ledger::fold_loop() {
  std::vector<JournalRing*> rings;
  for (const auto& ring : rings_) rings.push_back(ring.get());
  std::unique_lock lock(mutex_);
  bool last = false;
  while (!last) {
    wake_.wait_for(lock, options_.fold_every, [this] { return stopped_ || asked_ != answered_; });
    last = stopped_;
    const std::uint64_t answering = asked_;
    const bool asked = last || answering != answered_;
    const auto guest = guest_;
    lock.unlock();
    auto done = fold_rings(rings, guest && guest->due(asked) ? guest.get() : nullptr);
    report(fold_trouble_, done);
    lock.lock();
    last_fold_ = std::move(done);
    answered_ = answering;
    folded_.notify_all();
  }
}

void Ledger::report(bool& in_trouble, const Result<void>& result) {
  std::lock_guard lock(trouble_mutex_);
  if (in_trouble == !result) return;
  in_trouble = !result;
  if (options_.trouble) options_.trouble(result ? nullptr : &result.error());
}

// A fold that is under way may have read the rings before the caller's records were there, so the
// one that counts is one that begins after this call.
Result<void> Ledger::fold() {
  std::unique_lock lock(mutex_);
  if (stopped_) return fail(ErrorKind::Unavailable, Origin::Us, "the ledger is closing");
  const std::uint64_t mine = ++asked_;
  wake_.notify_all();
  folded_.wait(lock, [this, mine] { return answered_ >= mine; });
  return last_fold_;
}

Result<std::vector<UsageRow>> Ledger::usage(const UsageQuery& query) {
  if (auto done = fold(); !done) return pass(std::move(done));
  std::vector<UsageRow> rows;
  auto read = store_.read([&](store::Database& db) -> Result<void> {
    auto found = read_usage(db, query);
    if (!found) return pass(std::move(found));
    rows = std::move(*found);
    return {};
  });
  if (!read) return pass(std::move(read));
  return rows;
}

void Ledger::set_guest(std::shared_ptr<FoldGuest> guest) {
  std::lock_guard lock(mutex_);
  guest_ = std::move(guest);
}

std::uint64_t Ledger::unfolded() const {
  std::uint64_t sum = 0;
  for (const auto& ring : rings_) sum += ring->unfolded();
  return sum;
}

}  // namespace causeway::ledger
