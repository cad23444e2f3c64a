#include "exchange/identity.h"

#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "platform/http/server_stream.h"

namespace causeway::exchange {
namespace {

constexpr std::size_t kLongestId = 128;

// All sixteen digits at once, eight in a word.
void put_hex(char* out, std::uint64_t value) {
  for (int half = 0; half < 2; ++half, value <<= 32) {
    std::uint64_t digits = value >> 32;  // each four bits move into a byte of their own
    digits = (digits | digits << 16) & 0x0000ffff0000ffff;
    digits = (digits | digits << 8) & 0x00ff00ff00ff00ff;
    digits = (digits | digits << 4) & 0x0f0f0f0f0f0f0f0f;
    const std::uint64_t letters = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
    digits += 0x3030303030303030 + letters * ('a' - '0' - 10);
    digits = std::byteswap(digits);
    std::memcpy(out + 8 * half, &digits, 8);
  }
}

bool is_lower_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool all_zero(std::string_view text) { return text.find_first_not_of('0') == text.npos; }

// What may stand in a log line and a header without care.
bool acceptable_id(std::string_view id) {
  return !id.empty() && id.size() <= kLongestId && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == ':' || c == '/';
  });
}

bool take_trace_id(std::string_view parent, Exchange& exchange) {
  // 00-<32>-<16>-<2>; later versions may append fields behind the same beginning.
  if (parent.size() < 55 || parent[2] != '-' || parent[35] != '-' || parent[52] != '-')
    return false;
  const auto trace = parent.substr(3, 32);
  if (parent.substr(0, 2) == "ff" || !is_lower_hex(trace) || all_zero(trace)) return false;
  const auto span = parent.substr(36, 16);
  if (!is_lower_hex(span) || all_zero(span)) return false;
  std::copy(trace.begin(), trace.end(), exchange.trace_id.begin());
  std::copy(span.begin(), span.end(), exchange.parent_span_id.begin());
  return true;
}

}  // namespace

IdSource::IdSource() {
  if (getrandom(state_, sizeof state_, 0) != sizeof state_) std::terminate();
}

// xoshiro256++ 1.0, Blackman and Vigna, public domain.
std::uint64_t IdSource::next() {
  const auto rotl = [](std::uint64_t x, int k) { return (x << k) | (x >> (64 - k)); };
  const std::uint64_t result = rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = rotl(state_[3], 45);
  return result;
}

void name_exchange(Exchange& exchange, IdSource& ids) {
  const auto& head = exchange.head();
  put_hex(exchange.span_id.data(), ids.next());
  if (!take_trace_id(head.find("traceparent").value_or(""), exchange)) {
    exchange.parent_span_id[0] = 0;
    put_hex(exchange.trace_id.data(), ids.next());
    put_hex(exchange.trace_id.data() + 16, ids.next());
  }
  const auto given = head.find("x-request-id").value_or("");
  if (acceptable_id(given)) {
    exchange.id.assign(given);
  } else {
    exchange.id.assign("req_");
    exchange.id.append(exchange.span_id.data(), 16);
    exchange.id.append(exchange.trace_id.data() + 24, 8);
  }
}

TraceParent traceparent(const Exchange& exchange, const std::array<char, 16>& span_id) {
  TraceParent text;
  char* at = text.data();
  const auto put = [&](std::string_view part) { at = std::copy(part.begin(), part.end(), at); };
  put("00-");
  put({exchange.trace_id.data(), exchange.trace_id.size()});
  put("-");
  put({span_id.data(), span_id.size()});
  put("-01");
  return text;
}

}  // namespace causeway::exchange
