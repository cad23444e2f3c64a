// What is noted of an exchange when it has ended, for those who write it down or pass it on
// (traces, otlp): who, which way, every stage's time, every attempt, what was found; nothing of
// what was said. Fixed size, so that noting it allocates nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "core/exchange.h"

namespace causeway {

/// The span of an exchange's attempt number `index` (from 0): what the provider is told to be the
/// child of. Differs from the exchange's own, and from that of another attempt, in its last byte.
std::array<char, 16> attempt_span_id(std::array<char, 16> span_id, std::size_t index);

/// Text of at most N bytes; longer ones are cut.
template <std::size_t N>
struct Short {
  std::array<char, N> bytes;
  std::uint8_t size = 0;
  void set(std::string_view text) {
    size = static_cast<std::uint8_t>(std::min(text.size(), N));
    text.copy(bytes.data(), size);
  }
  std::string_view view() const { return {bytes.data(), size}; }
};

struct AttemptRecord {
  Short<96> target;
  Short<64> member;                           // of its provider
  Short<64> upstream_model, answering_model;  // as asked for; as the answer says
  std::string_view provider_kind;             // lives as long as the program
  Short<40> code;                             // of the error
  std::string_view dialect;
  AttemptEnd end = AttemptEnd::Running;
  std::int8_t error = -1;       // ErrorKind, -1 = none
  std::uint16_t status = 0;     // the provider's, of an error
  Usage usage;                  // what is known of it
  std::uint32_t at_micros = 0;  // since the exchange began
  std::uint32_t micros = 0;
};

struct ExchangeRecord {
  Short<128> id;
  std::array<char, 32> trace_id;
  std::array<char, 16> span_id;
  std::array<char, 16> parent_span_id;  // of the caller; the first is 0 where there is none
  Short<40> key_id;
  Short<64> tenant, user;
  Short<96> model;
  Short<96> policy;
  Short<64> rule;    // of the model, that chose the targets
  Short<255> order;  // of the targets, a line each: name and, where there are several, member
  std::int16_t confidence = -1;  // of the answer that was judged, in thousandths; -1 = none was
  Short<40> code;                // of the error
  std::string_view dialect;  // the application's; lives as long as the program, as those of Fired
  std::int64_t started_micros = 0;  // Unix time
  std::uint64_t config_version = 0;
  std::uint64_t request_bytes = 0, answer_bytes = 0;
  std::uint16_t status = 0;
  std::int8_t error = -1;
  OperationKind operation = OperationKind::Chat;
  Stop stop = Stop::None;
  bool streamed = false, cut_by_client = false;
  Usage usage;
  std::int64_t cost_micros = -1;  // -1 = unpriced
  std::uint32_t total_micros = 0, first_content_micros = 0, upstream_micros = 0, caller_micros = 0,
                queued_micros = 0;
  std::array<StageMark, 24> marks;
  std::array<AttemptRecord, 4> attempts;
  std::array<Fired, 16> fired;
  std::uint8_t mark_count = 0, fired_count = 0;
  std::uint8_t attempt_count = 0;  // may be more than are kept

  void set(const Exchange& exchange, const Outcome& outcome);
  std::int64_t ended() const { return started_micros + total_micros; }
  std::size_t attempts_kept() const {
    return std::min<std::size_t>(attempt_count, attempts.size());
  }
};

}  // namespace causeway
