// What makes two requests the same: everything that bears on the answer.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "core/exchange.h"
#include "features/traffic/cache/config.h"
#include "platform/crypto/hash.h"

namespace causeway::cache {

using Key = crypto::Digest;

struct KeyHash {
  using is_avalanching = void;                   // to Boost: all its bits are equally good
  std::size_t operator()(const Key& key) const;  // a digest is a hash already
};

/// What the request's Cache-Control field wants.
struct Control {
  bool no_cache = false;        // a new answer, which may be kept
  bool no_store = false;        // neither given nor kept
  bool only_if_cached = false;  // or none
  std::optional<std::chrono::seconds> max_age;
};
Control read_control(std::string_view field);

/// SHA-256 over: who shares it, the model asked for, the target, the operation with what its path
/// says, the fields of the head that go on to a provider, and the body as the attempt has it. Left
/// out of the body is what does not bear on the answer: who asks, how it is delivered, how it is
/// filed. A stream and a whole answer have different keys, since their bytes differ.
Key key_of(Exchange& exchange, const Attempt& attempt, const CacheSettings& settings);

/// As asked for; nothing where the request says nothing.
std::optional<double> temperature_of(const RequestIndex& index);

}  // namespace causeway::cache
