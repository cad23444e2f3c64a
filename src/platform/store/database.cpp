#include "platform/store/database.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <unordered_map>
#include <utility>

#include "platform/store/folder.h"

namespace causeway::store {
namespace {

// Other connections of the same process hold the write lock for a commit at most.
constexpr int kBusyMilliseconds = 5000;
// Checking 8 MiB takes about 10 ms; larger files are checked after a crash only.
constexpr std::uintmax_t kAlwaysCheckedBytes = 8 << 20;

sqlite3_stmt* raw(void* statement) { return static_cast<sqlite3_stmt*>(statement); }

}  // namespace

bool Row::is_null(int column) const {
  return sqlite3_column_type(raw(statement_), column) == SQLITE_NULL;
}
std::int64_t Row::integer(int column) const {
  return sqlite3_column_int64(raw(statement_), column);
}
double Row::real(int column) const { return sqlite3_column_double(raw(statement_), column); }
std::string_view Row::text(int column) const {
  const void* bytes = sqlite3_column_blob(raw(statement_), column);
  const int size = sqlite3_column_bytes(raw(statement_), column);
  return {static_cast<const char*>(bytes), bytes ? static_cast<std::size_t>(size) : 0};
}

struct Database::Impl {
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  std::filesystem::path path;
  sqlite3* handle = nullptr;
  std::unordered_map<const char*, Statement> statements;  // by address: SQL is constant text

  ~Impl() {
    statements.clear();
    sqlite3_close(handle);
  }

  std::unexpected<Error> failed(std::string_view doing) const;
  Result<sqlite3_stmt*> prepare(Sql sql);
  Result<void> bind(sqlite3_stmt* statement, Values values) const;
  Result<void> check();
};

std::unexpected<Error> Database::Impl::failed(std::string_view doing) const {
  Error error;
  const int code = handle ? sqlite3_extended_errcode(handle) : SQLITE_NOMEM;
  const std::string text = handle ? sqlite3_errmsg(handle) : "out of memory";
  error.kind = ErrorKind::Unavailable;
  error.code = "store_failed";
  error.message = "the store failed";
  switch (code & 0xff) {
    case SQLITE_FULL:
      error.code = "store_full";
      error.message = "the disk of the data folder is full, or its quota is used up";
      break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      error.code = "store_read_only";
      error.message = "the data folder cannot be written";
      break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      error.kind = ErrorKind::Overloaded;
      error.code = "store_busy";
      error.retryable = true;
      error.message = "the store is busy; try again";
      break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      error.kind = ErrorKind::Internal;
      error.code = "store_corrupt";
      error.message = "the database " + path.string() +
                      " is damaged; restore it from a backup, or move it away to begin anew";
      break;
    case SQLITE_CONSTRAINT:
      error.kind = ErrorKind::Conflict;
      error.code = "store_conflict";
      error.message = "another record has the same name, or a value is not allowed";
      break;
    case SQLITE_IOERR:
      error.message = "the disk of the data folder answers with errors";
      // A quota or a limit on file sizes shows as a failed write; only ENOSPC as SQLITE_FULL.
      if (code == SQLITE_IOERR_WRITE) {
        error.code = "store_full";
        error.message = "the data folder takes no more: its disk or quota is full, or it fails";
      }
      break;
    default:
      error.kind = ErrorKind::Internal;
  }
  error.detail = std::string(doing) + ": " + text + " (" + std::to_string(code) + ")";
  return std::unexpected(std::move(error));
}

Result<sqlite3_stmt*> Database::Impl::prepare(Sql sql) {
  if (auto found = statements.find(sql.text()); found != statements.end()) {
    return found->second.get();
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v3(handle, sql.text(), -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) !=
      SQLITE_OK) {
    return failed(sql.text());
  }
  statements.emplace(sql.text(), Statement(statement));
  return statement;
}

Result<void> Database::Impl::bind(sqlite3_stmt* statement, Values values) const {
  int index = 0;
  int status = SQLITE_OK;
  for (const Value& value : values) {
    ++index;
    const std::string_view text = value.text();
    switch (value.kind()) {
      case Value::Kind::Null:
        status = sqlite3_bind_null(statement, index);
        break;
      case Value::Kind::Integer:
        status = sqlite3_bind_int64(statement, index, value.integer());
        break;
      case Value::Kind::Real:
        status = sqlite3_bind_double(statement, index, value.real());
        break;
      case Value::Kind::Text:
        status = sqlite3_bind_text64(statement, index, text.data() ? text.data() : "", text.size(),
                                     SQLITE_STATIC, SQLITE_UTF8);
        break;
      case Value::Kind::Bytes:
        status = sqlite3_bind_blob64(statement, index, text.data() ? text.data() : "", text.size(),
                                     SQLITE_STATIC);
        break;
    }
    if (status != SQLITE_OK) return failed("bind");
  }
  return {};
}

Result<void> Database::Impl::check() {
  std::string verdict = "no answer";
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(handle, "pragma quick_check(1)", -1, &statement, nullptr) != SQLITE_OK) {
    return failed("check");
  }
  const Statement guard(statement);
  if (sqlite3_step(statement) != SQLITE_ROW) return failed("check");
  if (const auto* text = sqlite3_column_text(statement, 0)) {
    verdict = reinterpret_cast<const char*>(text);
  }
  if (verdict == "ok") return {};
  auto error = fail(ErrorKind::Internal, Origin::Us,
                    "the database " + path.string() +
                        " is damaged; restore it from a backup, or move it away to begin anew",
                    "store_corrupt");
  error.error().detail = verdict;
  return error;
}

Database::Database(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::open(const std::filesystem::path& path, Mode mode) {
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  std::error_code ignored;
  bool suspicious = false;
  if (mode == Mode::Write) {
    // SQLite gives its -wal and -shm files the mode of the main file, so this one call is enough.
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) return std::unexpected(file_error("cannot open", path, errno));
    ::close(fd);
    suspicious = std::filesystem::exists(path.string() + "-wal", ignored) ||
                 std::filesystem::file_size(path, ignored) <= kAlwaysCheckedBytes;
  }
  const int flags = (mode == Mode::Write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY) |
                    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  if (sqlite3_open_v2(path.c_str(), &impl->handle, flags, nullptr) != SQLITE_OK) {
    return impl->failed("open");
  }
  sqlite3_busy_timeout(impl->handle, kBusyMilliseconds);
  sqlite3_db_config(impl->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(impl->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  std::unique_ptr<Database> database(new Database(std::move(impl)));
  Result<void> ready;
  if (mode == Mode::Write) {
    ready = database->script(
        "pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;"
        "pragma secure_delete = on; pragma wal_autocheckpoint = 1000;"
        "create table if not exists schema_version(area text primary key, version integer not null)"
        " without rowid;");
    if (ready && suspicious) ready = database->impl_->check();
  } else {
    ready = database->script("pragma query_only = on;");
  }
  if (!ready) return pass(std::move(ready));
  return database;
}

Result<std::int64_t> Database::run(Sql sql, Values values) {
  auto done = query(sql, values, [](const Row&) { return false; });
  if (!done) return pass(std::move(done));
  return sqlite3_changes64(impl_->handle);
}

Result<void> Database::query(Sql sql, Values values, const std::function<bool(const Row&)>& each) {
  auto statement = impl_->prepare(sql);
  if (!statement) return pass(std::move(statement));
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() {
      sqlite3_reset(statement);
      sqlite3_clear_bindings(statement);
    }
  } const reset{*statement};
  if (auto bound = impl_->bind(*statement, values); !bound) return bound;
  while (true) {
    const int status = sqlite3_step(*statement);
    if (status == SQLITE_DONE) return {};
    if (status != SQLITE_ROW) return impl_->failed(sql.text());
    if (!each(Row(*statement))) return {};
  }
}

Result<void> Database::script(Sql sql) {
  if (sqlite3_exec(impl_->handle, sql.text(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return impl_->failed(sql.text());
  }
  return {};
}

Result<void> Database::migrate(std::string_view area, std::span<const Migration> steps) {
  std::int64_t version = 0;
  auto read = query("select version from schema_version where area = ?", {area},
                    [&version](const Row& row) {
                      version = row.integer(0);
                      return false;
                    });
  if (!read) return read;
  const int newest = steps.empty() ? 0 : steps.back().version;
  if (version > newest) {
    return fail(ErrorKind::Conflict, Origin::Us,
                "the data folder was written by a newer Causeway (" + std::string(area) +
                    " is at step " + std::to_string(version) + ", this program knows " +
                    std::to_string(newest) + "); start that one, or restore an older backup",
                "store_too_new");
  }
  for (const Migration& step : steps) {
    if (step.version <= version) continue;
    if (auto begun = script("begin immediate"); !begun) return begun;
    auto done = script(step.sql);
    if (done) {
      auto noted =
          run("insert into schema_version values(?, ?) on conflict(area) do update set "
              "version = excluded.version",
              {area, step.version});
      if (!noted) done = pass(std::move(noted));
    }
    if (done) done = script("commit");
    if (!done) {
      if (in_transaction()) (void)script("rollback");
      return done;
    }
  }
  return {};
}

std::int64_t Database::last_insert_id() const { return sqlite3_last_insert_rowid(impl_->handle); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(impl_->handle) == 0; }

}  // namespace causeway::store
