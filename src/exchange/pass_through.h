// /providers/NAME/…: any request to a provider under its credentials, and its answer as it comes.
// Keys, policies, the ledger (without tokens), trace, metrics and log stay on.
#pragma once

#include <vector>

#include "core/provider.h"
#include "exchange/run.h"

namespace causeway::exchange {

/// All fields of a head but those of the connection, credentials, cookies, what names the exchange,
/// and those that `ours` has: a reader must not choose between two.
void pass_all_fields(std::span<const http::Field> from, std::span<const http::Field> ours,
                     std::vector<http::Field>& to);

/// Points the provider's call at the path that the caller asked for. Errors: NotImplemented for a
/// provider that has no such paths.
Result<void> aim(const Exchange& exchange, const Provider& provider, Call& call);

/// Passes an answer on, piece by piece, whatever its status and kind. Errors: as of deliver_stream.
Task<Result<void>> deliver_as_it_comes(Run& run, Attempt& attempt, http::ClientStream& upstream);

}  // namespace causeway::exchange
