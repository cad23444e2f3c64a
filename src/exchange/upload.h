// A form with files on its way through: read from the caller once, kept until an answer has begun
// (another target may need it again), in memory where it is small, else in a nameless file of the
// data folder. A target gets it as it came, but for the model's name.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/exchange.h"
#include "platform/http/client.h"
#include "platform/http/multipart.h"
#include "platform/store/spool.h"

namespace causeway::exchange {

/// What of an upload stays in memory; the rest of it is on the disk.
inline constexpr std::size_t kUploadPiece = 64 * 1024;

class Upload {
 public:
  explicit Upload(const LoopContext& context) : context_(context) {}

  /// Reads the form that the exchange's stream brings. Errors: UnsupportedMedia and InvalidRequest
  /// of the form, TooLarge above `limit` bytes, Unavailable ("upload_not_kept", "store_full") where
  /// the disk does not take it, what the stream says.
  Task<Result<void>> read(http::ServerStream& stream, std::size_t limit);

  const std::vector<http::FormPart>& parts() const { return parts_; }
  std::uint64_t size() const { return size_; }

  /// Its bytes, with `model` in the place of the content of part `model_part`. The upload, and what
  /// `model` views, must outlive it.
  std::unique_ptr<http::BodySource> as_sent(std::size_t model_part, std::string_view model) const;

 private:
  class Source;
  Task<Result<void>> keep(std::string_view bytes);
  Task<Result<void>> spill();
  Task<Result<std::string>> piece(std::size_t number) const;

  const LoopContext& context_;
  std::vector<http::FormPart> parts_;
  std::uint64_t size_ = 0;
  std::string memory_;  // the piece that is not yet, or need not be, on the disk: the last one
  std::unique_ptr<store::Spool> spool_;
  std::size_t spilled_ = 0;  // pieces on the disk, each of kUploadPiece bytes
};

/// What a caller sends to a provider's own path, as it comes: nothing of it is kept.
std::unique_ptr<http::BodySource> passing_body(Exchange& exchange);

}  // namespace causeway::exchange
