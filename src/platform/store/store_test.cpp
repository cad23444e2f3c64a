#include "platform/store/store.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>

#include "platform/store/test_folder.h"

namespace causeway::store {
namespace {

constexpr Migration kThings[] = {
    {1, "create table things(id integer primary key, name text not null unique);"},
    {2, "alter table things add column note text; create index things_note on things(note);"},
};

int mode_of(const std::filesystem::path& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 ? static_cast<int>(status.st_mode & 0777) : -1;
}

std::int64_t count_things(Store& store) {
  std::int64_t count = -1;
  auto read = store.read([&count](Database& db) {
    return db.query("select count(*) from things", {}, [&count](const Row& row) {
      count = row.integer(0);
      return false;
    });
  });
  EXPECT_TRUE(read) << read.error().detail;
  return count;
}

Store::Job add(std::string name) {
  return [name = std::move(name)](Database& db) -> Result<void> {
    auto done = db.run("insert into things(name) values(?)", {name});
    return done ? Result<void>() : pass(std::move(done));
  };
}

TEST(DataFolder, IsPrivateAndLocked) {
  TestFolder test;
  std::filesystem::create_directory(test.path / "data");
  std::filesystem::permissions(test.path / "data", std::filesystem::perms(0755));
  auto folder = DataFolder::open(test.path / "data").value();
  EXPECT_EQ(mode_of(folder.path()), 0700);
  auto second = DataFolder::open(test.path / "data");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "data_folder_in_use");
  EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
}

TEST(DataFolder, ASecondProcessIsRefusedAndADeadOneIsNot) {
  TestFolder test;
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto folder = DataFolder::open(test.path);
    const char ok = folder ? 'y' : 'n';
    (void)!::write(pipe_fds[1], &ok, 1);
    ::pause();
  }
  char ok = 0;
  ASSERT_EQ(::read(pipe_fds[0], &ok, 1), 1);
  ASSERT_EQ(ok, 'y');
  auto refused = DataFolder::open(test.path);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("pid " + std::to_string(child)), std::string::npos)
      << refused.error().message;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(DataFolder::open(test.path));
  ::close(pipe_fds[0]);
  ::close(pipe_fds[1]);
}

TEST(DataFolder, WritesPrivateFilesAsOneStep) {
  TestFolder test;
  const auto path = test.path / "secret";
  EXPECT_EQ(read_private(path).error().kind, ErrorKind::NotFound);
  ASSERT_TRUE(write_private(path, "one"));
  ASSERT_TRUE(write_private(path, "two"));
  EXPECT_EQ(read_private(path).value(), "two");
  EXPECT_EQ(mode_of(path), 0600);
  EXPECT_FALSE(write_private(test.path / "no" / "where", "x"));
}

TEST(Store, ConfirmsAfterTheCommitAndReadersSeeIt) {
  TestFolder test;
  auto store = Store::open(test.folder()).value();
  ASSERT_TRUE(store->migrate("things", kThings));
  std::atomic<int> confirmed{0};
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(store->write(add("n" + std::to_string(i)), [&](Result<void> done) {
      if (done) ++confirmed;
    }));
  }
  ASSERT_TRUE(store->write_and_wait(add("last")));
  EXPECT_EQ(confirmed, 300);
  EXPECT_EQ(count_things(*store), 301);
  EXPECT_EQ(mode_of(test.path / "causeway.db"), 0600);
  EXPECT_EQ(mode_of(test.path / "causeway.db-wal"), 0600);
}

TEST(Store, AFailedJobUndoesItselfOnly) {
  TestFolder test;
  auto store = Store::open(test.folder()).value();
  ASSERT_TRUE(store->migrate("things", kThings));
  // A first job holds the writer, so that the next three share a commit.
  std::promise<void> gate;
  ASSERT_TRUE(store->write(
      [&gate](Database&) -> Result<void> {
        gate.get_future().wait();
        return {};
      },
      [](Result<void>) {}));
  std::promise<Result<void>> results[3];
  const auto tell = [](std::promise<Result<void>>& promise) {
    return [&promise](Result<void> done) { promise.set_value(std::move(done)); };
  };
  ASSERT_TRUE(store->write(add("a"), tell(results[0])));
  ASSERT_TRUE(store->write(
      [](Database& db) -> Result<void> {
        (void)db.run("insert into things(name) values(?)", {"ghost"});
        auto again = db.run("insert into things(name) values(?)", {"a"});
        return again ? Result<void>() : pass(std::move(again));
      },
      tell(results[1])));
  ASSERT_TRUE(store->write(add("b"), tell(results[2])));
  gate.set_value();
  EXPECT_TRUE(results[0].get_future().get());
  EXPECT_EQ(results[1].get_future().get().error().kind, ErrorKind::Conflict);
  EXPECT_TRUE(results[2].get_future().get());
  EXPECT_EQ(count_things(*store), 2);
}

TEST(Store, AFullQueueAnswersBusy) {
  TestFolder test;
  auto folder = test.folder();
  auto store = Store::open(folder, {.queued = 2, .per_commit = 1, .readers = 1}).value();
  ASSERT_TRUE(store->migrate("things", kThings));
  std::promise<void> gate;
  std::promise<void> started;
  ASSERT_TRUE(store->write(
      [&](Database&) -> Result<void> {
        started.set_value();
        gate.get_future().wait();
        return {};
      },
      [](Result<void>) {}));
  started.get_future().wait();
  EXPECT_TRUE(store->write(add("a"), [](Result<void>) {}));
  EXPECT_TRUE(store->write(add("b"), [](Result<void>) {}));
  EXPECT_EQ(store->write(add("c"), [](Result<void>) {}).error().kind, ErrorKind::Overloaded);
  gate.set_value();
}

TEST(Store, ReadersCannotWriteAndMigrationsRunOnce) {
  TestFolder test;
  auto store = Store::open(test.folder()).value();
  ASSERT_TRUE(store->migrate("things", std::span(kThings).first(1)));
  ASSERT_TRUE(store->migrate("things", kThings));
  ASSERT_TRUE(store->migrate("things", kThings));
  auto newer = store->migrate("things", std::span(kThings).first(1));
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, "store_too_new");
  auto read = store->read([](Database& db) -> Result<void> {
    auto done = db.run("insert into things(name) values('x')");
    return done ? Result<void>() : pass(std::move(done));
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, "store_read_only");
}

TEST(Store, ADamagedFileIsNamedAtOpen) {
  TestFolder test;
  {
    auto store = Store::open(test.folder()).value();
    ASSERT_TRUE(store->migrate("things", kThings));
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE(store->write(add(std::string(100, 'x') + std::to_string(i)), [](auto) {}));
    }
  }
  const auto path = test.path / "causeway.db";
  const int fd = ::open(path.c_str(), O_RDWR);
  const std::string garbage(8000, '\x5a');
  ASSERT_EQ(::pwrite(fd, garbage.data(), garbage.size(), 4096 * 3), 8000);
  ::close(fd);
  auto damaged = Store::open(test.folder());
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, "store_corrupt");
  EXPECT_NE(damaged.error().message.find("causeway.db"), std::string::npos);

  ASSERT_TRUE(write_private(path, std::string(4096, 'z')));
  EXPECT_EQ(Store::open(test.folder()).error().code, "store_corrupt");
}

// The child may write no file past 256 KiB: to SQLite a full disk.
TEST(Store, AFullDiskIsAnErrorAndTheStoreLivesOn) {
  TestFolder test;
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    auto folder = DataFolder::open(test.path);
    auto store = Store::open(*folder);
    if (!store || !(*store)->migrate("things", kThings)) ::_exit(2);
    const rlimit limit{256 << 10, 256 << 10};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    int stored = 0;
    std::string code;
    std::string detail;
    for (int i = 0; i < 100 && code.empty(); ++i) {
      auto done = (*store)->write_and_wait(add(std::string(10000, 'x') + std::to_string(i)));
      if (done) {
        ++stored;
      } else {
        code = done.error().code;
        detail = done.error().detail;
      }
    }
    if (code != "store_full") {
      std::fprintf(stderr, "code %s after %d\n", detail.c_str(), stored);
      ::_exit(3);
    }
    std::int64_t seen = count_things(**store);
    ::_exit(seen == stored ? 0 : 4);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  auto folder = test.folder();
  EXPECT_TRUE(Store::open(folder));
}

// A child writes and tells the parent what was confirmed; after kill -9 all of that is there.
TEST(Store, KillLosesNothingThatWasConfirmed) {
  for (int round = 0; round < 5; ++round) {
    TestFolder test;
    int pipe_fds[2];
    ASSERT_EQ(::pipe(pipe_fds), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      auto folder = DataFolder::open(test.path);
      auto store = Store::open(*folder);
      if (!store || !(*store)->migrate("things", kThings)) ::_exit(2);
      for (int i = 0;; ++i) {
        (void)(*store)->write(add("n" + std::to_string(i)), [&, i](Result<void> done) {
          if (done) (void)!::write(pipe_fds[1], &i, sizeof i);
        });
        if (i % 7 == 0) ::usleep(500);
      }
    }
    ::close(pipe_fds[1]);
    int confirmed = -1;
    int value = 0;
    for (int i = 0; i < 40 + round * 30 && ::read(pipe_fds[0], &value, sizeof value) > 0; ++i) {
      confirmed = value;
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    while (::read(pipe_fds[0], &value, sizeof value) == sizeof value) confirmed = value;
    ::close(pipe_fds[0]);
    auto folder = test.folder();
    auto store = Store::open(folder).value();
    ASSERT_GT(confirmed, 0);
    EXPECT_GE(count_things(*store), confirmed + 1);
  }
}

}  // namespace
}  // namespace causeway::store
