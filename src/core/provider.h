// Address, credentials, error classes, and the dialect that it speaks: all that is known of one
// provider. Immutable, part of a snapshot; connections and other live state are elsewhere.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dialect.h"
#include "core/lease.h"
#include "core/target.h"
#include "core/usage.h"
#include "platform/base/cancel.h"
#include "platform/base/task.h"
#include "platform/http/client.h"

namespace causeway {

struct Attempt;
struct Exchange;

/// What a provider makes for one call alone: a path with the model's name in it, a signature, a
/// token. Call's views point into it.
struct MadeForCall {
  std::string target;
  std::deque<std::string> values;
  std::vector<http::Field> fields;
};

/// An HTTP call ready to be made, but for the body, which is the attempt's.
struct Call {
  const http::Endpoint* endpoint = nullptr;  // lives as long as the snapshot or the lease
  std::string_view target;                   // path and query
  std::span<const http::Field> fields;       // credentials and what the provider wants
  std::unique_ptr<Lease> lease;
  std::unique_ptr<MadeForCall> made;  // null where all of it is known beforehand
  // Where only the call tells what must be spoken: the request is translated to it, also from this
  // same dialect. Lives as long as the provider; null = as Provider::dialect() says.
  const Dialect* dialect = nullptr;
};

/// Where a dialect's operations stand below a base path: joined once, not for each request.
class OperationPaths {
 public:
  OperationPaths(std::string_view base, const Dialect& dialect);
  std::string_view of(const Operation& operation) const {
    return paths_[static_cast<std::size_t>(operation.kind)];
  }

 private:
  std::array<std::string, kOperationKinds> paths_;
};

class Provider {
 public:
  virtual ~Provider() = default;
  virtual std::string_view name() const = 0;
  virtual std::string_view kind() const = 0;  // gen_ai.provider.name
  virtual Zone zone() const = 0;
  /// The dialect in which this target is asked for this operation: the operation's own wherever the
  /// provider speaks it, else one that it is translated to.
  virtual const Dialect& dialect(const Operation& operation, const Target& target) const = 0;

  /// The call for an attempt. A provider that must wait for it (an engine that loads, a token that
  /// is fetched) says waits() and has the coroutine form instead; that ends with the exchange's
  /// cancel. Errors: RateLimited, Overloaded, Unavailable, Timeout; the attempt loop goes on to the
  /// next target where the error is retryable.
  virtual bool waits() const { return false; }
  virtual Result<Call> address(const Exchange& exchange, Attempt& attempt) const;
  virtual Task<Result<Call>> wait_address(Exchange& exchange, Attempt& attempt) const;

  /// What an error answer means: what the dialect makes of it, and what this provider says beyond.
  virtual Error classify(const Dialect& dialect, int status, std::span<const http::Field> fields,
                         std::string_view body) const {
    return dialect.classify(status, fields, body);
  }

  /// The call that lists the provider's models, for the background job; nothing = it has none.
  virtual std::optional<Call> listing_call() const { return std::nullopt; }
  /// Tokens of the prompt that the target would make of `chat`, for applications that ask for a
  /// count where the target's own dialect has none. Nothing = it cannot be told now.
  virtual Task<std::optional<TokenCount>> count_tokens(Exchange& exchange, const Target& target,
                                                       Chat chat) const;
  /// Model names that this provider is known to have, for listings; may change at run time.
  virtual std::vector<std::string> known_models() const { return {}; }
  /// Whether a model of this provider does this operation, as far as it is known beforehand.
  virtual bool serves(OperationKind, std::string_view /*upstream_model*/) const { return true; }
  /// The path under which the provider's own paths stand ("/v1"), for requests that are passed
  /// through; nothing = it takes none.
  virtual std::optional<std::string_view> base_path() const { return std::nullopt; }
  /// The system prompt for chats that bring none of their own; empty = none.
  virtual std::string default_system_prompt(std::string_view /*upstream_model*/) const {
    return {};
  }
  /// Whether usage may be asked for in streams (an old server refuses the unknown field).
  virtual bool reports_usage() const { return true; }
  /// Timeouts of this provider that win over the policy's where set.
  virtual const http::Timeouts* timeouts() const { return nullptr; }
};

}  // namespace causeway
