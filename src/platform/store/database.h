// One connection to an SQLite file, with what the program needs of it: statements that are constant
// text with bound values (nothing else compiles), transactions, numbered migrations, and errors as
// Results. A connection belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "platform/base/error.h"

namespace causeway::store {

/// SQL known when the program is compiled; text from elsewhere can only be a bound value.
class Sql {
 public:
  consteval Sql(const char* text) : text_(text) {}  // NOLINT: a literal is meant to convert
  const char* text() const { return text_; }

 private:
  const char* text_;
};

/// A value for one `?`: number, text, bytes, or null. Borrows text until the call returns.
class Value {
 public:
  enum class Kind : std::uint8_t { Null, Integer, Real, Text, Bytes };
  Value(std::nullptr_t) : kind_(Kind::Null) {}
  template <std::integral T>
  Value(T number) : kind_(Kind::Integer), integer_(static_cast<std::int64_t>(number)) {}
  Value(double number) : kind_(Kind::Real), real_(number) {}
  Value(std::string_view text) : kind_(Kind::Text), text_(text) {}
  Value(const std::string& text) : kind_(Kind::Text), text_(text) {}
  Value(const char* text) : kind_(Kind::Text), text_(text) {}
  template <class T>
  Value(const std::optional<T>& value) : Value(value ? Value(*value) : Value(nullptr)) {}
  static Value bytes(std::string_view raw) {
    Value value(raw);
    value.kind_ = Kind::Bytes;
    return value;
  }

  Kind kind() const { return kind_; }
  std::int64_t integer() const { return integer_; }
  double real() const { return real_; }
  std::string_view text() const { return text_; }

 private:
  Kind kind_;
  std::int64_t integer_ = 0;
  double real_ = 0;
  std::string_view text_;
};
using Values = std::initializer_list<Value>;

/// The row that a statement stands on; valid inside the callback only. Columns count from 0.
class Row {
 public:
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  /// Text or bytes; empty for null.
  std::string_view text(int column) const;

 private:
  friend class Database;
  explicit Row(void* statement) : statement_(statement) {}
  void* statement_;
};

/// One step of a schema. Steps are numbered from 1 without gaps and never change once released;
/// a step may hold several statements.
struct Migration {
  int version;
  Sql sql;
};

class Database {
 public:
  enum class Mode : std::uint8_t { Write, Read };

  /// Opens the file (made with 0600 where missing) in WAL mode with synchronous=FULL, foreign keys,
  /// and deleted content overwritten. A file that was not closed in order, or is small, is checked
  /// first. Errors: code "store_corrupt" with what to do, "store_read_only", "store_full".
  static Result<std::unique_ptr<Database>> open(const std::filesystem::path& path, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs one statement. Gives the number of rows changed. Conflict on a broken constraint.
  Result<std::int64_t> run(Sql sql, Values values = {});
  /// Calls `each` for every row; it answers whether to go on.
  Result<void> query(Sql sql, Values values, const std::function<bool(const Row&)>& each);
  /// Runs several statements without values: schema, pragmas, transaction control.
  Result<void> script(Sql sql);

  /// Brings the tables of one area (a feature's name) to the newest step, each step in a
  /// transaction of its own. Refuses a database that a newer Causeway has written.
  Result<void> migrate(std::string_view area, std::span<const Migration> steps);

  std::int64_t last_insert_id() const;
  bool in_transaction() const;

 private:
  struct Impl;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::store
