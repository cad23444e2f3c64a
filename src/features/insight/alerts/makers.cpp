#include "features/insight/alerts/makers.h"

#include <algorithm>
#include <functional>

namespace causeway::alerts {
namespace {

using namespace std::chrono_literals;

constexpr auto kShown = 1h;
constexpr std::size_t kMostTargets = 1000, kMostOfTarget = 50;

constexpr store::Migration kMigrations[] = {{1,
                                             "create table alert_makers("
                                             "  target text not null,"
                                             "  model text not null,"
                                             "  fingerprint text not null,"
                                             "  first integer not null,"
                                             "  primary key(target, model, fingerprint)"
                                             ") without rowid;"}};

std::int64_t millis(Wall time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace

void LoopMakers::note(std::uint64_t target_hash, std::string_view target, std::string_view model,
                      std::string_view fingerprint) {
  const std::hash<std::string_view> hash_of;
  const std::uint64_t hash = ((target_hash * 31 + hash_of(model)) * 31 + hash_of(fingerprint)) | 1;
  std::size_t place = hash % kPlaces;
  for (; places_[place] != 0; place = (place + 1) % kPlaces) {
    if (places_[place] == hash) return;
  }
  const std::size_t size = size_.load(std::memory_order_relaxed);
  if (size == kMost) return;
  places_[place] = hash;
  Entry& entry = (*entries_)[size];
  entry.target.set(target);
  entry.model.set(model);
  entry.fingerprint.set(fingerprint);
  size_.store(size + 1, std::memory_order_release);
}

void LoopMakers::read(std::size_t& from, std::vector<Maker>& out) const {
  const std::size_t size = size_.load(std::memory_order_acquire);
  for (; from < size; ++from) {
    const Entry& entry = (*entries_)[from];
    out.push_back({entry.target.view(), entry.model.view(), entry.fingerprint.view()});
  }
}

Result<void> Makers::load() {
  if (auto made = store_->migrate("alert_makers", kMigrations); !made) return made;
  return store_->read([this](store::Database& db) {
    return db.query(
        "select target, model, fingerprint, first from alert_makers order by first", {},
        [this](const store::Row& row) {
          const Wall first{std::chrono::milliseconds(row.integer(3))};
          const std::string target(row.text(0));
          auto [at, made] = known_.try_emplace(target);
          if (made) at->second.first = first;
          at->second.makers.push_back({target, std::string(row.text(1)), std::string(row.text(2))});
          return true;
        });
  });
}

void Makers::learn(const Maker& maker, Wall now) {
  if (!store_) return;
  // Lost when the store is busy: it is heard again after the next start.
  static_cast<void>(store_->write(
      [maker, now](store::Database& db) -> Result<void> {
        auto done = db.run(
            "insert or ignore into alert_makers(target, model, fingerprint, first) "
            "values(?, ?, ?, ?)",
            {maker.target, maker.model, maker.fingerprint, millis(now)});
        if (!done) return pass(std::move(done));
        return {};
      },
      [](Result<void>) {}));
}

Event Makers::event_of(const Known& known, const Maker& maker) {
  // The newest that it can be compared with: of the same model, if there is one.
  const auto same =
      std::ranges::find(known.makers.rbegin(), known.makers.rend(), maker.model, &Maker::model);
  const bool model = same == known.makers.rend();
  const Maker& last = model ? known.makers.back() : *same;
  const std::string what = model ? "model id" : "fingerprint";
  const std::string& now = model ? maker.model : maker.fingerprint;
  const std::string& before = model ? last.model : last.fingerprint;
  Event event;
  event.metric = Metric::ModelChange;
  event.subject = "target " + maker.target;
  event.target = maker.target;
  event.text = "Target " + maker.target + " answers with another " + what + ": " + now +
               " instead of " + (before.empty() ? "none" : before);
  event.cause = {"provider", maker.target.substr(0, maker.target.find('/')), 1,
                 what + " " + now + " instead of " + before,
                 "Answers may differ from what was tested: compare them, and name a dated version "
                 "of the model where the provider has one."};
  return event;
}

void Makers::hear(const Maker& maker, Wall now, std::chrono::milliseconds learning) {
  if (known_.size() >= kMostTargets && !known_.contains(maker.target)) return;
  auto [at, made] = known_.try_emplace(maker.target);
  Known& known = at->second;
  if (made) known.first = now;
  if (std::ranges::find(known.makers, maker) != known.makers.end()) return;
  const bool news = !known.makers.empty() && now - known.first >= learning;
  if (news) {
    std::erase_if(changes_, [&](const Change& c) { return c.event.target == maker.target; });
    changes_.push_back({now, event_of(known, maker)});
  }
  if (known.makers.size() == kMostOfTarget) known.makers.erase(known.makers.begin());
  known.makers.push_back(maker);
  learn(maker, now);
}

std::vector<Event> Makers::events(Wall now) {
  std::erase_if(changes_, [&](const Change& change) { return now - change.at > kShown; });
  std::vector<Event> out;
  for (const Change& change : changes_) out.push_back(change.event);
  return out;
}

}  // namespace causeway::alerts
