#include "core/event.h"

namespace causeway {

void Frame::clear() {
  kind = Kind::Data;
  wire = data = {};
  events.clear();
  usage = {};
  has_content = usage_only = has_logprobs = more = swallowed = false;
  id = created = model = fingerprint = {};
  usage_at = 0;
  released.clear();
}

void Bytes::view(std::string_view piece) {
  if (piece.empty()) return;
  if (!spans_.empty() && spans_.back().data() + spans_.back().size() == piece.data()) {
    spans_.back() = {spans_.back().data(), spans_.back().size() + piece.size()};
    return;
  }
  spans_.push_back(piece);
}

void Bytes::own(std::string piece) {
  if (piece.empty()) return;
  owned_.push_back(std::move(piece));
  spans_.push_back(owned_.back());
}

std::size_t Bytes::owned_size() const {
  std::size_t sum = 0;
  for (const std::string& piece : owned_) sum += piece.size();
  return sum;
}

std::size_t Bytes::size() const {
  std::size_t total = 0;
  for (const auto span : spans_) total += span.size();
  return total;
}

}  // namespace causeway
