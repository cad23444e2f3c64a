// One trace as it stands in a partition: bytes in which every name (a key, a model, a stage) is a
// number of the partition's table of names; and as it is read again.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "features/insight/traces/queue.h"
#include "platform/text/json_writer.h"

namespace causeway::traces {

/// What a name is the name of. Those behind Other are filters: each has its traces in an index.
/// The numbers stand in files.
enum class Field : std::uint8_t {
  Other = 0,
  Key = 1,
  Tenant = 2,
  User = 3,
  Model = 4,
  Target = 5,
  Policy = 6,
  Status = 7,
  Error = 8,
  Code = 9,
  Operation = 10,
  Dialect = 11,
  Found = 12,         // a kind of personal data
  Contents = 13,      // "yes"
  Duration = 14,      // a class of durations, class_of()
  Cost = 15,          // likewise
  All = 16,           // every trace; no index
  FailedTarget = 17,  // one that was tried in vain (failed, unsure), whoever answered
};

/// Four classes to each doubling: what is at least n stands in class_of(n) and above.
std::uint32_t class_of(std::uint64_t number);

/// What a scan compares: names that have an index, and two numbers.
struct Head {
  std::uint32_t micros = 0;
  std::int64_t cost = -1;
  std::vector<std::uint32_t> names;

  void note(std::uint32_t name);
  std::string encoded() const;
};

/// A head inside the bytes that encoded() gave; nothing is copied.
class HeadView {
 public:
  explicit HeadView(std::string_view bytes) : bytes_(bytes) {}
  std::uint32_t micros() const { return read<std::uint32_t>(0); }
  std::int64_t cost() const { return read<std::int64_t>(4); }
  bool has_one_of(const std::vector<std::uint32_t>& sorted) const {
    for (std::size_t at = 12; at + 4 <= bytes_.size(); at += 4) {
      if (std::ranges::binary_search(sorted, read<std::uint32_t>(at))) return true;
    }
    return false;
  }

 private:
  template <class T>
  T read(std::size_t at) const {
    T value{};
    if (at + sizeof value <= bytes_.size())
      __builtin_memcpy(&value, bytes_.data() + at, sizeof value);
    return value;
  }
  std::string_view bytes_;
};

using NameId = std::function<std::uint32_t(Field, std::string_view)>;
using NameText = std::function<std::string_view(std::uint32_t)>;

struct Trace {
  struct Mark {
    std::string_view stage;
    std::uint64_t nanoseconds = 0;
    bool ended = false;
  };
  struct Attempt {
    std::string_view target, dialect, end, error, code;
    std::string answering_model, member;  // as the answer says
    std::uint64_t status = 0, micros = 0, input = 0, output = 0;
    bool estimated = false;
  };
  struct Found {
    std::string_view stage, kind, action;
    std::uint64_t count = 0;
  };
  std::int64_t id = 0;  // when it ended: Unix time in microseconds, and no two have the same
  std::string request_id, trace_id;
  std::int64_t started_micros = 0;
  // Views that the reader of names holds.
  std::string_view key_id, tenant, user, model, policy, operation, dialect, error, code, stop,
      program, rule;
  std::uint64_t status = 0, config_version = 0, request_bytes = 0, answer_bytes = 0;
  bool streamed = false, cut_by_client = false, has_contents = false;
  Usage usage;
  std::int64_t cost_micros = -1;
  std::uint64_t total_micros = 0, first_content_micros = 0, upstream_micros = 0, caller_micros = 0,
                queued_micros = 0;
  std::uint64_t attempts_total = 0;
  std::string order;             // of the targets, a line each
  std::int64_t confidence = -1;  // in thousandths
  std::vector<Mark> marks;
  std::vector<Attempt> attempts;
  std::vector<Found> found;

  /// Error: Internal, where the bytes are not what encode() gave.
  static Result<Trace> decode(std::int64_t id, std::string_view bytes, const NameText& text);
  void write(text::JsonWriter& json, std::string_view key_name) const;
  /// The same without the closing bracket.
  void write_open(text::JsonWriter& json, std::string_view key_name) const;
};

/// Where contents are sealed for: Sealed::Place::table; the record is the id in decimal.
inline constexpr std::string_view kTable = "traces";

/// What is the same for all traces of a run.
struct Run {
  std::vector<std::string> stages;  // names in the order of the pipeline
  std::string program;              // version
};

/// The bytes of a record; fills its head.
std::string encode(const Record& record, bool has_contents, const Run& run, const NameId& name,
                   Head& head);

}  // namespace causeway::traces
