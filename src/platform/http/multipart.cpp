#include "platform/http/multipart.h"

#include <algorithm>
#include <cstring>

#include "platform/text/ascii.h"

namespace causeway::http {
namespace {

std::unexpected<Error> bad(std::string why) {
  return fail(ErrorKind::InvalidRequest, Origin::Client,
              "The body is not a form as multipart/form-data has it: " + std::move(why) + ".",
              "invalid_multipart");
}

// RFC 2046, section 5.1.1; a blank may not be the last.
bool is_boundary(std::string_view text) {
  const auto fits = [](char c) {
    return text::is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("'()+_,-./:=? ").find(c) != std::string_view::npos;
  };
  return !text.empty() && text.size() <= 70 && text.back() != ' ' &&
         std::ranges::all_of(text, fits);
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kMarks = "()<>@,;:\\\"/[]?={}";
  const auto fits = [](char c) { return c > ' ' && c < 0x7f && kMarks.find(c) == kMarks.npos; };
  return !text.empty() && std::ranges::all_of(text, fits);
}

bool is_line(std::string_view text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return (c >= ' ' && c != 0x7f) || c == '\t'; });
}

struct Parameter {
  std::string_view name, value;
  bool quoted = false;
};

// Takes "; name=value" or "; name=\"value\"" from the front of `rest`. A quote that is escaped ends
// a value for one reader and not for another.
Result<Parameter> take_parameter(std::string_view& rest) {
  rest = text::trim(rest);
  if (!rest.starts_with(';')) return bad("a header has something behind its value");
  rest = text::trim(rest.substr(1));
  const auto equals = rest.find('=');
  if (equals == rest.npos || !is_token(rest.substr(0, equals))) {
    return bad("a header's parameter has no name");
  }
  Parameter parameter{rest.substr(0, equals), {}, false};
  rest.remove_prefix(equals + 1);
  if (rest.starts_with('"')) {
    const auto end = rest.find('"', 1);
    if (end == rest.npos) return bad("a quoted text does not end");
    parameter.value = rest.substr(1, end - 1);
    parameter.quoted = true;
    if (parameter.value.ends_with('\\')) return bad("a quoted text has an escaped quote");
    rest.remove_prefix(end + 1);
    return parameter;
  }
  const auto end = std::min(rest.find_first_of("; \t"), rest.size());
  parameter.value = rest.substr(0, end);
  if (!is_token(parameter.value)) return bad("a header's parameter has no value");
  rest.remove_prefix(end);
  return parameter;
}

}  // namespace

Result<std::string> boundary_of(std::string_view content_type) {
  auto rest = content_type.substr(std::min(content_type.find(';'), content_type.size()));
  const auto type = text::trim(content_type.substr(0, content_type.size() - rest.size()));
  if (!text::equals_ignore_case(type, "multipart/form-data")) {
    return fail(ErrorKind::UnsupportedMedia, Origin::Client,
                "The body must be a form: send Content-Type: multipart/form-data.");
  }
  std::string boundary;
  while (!text::trim(rest).empty()) {
    auto parameter = take_parameter(rest);
    if (!parameter) return pass(std::move(parameter));
    if (!text::equals_ignore_case(parameter->name, "boundary")) continue;
    if (!boundary.empty()) return bad("its Content-Type names two boundaries");
    boundary = parameter->value;
    if (!is_boundary(boundary)) return bad("its boundary is not one");
  }
  if (boundary.empty()) return bad("its Content-Type names no boundary");
  return boundary;
}

// The first boundary has no line before it: the reader begins as if there had been one.
MultipartReader::MultipartReader(std::string_view boundary)
    : delimiter_("\r\n--" + std::string(boundary)), matched_(2) {}

char MultipartReader::take(std::string_view& piece) {
  const char c = piece.front();
  piece.remove_prefix(1);
  ++at_;
  return c;
}

Result<void> MultipartReader::feed(std::string_view piece) {
  Result<void> fine;
  while (fine && !piece.empty()) {
    switch (state_) {
      case State::First:
        fine = first(piece);
        break;
      case State::Behind:
        fine = behind(piece);
        break;
      case State::Header:
        fine = header(piece);
        break;
      case State::Content:
        content(piece);
        break;
      case State::End:
        fine = end(piece);
        break;
    }
  }
  return fine;
}

Result<void> MultipartReader::finish() const {
  if (state_ != State::End || line_ == "\r") return bad("its last boundary is missing");
  return {};
}

Result<void> MultipartReader::first(std::string_view& piece) {
  if (take(piece) != delimiter_[matched_]) return bad("it does not begin with its boundary");
  if (++matched_ == delimiter_.size()) state_ = State::Behind;
  return {};
}

// Two bytes behind a boundary: the end of the line, or the hyphens of the last one.
Result<void> MultipartReader::behind(std::string_view& piece) {
  line_ += take(piece);
  if (line_.size() < 2) return {};
  if (line_ == "--") {
    state_ = State::End;
  } else if (line_ == "\r\n") {
    if (parts_.size() == kMostParts) {
      return bad("it has more than " + std::to_string(kMostParts) + " parts");
    }
    parts_.emplace_back();
    header_bytes_ = 0;
    has_disposition_ = false;
    state_ = State::Header;
  } else {
    return bad("a boundary has something behind it");
  }
  line_.clear();
  return {};
}

Result<void> MultipartReader::header(std::string_view& piece) {
  if (++header_bytes_ > kMostHeaderBytes) {
    return bad("a part has more than " + std::to_string(kMostHeaderBytes) + " bytes of headers");
  }
  line_ += take(piece);
  if (!line_.ends_with("\r\n")) return {};
  line_.resize(line_.size() - 2);
  if (!line_.empty()) {
    auto read = header_line();
    line_.clear();
    return read;
  }
  if (!has_disposition_) return bad("a part has no Content-Disposition");
  parts_.back().begin = at_;
  matched_ = 0;
  state_ = State::Content;
  return {};
}

Result<void> MultipartReader::header_line() {
  if (!is_line(line_)) return bad("a header holds a control character");
  const std::string_view line = line_;
  const auto colon = line.find(':');
  if (colon == line.npos || !is_token(line.substr(0, colon))) {
    return bad("a part's header has no name");  // a folded line, too: it begins with a blank
  }
  const auto name = line.substr(0, colon);
  const auto value = text::trim(line.substr(colon + 1));
  if (text::equals_ignore_case(name, "content-disposition")) return disposition(value);
  if (text::equals_ignore_case(name, "content-transfer-encoding")) {
    for (const std::string_view plain : {"binary", "8bit", "7bit"}) {
      if (text::equals_ignore_case(value, plain)) return {};
    }
    return bad("a part is encoded");
  }
  return {};
}

Result<void> MultipartReader::disposition(std::string_view value) {
  if (std::exchange(has_disposition_, true)) return bad("a part has two Content-Dispositions");
  std::string_view rest = value.substr(std::min(value.find(';'), value.size()));
  const auto type = text::trim(value.substr(0, value.size() - rest.size()));
  if (!text::equals_ignore_case(type, "form-data")) return bad("a part is not form-data");
  FormPart& part = parts_.back();
  std::vector<std::string_view> seen;
  while (!text::trim(rest).empty()) {
    auto parameter = take_parameter(rest);
    if (!parameter) return pass(std::move(parameter));
    const auto same = [&](std::string_view other) {
      return text::equals_ignore_case(other, parameter->name);
    };
    if (std::ranges::any_of(seen, same)) return bad("a part has two names");
    seen.push_back(parameter->name);
    if (same("name*")) return bad("a part's name is encoded");
    part.is_file |= same("filename") || same("filename*");
    if (!same("name")) continue;
    if (parameter->value.find('\\') != parameter->value.npos) {
      return bad("a part's name has an escape");
    }
    part.name = parameter->value;
  }
  if (part.name.empty()) return bad("a part has no name");
  return {};
}

// The delimiter has its only CR in front, so that what matched so far can begin anew only there.
void MultipartReader::content(std::string_view& piece) {
  while (!piece.empty()) {
    if (matched_ == 0) {
      const void* cr = std::memchr(piece.data(), '\r', piece.size());
      const auto plain =
          cr ? static_cast<std::size_t>(static_cast<const char*>(cr) - piece.data()) : piece.size();
      keep(piece.substr(0, plain));
      piece.remove_prefix(plain);
      at_ += plain;
      if (piece.empty()) return;
    }
    if (piece.front() != delimiter_[matched_]) {
      keep(std::string_view(delimiter_).substr(0, std::exchange(matched_, 0)));
      continue;
    }
    take(piece);
    if (++matched_ < delimiter_.size()) continue;
    parts_.back().end = at_ - delimiter_.size();
    state_ = State::Behind;
    return;
  }
}

void MultipartReader::keep(std::string_view bytes) {
  FormPart& part = parts_.back();
  if (part.is_file || part.value.size() > kMostValue) return;
  // One byte more than allowed says that it is too long.
  part.value += bytes.substr(0, kMostValue + 1 - part.value.size());
}

// Behind the last boundary a line may end, and nothing else may stand.
Result<void> MultipartReader::end(std::string_view& piece) {
  line_ += take(piece);
  if (std::string_view("\r\n").starts_with(line_)) return {};
  return bad("something stands behind its last boundary");
}

}  // namespace causeway::http
