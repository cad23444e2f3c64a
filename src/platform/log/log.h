// The program's log for people and operators: what happened to the program, not what passed through
// it (see access_log.h for that). A message is one constant sentence; what varies goes into fields:
//
//   log.warn("engine died", {{"engine", name}, {"exit", code}, {"restart_in_s", 2}});
//   log.state(Level::Warn, "target gpu/llama", "down", {{"reason", text}});   // only when it
//   changes
//
// Calls never wait: a thread writes the lines, and when its queue is full the oldest go. The same
// message is written at most 20 times in ten seconds, then counted. A Secret does not compile.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "platform/base/clock.h"
#include "platform/base/secret.h"

namespace causeway::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error };
enum class Format : std::uint8_t { Text, Json };

std::string_view to_string(Level level);

/// The value of a field. Holds views: use it within the call only.
class Value {
 public:
  using Holder = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;
  Value(std::string_view text) : value_(text) {}
  Value(const std::string& text) : value_(std::string_view(text)) {}
  Value(const char* text) : value_(std::string_view(text)) {}
  Value(std::same_as<bool> auto flag) : value_(flag) {}
  Value(std::floating_point auto number) : value_(static_cast<double>(number)) {}
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  Value(T number) {
    if constexpr (std::signed_integral<T>) {
      value_ = static_cast<std::int64_t>(number);
    } else {
      value_ = static_cast<std::uint64_t>(number);
    }
  }
  Value(const Secret&) = delete;

  const Holder& get() const { return value_; }

 private:
  Holder value_;
};

struct Field {
  std::string_view key;
  Value value;
};
using Fields = std::initializer_list<Field>;

struct Options {
  Level level = Level::Info;
  Format format = Format::Text;
  /// Where lines go, without their line end, on the calling thread; empty = a thread that writes to
  /// standard error. For tests and for verbs that print in their own way.
  std::function<void(std::string_view line)> sink{};
};

class Log {
 public:
  /// The clock stamps the lines and measures the limits; it must outlive the log.
  explicit Log(Options options, const Clock& clock);
  /// Writes what is queued.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // From any thread.
  void debug(std::string_view message, Fields fields = {}) { write(Level::Debug, message, fields); }
  void info(std::string_view message, Fields fields = {}) { write(Level::Info, message, fields); }
  void warn(std::string_view message, Fields fields = {}) { write(Level::Warn, message, fields); }
  void error(std::string_view message, Fields fields = {}) { write(Level::Error, message, fields); }
  void write(Level level, std::string_view message, Fields fields = {});
  void write(Level level, const Secret& message, Fields fields = {}) = delete;

  /// Writes a line only when `state` differs from the last one given for `what` (the first is a
  /// change, too); true when it did. Not limited by count. Remembers the 1,024 newest `what`s.
  bool state(Level level, std::string_view what, std::string_view state, Fields fields = {});

  void set_level(Level level);
  bool enabled(Level level) const;
  /// Lines that were lost because the writer did not keep up.
  std::uint64_t dropped() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace causeway::log
