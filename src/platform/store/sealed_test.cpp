#include "platform/store/sealed.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "platform/store/test_folder.h"

namespace causeway::store {
namespace {

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string wrapped_bytes(Store& store, std::string_view tenant) {
  std::string out;
  (void)store.read([&](Database& db) {
    return db.query("select wrapped from data_keys where tenant = ?", {tenant},
                    [&](const Row& row) {
                      out = row.text(0);
                      return false;
                    });
  });
  return out;
}

struct Fixture {
  TestFolder test;
  DataFolder folder = test.folder();
  std::unique_ptr<Store> store = Store::open(folder).value();
  Result<std::unique_ptr<Sealed>> again(MasterKeys keys = {}) {
    return Sealed::open(*store, folder, std::move(keys));
  }
};

constexpr Sealed::Place kPlace{"acme", "traces", "42"};

TEST(Sealed, OpensInItsPlaceOnly) {
  Fixture f;
  auto sealed = f.again().value();
  const std::string bytes = sealed->seal(kPlace, "a private word").value();
  EXPECT_EQ(bytes.find("private"), std::string::npos);
  EXPECT_EQ(sealed->unseal(kPlace, bytes).value(), "a private word");
  EXPECT_EQ(sealed_header(bytes).value().version, 1);
  EXPECT_EQ(sealed->unseal({"acme", "traces", "43"}, bytes).error().code, "unreadable");
  EXPECT_EQ(sealed->unseal({"acme", "trace", "s42"}, bytes).error().code, "unreadable");
  EXPECT_EQ(sealed->unseal({"other", "traces", "42"}, bytes).error().code, "unreadable");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] ^= 0x20;
    EXPECT_FALSE(sealed->unseal(kPlace, changed)) << i;
    EXPECT_FALSE(sealed->unseal(kPlace, std::string_view(bytes).substr(0, i))) << i;
  }
  struct stat status;
  ASSERT_EQ(::stat((f.test.path / "master.key").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST(Sealed, SurvivesARestartAndRotations) {
  Fixture f;
  std::string first;
  {
    auto sealed = f.again().value();
    first = sealed->seal(kPlace, "one").value();
    const std::string key_file = slurp(f.test.path / "master.key");
    EXPECT_EQ(sealed->rotate().value(), 1u);
    EXPECT_NE(slurp(f.test.path / "master.key"), key_file);
    EXPECT_EQ(sealed->unseal(kPlace, first).value(), "one");
    const auto second = sealed->seal(kPlace, "two").value();
    EXPECT_NE(sealed_header(second)->key_id, sealed_header(first)->key_id);
    EXPECT_EQ(sealed->rotate().value(), 2u);
  }
  auto sealed = f.again().value();
  EXPECT_EQ(sealed->unseal(kPlace, first).value(), "one");
}

TEST(Sealed, AnInterruptedRotationIsFinishedAtTheNextStart) {
  Fixture f;
  const std::string bytes = f.again().value()->seal(kPlace, "one").value();
  // As after a crash between the new key's file and the re-wrapping.
  const std::string before = slurp(f.test.path / "master.key");
  ASSERT_TRUE(write_private(f.test.path / "master.key", std::string(64, 'a') + "\n" + before));
  EXPECT_EQ(f.again().value()->unseal(kPlace, bytes).value(), "one");
  EXPECT_EQ(slurp(f.test.path / "master.key"), std::string(64, 'a') + "\n");
  EXPECT_EQ(f.again().value()->unseal(kPlace, bytes).value(), "one");
}

TEST(Sealed, AWrongOrMissingMasterKeyIsLoud) {
  Fixture f;
  (void)f.again().value()->seal(kPlace, "one").value();
  ASSERT_TRUE(write_private(f.test.path / "master.key", std::string(64, 'b') + "\n"));
  EXPECT_EQ(f.again().error().code, "master_key_wrong");
  ASSERT_TRUE(write_private(f.test.path / "master.key", "half a key"));
  EXPECT_EQ(f.again().error().code, "master_key_wrong");
  std::filesystem::remove(f.test.path / "master.key");
  EXPECT_EQ(f.again().error().code, "master_key_missing");
}

TEST(Sealed, TheConfigMayHoldTheMasterKey) {
  Fixture f;
  const Secret old(std::string(40, 'o'));
  const Secret fresh(std::string(40, 'f'));
  const std::string bytes = f.again({old, {}}).value()->seal(kPlace, "one").value();
  EXPECT_FALSE(std::filesystem::exists(f.test.path / "master.key"));
  EXPECT_EQ(f.again({Secret("short"), {}}).error().code, "master_key_weak");
  EXPECT_EQ(f.again({fresh, {}}).error().code, "master_key_wrong");
  EXPECT_EQ(f.again({fresh, {old}}).value()->unseal(kPlace, bytes).value(), "one");
  EXPECT_EQ(f.again({fresh, {}}).value()->unseal(kPlace, bytes).value(), "one");
  EXPECT_EQ(f.again({fresh, {}}).value()->rotate().error().code, "master_key_in_config");
}

TEST(Sealed, ErasureMakesATenantUnreadableOnTheDiskToo) {
  Fixture f;
  auto sealed = f.again().value();
  const auto gone = sealed->seal(kPlace, "one").value();
  const auto kept = sealed->seal({"other", "traces", "1"}, "two").value();
  const std::string key = wrapped_bytes(*f.store, "acme");
  ASSERT_EQ(key.size(), 60u);
  ASSERT_TRUE(sealed->erase("acme"));
  EXPECT_EQ(sealed->unseal(kPlace, gone).error().code, "erased");
  EXPECT_EQ(sealed->unseal({"other", "traces", "1"}, kept).value(), "two");
  for (const char* name : {"causeway.db", "causeway.db-wal"}) {
    EXPECT_EQ(slurp(f.test.path / name).find(key), std::string::npos) << name;
  }
  sealed = f.again().value();
  EXPECT_EQ(sealed->unseal(kPlace, gone).error().code, "erased");
  // The tenant may begin anew, with another key.
  const auto later = sealed->seal(kPlace, "three").value();
  EXPECT_EQ(sealed->unseal(kPlace, later).value(), "three");
  EXPECT_EQ(sealed->unseal(kPlace, gone).error().code, "erased");
}

TEST(Sealed, ManyThreadsMakeOneDataKey) {
  Fixture f;
  auto sealed = f.again().value();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&sealed] {
      for (int i = 0; i < 50; ++i) {
        const std::string id = std::to_string(i);
        const auto bytes = sealed->seal({"t", "x", id}, "text").value();
        EXPECT_EQ(sealed->unseal({"t", "x", id}, bytes).value(), "text");
        EXPECT_EQ(sealed_header(bytes)->key_id, 1u);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace causeway::store
