// What the configuration says about answers that are kept to be given again.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "platform/config/describe.h"
#include "platform/config/values.h"

namespace causeway::cache {

/// Who shares an answer: all of a tenant, or nobody with another user, or key.
enum class Scope : std::uint8_t { Tenant, User, Key };
inline config::Names<Scope> names_of(Scope) {
  return {{"tenant", Scope::Tenant}, {"user", Scope::User}, {"key", Scope::Key}};
}

/// Answers to what was asked in other words.
struct MeaningSettings {
  config::Located<std::string> model;     // of embeddings; "" = only the very same is the same
  double threshold = 0.85;                // cosine
  std::chrono::milliseconds wait{2'000};  // for the vector; then the request is asked as it is
};
void describe(config::Fields& f, MeaningSettings& c);

/// Policy section `cache`.
struct CacheSettings {
  bool on = false;
  std::chrono::milliseconds ttl{3'600'000};
  Scope scope = Scope::Tenant;
  double max_temperature = 1;  // requests that ask for more are neither answered nor kept
  bool tool_calls = false;     // whether answers that call tools are kept
  bool personal_data = false;  // whether answers to what pii found, and left as it was, are
  config::Bytes largest{config::kMiB};  // of an answer
  MeaningSettings meaning;
  std::chrono::milliseconds wait{30'000};  // for the same request of somebody else; 0 = not
};
void describe(config::Fields& f, CacheSettings& c);
inline constexpr config::Section<CacheSettings> kCache{"cache"};

/// `cache:` of the file: how much is kept in all.
struct CacheLimits {
  config::Bytes memory{128 * config::kMiB};
  config::Bytes disk{256 * config::kMiB};  // 0 = nothing is kept over a restart
  std::uint32_t questions = 50'000;        // that are known by their meaning
  bool operator==(const CacheLimits& other) const {
    return memory.value == other.memory.value && disk.value == other.disk.value;
  }
};
void describe(config::Fields& f, CacheLimits& c);

}  // namespace causeway::cache
