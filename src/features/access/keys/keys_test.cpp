#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>

#include "features/access/keys/ring.h"
#include "platform/store/test_folder.h"

namespace causeway::keys {
namespace {

using namespace std::chrono_literals;

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Fixture {
  store::TestFolder test;
  store::DataFolder folder = test.folder();
  std::unique_ptr<store::Store> store = store::Store::open(folder).value();
  ManualClock clock;
  std::unique_ptr<KeyRing> ring;
  std::unique_ptr<LoopKeys> loop;

  Fixture() {
    clock.set_wall(Wall(std::chrono::seconds(1'800'000'000)));
    restart();
  }
  void restart() {
    loop.reset();
    ring = KeyRing::open(*store, folder, clock).value();
    loop = ring->make_loop_keys();
    ring->set_publish([this](TablePtr table, auto everywhere) {
      loop->adopt(std::move(table));
      everywhere();
    });
  }
  KeyState state(const Secret& key) { return loop->find(key.reveal(), clock.wall()).state; }
};

NewKey named(std::string name) {
  NewKey key;
  key.name = std::move(name);
  return key;
}

TEST(Keys, ACreatedKeyIsFoundWithItsPrincipalAlsoAfterARestart) {
  Fixture f;
  NewKey key = named("shop");
  key.tenant = "acme";
  key.user = "ann";
  key.roles = {"support", "lead"};
  key.attributes = {{"region", "eu"}, {"empty", ""}, {"formula", "a=b"}};
  key.models = {"fast", "openai/*"};
  const auto created = f.ring->create(key).value();
  EXPECT_TRUE(created.text.reveal().starts_with("cw-" + created.record->principal.key_id + "-"));
  EXPECT_EQ(created.text.reveal().size(), 3u + 16 + 1 + 43);
  for (int round = 0; round < 2; ++round) {
    auto found = f.loop->find(created.text.reveal(), f.clock.wall());
    ASSERT_EQ(found.state, KeyState::Valid);
    const Principal& who = found.lease->principal;
    EXPECT_EQ(who.key_name, "shop");
    EXPECT_EQ(who.tenant, "acme");
    EXPECT_EQ(who.user, "ann");
    EXPECT_EQ(who.roles, key.roles);
    EXPECT_EQ(who.attributes, key.attributes);
    EXPECT_EQ(who.models, key.models);
    EXPECT_EQ(found.lease->secrets.front().last4, created.text.reveal().substr(59));
    found.lease.reset();
    f.restart();
  }
}

TEST(Keys, NothingElseIsFound) {
  Fixture f;
  const auto created = f.ring->create(named("a")).value();
  std::string text(created.text.reveal());
  EXPECT_EQ(f.loop->find("", f.clock.wall()).state, KeyState::Unknown);
  EXPECT_EQ(f.loop->find(text + "x", f.clock.wall()).state, KeyState::Unknown);
  EXPECT_EQ(f.loop->find(std::string(100000, 'x'), f.clock.wall()).state, KeyState::Unknown);
  text.back() ^= 1;
  EXPECT_EQ(f.loop->find(text, f.clock.wall()).state, KeyState::Unknown);
}

TEST(Keys, TheSecretIsNowhereOnTheDisk) {
  Fixture f;
  const auto created = f.ring->create(named("a")).value();
  const auto secret = created.text.reveal().substr(20);
  for (const auto& entry : std::filesystem::directory_iterator(f.test.path)) {
    EXPECT_EQ(slurp(entry.path()).find(secret), std::string::npos) << entry.path();
  }
}

TEST(Keys, RotationLeavesTheOldSecretItsGrace) {
  Fixture f;
  const auto first = f.ring->create(named("a")).value();
  const auto second = f.ring->rotate("a", 60s).value();
  EXPECT_EQ(second.record->principal.key_id, first.record->principal.key_id);
  EXPECT_EQ(f.state(first.text), KeyState::Valid);
  EXPECT_EQ(f.state(second.text), KeyState::Valid);
  f.restart();
  f.clock.advance(61s);
  EXPECT_EQ(f.state(first.text), KeyState::Replaced);
  EXPECT_EQ(f.state(second.text), KeyState::Valid);
  const auto third = f.ring->rotate(first.record->principal.key_id, 0s).value();
  EXPECT_EQ(f.state(second.text), KeyState::Replaced);
  EXPECT_EQ(f.state(third.text), KeyState::Valid);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(f.ring->rotate("a", 1h));
  EXPECT_LE(f.ring->get("a").value()->secrets.size(), 4u);
}

TEST(Keys, ExpiryAndRevocation) {
  Fixture f;
  NewKey key = named("a");
  key.expires = f.clock.wall() + 10s;
  const auto a = f.ring->create(key).value();
  const auto b = f.ring->create(named("b")).value();
  EXPECT_EQ(f.state(a.text), KeyState::Valid);
  f.clock.advance(10s);
  EXPECT_EQ(f.state(a.text), KeyState::Expired);
  ASSERT_TRUE(f.ring->set_expiry(a.record->principal.key_id, std::nullopt));
  EXPECT_EQ(f.state(a.text), KeyState::Valid);
  ASSERT_TRUE(f.ring->revoke("b"));
  EXPECT_EQ(f.state(b.text), KeyState::Revoked);
  f.restart();
  EXPECT_EQ(f.state(a.text), KeyState::Valid);
  EXPECT_EQ(f.state(b.text), KeyState::Revoked);
  const auto id = b.record->principal.key_id;
  EXPECT_EQ(f.ring->revoke(id).error().code, "key_revoked");
  EXPECT_EQ(f.ring->rotate(id, 0s).error().code, "key_revoked");
  EXPECT_EQ(f.ring->revoke("nobody").error().kind, ErrorKind::NotFound);
  EXPECT_EQ(f.ring->list().size(), 2u);
}

TEST(Keys, NamesAreUniqueAmongLiveKeysAndValuesAreChecked) {
  Fixture f;
  ASSERT_TRUE(f.ring->create(named("a")));
  EXPECT_EQ(f.ring->create(named("a")).error().code, "key_name_taken");
  ASSERT_TRUE(f.ring->revoke("a"));
  EXPECT_TRUE(f.ring->create(named("a")));
  EXPECT_EQ(f.ring->create(named("")).error().param, "name");
  EXPECT_EQ(f.ring->create(named("x\ny")).error().param, "name");
  NewKey key = named("b");
  key.roles = {"fine", "not\nfine"};
  EXPECT_EQ(f.ring->create(key).error().param, "roles");
  key.roles.clear();
  key.attributes = {{"a=b", "c"}};
  EXPECT_EQ(f.ring->create(key).error().param, "attributes");
  key.attributes.clear();
  key.tenant = std::string(65, 't');
  EXPECT_EQ(f.ring->create(key).error().param, "tenant");
}

TEST(Keys, ConfigKeysComeAndGoWithTheConfig) {
  Fixture f;
  const Secret secret("any-form-of-secret");
  ASSERT_TRUE(f.ring->set_config_keys({{named("ci"), secret}}));
  EXPECT_EQ(f.state(secret), KeyState::Valid);
  EXPECT_EQ(f.ring->revoke("ci").error().code, "key_in_config");
  EXPECT_EQ(f.ring->create(named("ci")).error().code, "key_name_taken");
  EXPECT_FALSE(f.ring->set_config_keys({{named("ci"), Secret("short")}}));
  EXPECT_FALSE(f.ring->set_config_keys({{named("x"), secret}, {named("y"), secret}}));
  EXPECT_FALSE(
      f.ring->set_config_keys({{named("x"), secret}, {named("x"), Secret(std::string(20, 'k'))}}));
  EXPECT_EQ(f.state(secret), KeyState::Valid);
  ASSERT_TRUE(f.ring->set_config_keys({}));
  EXPECT_EQ(f.state(secret), KeyState::Unknown);
}

TEST(Keys, LastUseIsKnownToTheSecondAndKeptOverChangesReloadsAndRestarts) {
  Fixture f;
  const CreatedKey shop = f.ring->create(named("shop")).value();
  ASSERT_TRUE(f.ring->create(named("idle")));
  ConfigKey ci{named("ci"), Secret("a-secret-of-their-own")};
  ASSERT_TRUE(f.ring->set_config_keys({ci}));
  const auto last_used = [&f](std::string_view name) {
    return (*f.ring->get(name))->last_use->get();
  };
  const auto use = [&f](const Secret& key, Wall now) {
    f.loop->find(key.reveal(), now).lease->last_use->note(now);
  };
  const Wall first(1'800'000'100s);
  EXPECT_FALSE(last_used("shop"));
  use(shop.text, first + 999ms);
  use(ci.secret, first + 999ms);
  use(ci.secret, first - 1s);  // loops do not read the clock at the same moment
  EXPECT_EQ(last_used("shop"), first);
  EXPECT_EQ(last_used("ci"), first);
  const CreatedKey rotated = f.ring->rotate("shop", 1h).value();
  ASSERT_TRUE(f.ring->set_config_keys({ci}));
  EXPECT_EQ(last_used("shop"), first);
  EXPECT_EQ(last_used("ci"), first);
  ASSERT_TRUE(f.ring->keep_uses());
  use(rotated.text, first + 60s);  // not written before the end
  EXPECT_EQ(last_used("shop"), first + 60s);
  f.restart();
  ASSERT_TRUE(f.ring->set_config_keys({ci}));
  EXPECT_EQ(last_used("shop"), first);
  EXPECT_EQ(last_used("ci"), first);
  EXPECT_FALSE(last_used("idle"));
}

TEST(Keys, TheFirstStartMakesOneKeyOfEachKindOnce) {
  Fixture f;
  const auto made = f.ring->make_first_keys().value();
  ASSERT_EQ(made.size(), 2u);
  EXPECT_EQ(made[0].record->kind, KeyKind::Application);
  EXPECT_EQ(made[1].record->kind, KeyKind::Admin);
  EXPECT_EQ(f.state(made[1].text), KeyState::Valid);
  EXPECT_TRUE(f.ring->make_first_keys().value().empty());
  ASSERT_TRUE(f.ring->revoke("first"));
  f.restart();
  EXPECT_TRUE(f.ring->make_first_keys().value().empty());
}

TEST(Keys, ALostPepperIsLoud) {
  Fixture f;
  ASSERT_TRUE(f.ring->create(named("a")));
  std::filesystem::remove(f.test.path / "key-pepper");
  EXPECT_EQ(KeyRing::open(*f.store, f.folder, f.clock).error().code, "kept_secret_missing");
  ASSERT_TRUE(store::write_private(f.test.path / "key-pepper", "half"));
  EXPECT_EQ(KeyRing::open(*f.store, f.folder, f.clock).error().code, "kept_secret_damaged");
}

TEST(LoopKeys, ALeaseOutlivesTheTableAndOldTablesGo) {
  Fixture f;
  const auto a = f.ring->create(named("a")).value();
  auto held = f.loop->find(a.text.reveal(), f.clock.wall());
  ASSERT_TRUE(f.ring->revoke("a"));
  ASSERT_TRUE(f.ring->create(named("b")));
  EXPECT_EQ(held.lease->principal.key_name, "a");
  EXPECT_EQ(f.loop->tables_held(), 2u);
  held.lease.reset();
  EXPECT_EQ(f.loop->tables_held(), 1u);
  EXPECT_EQ(f.state(a.text), KeyState::Revoked);
}

// Loops in miniature: each thread looks keys up and takes over posted tables in between.
struct FakeLoop {
  std::unique_ptr<LoopKeys> keys;
  std::mutex mutex;
  std::deque<std::move_only_function<void()>> posted;
  void post(std::move_only_function<void()> action) {
    std::lock_guard lock(mutex);
    posted.push_back(std::move(action));
  }
  void run_posted() {
    std::unique_lock lock(mutex);
    while (!posted.empty()) {
      auto action = std::move(posted.front());
      posted.pop_front();
      lock.unlock();
      action();
      lock.lock();
    }
  }
};

TEST(LoopKeys, NoLoopAcceptsAKeyOnceRevokeHasReturned) {
  Fixture f;
  std::vector<CreatedKey> keys;
  for (int i = 0; i < 30; ++i) keys.push_back(f.ring->create(named(std::to_string(i))).value());
  FakeLoop loops[2];
  for (FakeLoop& loop : loops) loop.keys = f.ring->make_loop_keys();
  f.ring->set_publish([&loops](TablePtr table, std::move_only_function<void()> everywhere) {
    auto left = std::make_shared<std::atomic<int>>(2);
    auto last = std::make_shared<std::move_only_function<void()>>(std::move(everywhere));
    for (FakeLoop& loop : loops) {
      loop.post([&loop, table, left, last] {
        loop.keys->adopt(table);
        if (--*left == 0) (*last)();
      });
    }
  });
  std::atomic<int> revoked{0};
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::atomic<int> valid{0};
  std::vector<std::thread> threads;
  for (FakeLoop& loop : loops) {
    threads.emplace_back([&] {
      while (!done) {
        const int before = revoked.load();
        for (int i = 0; i < 30; ++i) {
          auto found =
              loop.keys->find(keys[static_cast<std::size_t>(i)].text.reveal(), f.clock.wall());
          if (found.state == KeyState::Valid) ++valid;
          if (i < before && found.state != KeyState::Revoked) ++wrong;
        }
        loop.run_posted();
      }
    });
  }
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(f.ring->revoke(keys[static_cast<std::size_t>(i)].record->principal.key_id));
    ++revoked;
  }
  done = true;
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(valid, 0);
}

TEST(LoopKeys, CostIsPrintedForTheCurious) {
  std::vector<std::shared_ptr<const KeyRecord>> records;
  const crypto::Hmac hmac("pepper");
  std::vector<std::string> texts;
  for (int i = 0; i < 1000; ++i) {
    auto record = std::make_shared<KeyRecord>();
    texts.emplace_back(make_key_text(make_key_id()).reveal());
    record->secrets.push_back({hmac(texts.back()), "", {}, std::nullopt});
    records.push_back(std::move(record));
  }
  LoopKeys keys(hmac, std::make_shared<const KeyTable>(std::move(records)));
  const auto before = std::chrono::steady_clock::now();
  int valid = 0;
  for (int round = 0; round < 20; ++round) {
    for (const auto& text : texts) valid += keys.find(text, Wall()).state == KeyState::Valid;
  }
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(valid, 20000);
  std::printf("look-up among 1000 keys: %.0f ns\n",
              std::chrono::duration<double, std::nano>(took).count() / 20000);
}

}  // namespace
}  // namespace causeway::keys
