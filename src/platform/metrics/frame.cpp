#include "platform/metrics/frame.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace causeway::metrics {
namespace {

constexpr double kMostWhole = 9007199254740992.0;  // 2^53: up to there a double is a whole number

void put_number(std::string& out, std::uint64_t number) {
  while (number >= 0x80) {
    out += static_cast<char>(number | 0x80);
    number >>= 7;
  }
  out += static_cast<char>(number);
}

// Whole numbers as such, shifted by one; all others in eight bytes behind a 1.
void put_real(std::string& out, double value) {
  if (value >= 0 && value < kMostWhole && value == std::floor(value)) {
    return put_number(out, static_cast<std::uint64_t>(value) << 1);
  }
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out += '\1';
  out.append(bytes, sizeof bytes);
}

}  // namespace

void FrameWriter::begin(SeriesId id, bool histogram) {
  const auto gap = static_cast<std::int64_t>(id) - static_cast<std::int64_t>(last_);
  const auto zigzag = static_cast<std::uint64_t>((gap << 1) ^ (gap >> 63));
  put_number(out_, zigzag << 1 | (histogram ? 1 : 0));
  last_ = id;
}

void FrameWriter::add(SeriesId id, double value) {
  begin(id, false);
  put_real(out_, value);
}

void FrameWriter::add(SeriesId id, std::span<const std::uint64_t> counts, double sum) {
  begin(id, true);
  put_real(out_, sum);
  const auto empty = static_cast<std::size_t>(std::ranges::count(counts, std::uint64_t{0}));
  put_number(out_, counts.size() - empty);
  std::size_t last = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    put_number(out_, i - last);
    put_number(out_, counts[i]);
    last = i;
  }
}

std::string FrameWriter::take() {
  last_ = 0;
  std::string exact(out_);  // with no room behind it: it is kept for long
  out_.clear();
  return exact;
}

std::uint64_t FrameReader::number() {
  std::uint64_t value = 0;
  for (unsigned shift = 0; !rest_.empty() && shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) break;
  }
  return value;
}

double FrameReader::real() {
  const std::uint64_t whole = number();
  if ((whole & 1) == 0) return static_cast<double>(whole >> 1);
  double value = 0;
  std::memcpy(&value, rest_.data(), sizeof value);
  rest_.remove_prefix(sizeof value);
  return value;
}

bool FrameReader::next(FrameEntry& entry) {
  if (rest_.empty()) return false;
  const std::uint64_t head = number();
  const std::uint64_t zigzag = head >> 1;
  const auto gap = static_cast<std::int64_t>(zigzag >> 1) ^ -static_cast<std::int64_t>(zigzag & 1);
  last_ = static_cast<SeriesId>(static_cast<std::int64_t>(last_) + gap);
  entry.id = last_;
  entry.histogram = (head & 1) != 0;
  entry.value = real();
  entry.counts.clear();
  if (!entry.histogram) return true;
  std::uint64_t left = number();
  for (std::uint64_t bucket = 0; left > 0; --left) {
    bucket += number();
    entry.counts.emplace_back(static_cast<std::uint32_t>(bucket), number());
  }
  return true;
}

}  // namespace causeway::metrics
