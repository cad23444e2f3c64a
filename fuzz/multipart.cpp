// Forms: any bytes, in one piece, cut in two at every place, and byte by byte. A plain reader that
// has all of the body at hand must find the same parts, or refuse as well.
#include "platform/http/multipart.h"

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace causeway::http;

constexpr std::size_t kMaxInput = 512;  // every cut of it is tried
constexpr std::string_view kBoundary = "b";

void require(bool holds) {
  if (!holds) std::abort();
}

struct Seen {
  std::string name, content;
  bool operator==(const Seen&) const = default;
};
using Form = std::optional<std::vector<Seen>>;

Form in_pieces(std::string_view body, std::size_t first, std::size_t step) {
  MultipartReader reader(kBoundary);
  for (std::size_t at = 0; at < body.size();) {
    const std::string piece(body.substr(at, at == 0 ? first : step));  // memory of its own
    at += piece.size();
    if (!reader.feed(piece)) return std::nullopt;
  }
  if (!reader.finish()) return std::nullopt;
  std::vector<Seen> parts;
  std::uint64_t last = 0;
  for (const FormPart& part : reader.parts()) {
    require(part.begin >= last && part.begin <= part.end && part.end <= body.size());
    last = part.end;
    const std::string content(body.substr(part.begin, part.end - part.begin));
    if (!part.is_file) require(part.value == content.substr(0, MultipartReader::kMostValue + 1));
    require(!part.name.empty());
    parts.push_back({part.name, content});
  }
  return parts;
}

/// Cuts at the boundaries; the headers are left to the reader.
std::optional<std::vector<std::string>> plainly(std::string_view body) {
  const std::string all = "\r\n" + std::string(body), delimiter = "\r\n--" + std::string(kBoundary);
  std::vector<std::string> contents;
  if (!all.starts_with(delimiter)) return std::nullopt;
  std::size_t at = delimiter.size();
  while (true) {
    const std::string_view rest = std::string_view(all).substr(at);
    if (rest == "--" || rest == "--\r\n") return contents;
    if (!rest.starts_with("\r\n")) return std::nullopt;
    const auto headers = all.find("\r\n\r\n", at);  // no part is without a header
    if (headers == all.npos) return std::nullopt;
    const auto end = all.find(delimiter, headers + 4);
    if (end == all.npos) return std::nullopt;
    contents.push_back(all.substr(headers + 4, end - headers - 4));
    at = end + delimiter.size();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > kMaxInput) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  (void)boundary_of(body);
  const Form whole = in_pieces(body, size, size);
  for (std::size_t cut = 1; cut < size; ++cut) require(in_pieces(body, cut, size) == whole);
  require(in_pieces(body, 1, 1) == whole);
  if (!whole) return 0;
  const auto contents = plainly(body);
  require(contents && contents->size() == whole->size());
  for (std::size_t i = 0; i < contents->size(); ++i) require((*contents)[i] == (*whole)[i].content);
  return 0;
}
