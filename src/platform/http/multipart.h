// The parts of a multipart/form-data body (RFC 7578), read as it comes and never held: where each
// part's content stands, and the values of short fields. Strict: what two readers could take for
// different forms is refused (a preamble, an epilogue, a boundary with anything behind it, bare
// line feeds, folded or repeated headers, escapes in names), since the provider reads the same
// bytes again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "platform/base/error.h"

namespace causeway::http {

struct FormPart {
  std::string name;
  bool is_file = false;              // it has a file's name
  std::uint64_t begin = 0, end = 0;  // of its content, in the body
  std::string value;                 // the content, of a field that is not longer than kMostValue
};

/// The boundary that a Content-Type of multipart/form-data names. Errors: UnsupportedMedia for
/// another type, InvalidRequest for a boundary that is missing, doubled or malformed.
Result<std::string> boundary_of(std::string_view content_type);

class MultipartReader {
 public:
  static constexpr std::size_t kMostParts = 128;
  static constexpr std::size_t kMostHeaderBytes = 8 * 1024;  // of one part
  static constexpr std::size_t kMostValue = 1024;

  explicit MultipartReader(std::string_view boundary);

  /// The next bytes of the body. Errors, as of finish(): InvalidRequest, "invalid_multipart"; then
  /// the reader must not be fed again.
  Result<void> feed(std::string_view piece);
  /// The body has ended. An error where its last boundary is missing.
  Result<void> finish() const;

  /// Complete after finish().
  const std::vector<FormPart>& parts() const { return parts_; }

 private:
  enum class State : std::uint8_t { First, Behind, Header, Content, End };

  Result<void> first(std::string_view& piece);
  Result<void> behind(std::string_view& piece);
  Result<void> header(std::string_view& piece);
  void content(std::string_view& piece);
  Result<void> end(std::string_view& piece);
  Result<void> header_line();
  Result<void> disposition(std::string_view value);
  void keep(std::string_view bytes);
  char take(std::string_view& piece);

  const std::string delimiter_;  // CRLF, two hyphens, the boundary
  State state_ = State::First;
  std::uint64_t at_ = 0;     // bytes read so far
  std::size_t matched_ = 0;  // of the delimiter
  std::string line_;         // what stands behind a boundary, or a header's line
  std::size_t header_bytes_ = 0;
  bool has_disposition_ = false;
  std::vector<FormPart> parts_;
};

}  // namespace causeway::http
