#include "platform/http/detail/parser.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <cstring>

#include "platform/http/detail/guard.h"

namespace causeway::http::detail {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

bool may_begin(char c, std::size_t at) {
  // A letter, then printable ones; a TLS hello (0x16) or a JSON text is no HTTP message.
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (at > 0 && c >= ' ' && c <= '~');
}

/// Collects what the head says; everything about bodies is the caller's.
template <bool kRequest>
class Head final : public bhttp::basic_parser<kRequest> {
 public:
  explicit Head(std::vector<Field>& fields) : fields_(fields) {
    this->header_limit(std::numeric_limits<std::uint32_t>::max());  // HeadScanner has the limits
    this->body_limit(boost::none);
    this->eager(false);
  }
  std::string_view method, target;
  int status = 0;
  int version = 0;

 private:
  using Error = beast::error_code;
  void on_request_impl(bhttp::verb, beast::string_view name, beast::string_view path, int v,
                       Error&) override {
    method = view(name);
    target = view(path);
    version = v;
  }
  void on_response_impl(int code, beast::string_view, int v, Error&) override {
    status = code;
    version = v;
  }
  void on_field_impl(bhttp::field, beast::string_view name, beast::string_view value,
                     Error&) override {
    fields_.push_back({view(name), view(value)});
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(beast::string_view body, Error&) override { return body.size(); }
  void on_chunk_header_impl(std::uint64_t, beast::string_view, Error&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, Error&) override {
    return body.size();
  }
  void on_finish_impl(Error&) override {}

  std::vector<Field>& fields_;
};

Refusal refusal_of(const beast::error_code& error, std::string_view head) {
  const std::string_view line = head.substr(0, head.find('\r'));
  if (error == bhttp::error::bad_version && line.size() > 9) {
    // "GET / HTTP/2.0" asks for another version; anything else is not HTTP at all.
    const std::string_view tail = line.substr(line.size() - 9);
    const bool digits =
        tail[6] >= '0' && tail[6] <= '9' && tail[7] == '.' && tail[8] >= '0' && tail[8] <= '9';
    const bool target = std::count(line.begin(), line.end(), ' ') == 2;
    if (tail.starts_with(" HTTP/") && digits && target) {
      return {505, "only HTTP/1.0 and HTTP/1.1 are supported"};
    }
  }
  if (error == bhttp::error::bad_content_length || error == bhttp::error::multiple_content_length) {
    return {400, "bad or contradicting Content-Length"};
  }
  if (error == bhttp::error::bad_transfer_encoding) return {400, "bad Transfer-Encoding"};
  if (error == bhttp::error::bad_field) return {400, "bad field name"};
  if (error == bhttp::error::bad_value) return {400, "bad field value"};
  return {400, "this is not an HTTP request"};
}

bool mentions_continue(std::span<const Field> fields) {
  const auto expect = find(fields, "expect");
  return expect && same_name(*expect, "100-continue");
}

}  // namespace

Parsed HeadScanner::refuse(int status, std::string_view why) {
  refusal_ = {status, why};
  return Parsed::Refused;
}

Parsed HeadScanner::scan(std::string_view buffer, const HeadLimits& limits) {
  for (std::size_t at = scanned_; at < std::min<std::size_t>(buffer.size(), 4); ++at) {
    if (!may_begin(buffer[at], at)) return refuse(400, "this is not an HTTP message");
  }
  while (scanned_ < buffer.size()) {
    const char* found = static_cast<const char*>(
        std::memchr(buffer.data() + scanned_, '\n', buffer.size() - scanned_));
    const std::size_t end = found ? static_cast<std::size_t>(found - buffer.data()) : buffer.size();
    if (end > limits.head_bytes) return refuse(431, "the head is too large");
    if (end - line_ > limits.field_bytes + 1) return refuse(431, "a line of the head is too long");
    scanned_ = end;
    if (!found) return Parsed::NeedMore;
    ++scanned_;
    if (end == 0 || buffer[end - 1] != '\r') return refuse(400, "a line ends without CR");
    if (end - line_ == 1) {
      size_ = scanned_;
      return Parsed::Done;
    }
    if (buffer[line_] == ' ' || buffer[line_] == '\t') return refuse(400, "a folded field");
    if (lines_++ > limits.fields) return refuse(431, "too many fields");
    line_ = scanned_;
  }
  return Parsed::NeedMore;
}

void RequestParser::reset() {
  scanner_.reset();
  head_ = {};
  framing_ = {};
  fields_.clear();
}

Parsed RequestParser::parse(std::string_view buffer) {
  const Parsed scanned = scanner_.scan(buffer, limits_);
  if (scanned == Parsed::Refused) refusal_ = scanner_.refusal();
  if (scanned != Parsed::Done) return scanned;
  const std::string_view bytes = buffer.substr(0, scanner_.size());
  Head<true> parser(fields_);
  beast::error_code error;
  parser.put({bytes.data(), bytes.size()}, error);
  if (error || !parser.is_header_done()) {
    refusal_ = refusal_of(error, bytes);
    return Parsed::Refused;
  }
  const bool http10 = parser.version == 10;
  if (!check_request(parser.target, fields_, http10, refusal_) ||
      !frame(fields_, http10, framing_, refusal_)) {
    return Parsed::Refused;
  }
  const std::size_t question = parser.target.find('?');
  head_.method = method_of(parser.method);
  head_.method_text = parser.method;
  head_.target = parser.target;
  head_.path = parser.target.substr(0, question);
  head_.query =
      question == std::string_view::npos ? std::string_view() : parser.target.substr(question + 1);
  head_.fields = fields_;
  head_.content_length = framing_.content_length;
  head_.chunked = framing_.chunked;
  head_.keep_alive = framing_.keep_alive;
  head_.expects_continue = !http10 && mentions_continue(fields_);
  return Parsed::Done;
}

void ResponseParser::reset() {
  scanner_.reset();
  head_ = {};
  framing_ = {};
  fields_.clear();
}

Parsed ResponseParser::parse(std::string_view buffer) {
  const Parsed scanned = scanner_.scan(buffer, limits_);
  if (scanned == Parsed::Refused) refusal_ = scanner_.refusal();
  if (scanned != Parsed::Done) return scanned;
  const std::string_view bytes = buffer.substr(0, scanner_.size());
  Head<false> parser(fields_);
  beast::error_code error;
  parser.put({bytes.data(), bytes.size()}, error);
  if (error || !parser.is_header_done()) {
    refusal_ = {400, "this is not an HTTP answer"};
    return Parsed::Refused;
  }
  if (!frame(fields_, parser.version == 10, framing_, refusal_)) return Parsed::Refused;
  head_.status = parser.status;
  head_.fields = fields_;
  return Parsed::Done;
}

/// Beast reads chunks only behind a head, so each decoder is given one of its own.
class ChunkedDecoder::Impl final : public bhttp::basic_parser<true> {
 public:
  Impl() {
    constexpr std::string_view kHead = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    this->header_limit(kMaxTail);
    this->body_limit(boost::none);
    this->eager(false);
    beast::error_code error;
    this->put({kHead.data(), kHead.size()}, error);
  }

  Step next(std::string_view input) {
    Step step;
    while (step.consumed < input.size()) {
      const std::string_view rest = input.substr(step.consumed);
      // The shortest body is "0\r\n\r\n"; Beast 1.81 asserts on a last chunk seen in fewer bytes.
      if (first_ && rest.size() < 5) return step;
      digits_ = rest.data() + (first_ ? 0 : 2);  // behind the CRLF of the chunk before
      data_ = {};
      beast::error_code error;
      step.consumed += this->put({rest.data(), rest.size()}, error);
      if (error == bhttp::error::need_more) {
        if (rest.size() > kMaxTail) step.state = Parsed::Refused;
        return step;
      }
      if (error) {
        step.state = Parsed::Refused;
        return step;
      }
      step.data = data_;
      if (this->is_done()) step.state = Parsed::Done;
      if (!data_.empty() || this->is_done()) return step;
    }
    return step;
  }

 private:
  using Error = beast::error_code;
  // More than 2^64 cannot be meant; a long row of zeros is somebody's trick.
  static constexpr std::ptrdiff_t kMaxDigits = 16;

  void on_request_impl(bhttp::verb, beast::string_view, beast::string_view, int, Error&) override {}
  void on_response_impl(int, beast::string_view, int, Error&) override {}
  void on_field_impl(bhttp::field, beast::string_view, beast::string_view, Error& error) override {
    if (++trailer_fields_ > 1 + HeadLimits().fields) error = bhttp::error::bad_field;
  }
  void on_header_impl(Error&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, Error&) override {}
  std::size_t on_body_impl(beast::string_view, Error&) override { return 0; }
  void on_chunk_header_impl(std::uint64_t, beast::string_view extensions, Error& error) override {
    first_ = false;
    if (extensions.data() - digits_ > kMaxDigits) error = bhttp::error::bad_chunk;
    // Beast lets a quoted value hold a line feed, where others see the end of the line.
    const auto control = [](unsigned char c) { return c < ' ' && c != '\t'; };
    if (std::any_of(extensions.begin(), extensions.end(), control)) error = bhttp::error::bad_chunk;
  }
  std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view body, Error&) override {
    data_ = view(body);
    return body.size();
  }
  void on_finish_impl(Error&) override {}

  const char* digits_ = nullptr;
  std::string_view data_;
  bool first_ = true;
  std::size_t trailer_fields_ = 0;
};

ChunkedDecoder::ChunkedDecoder() : impl_(std::make_unique<Impl>()) {}
ChunkedDecoder::~ChunkedDecoder() = default;
ChunkedDecoder::ChunkedDecoder(ChunkedDecoder&&) noexcept = default;
ChunkedDecoder& ChunkedDecoder::operator=(ChunkedDecoder&&) noexcept = default;

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view input) { return impl_->next(input); }

void ChunkedDecoder::reset() {
  // Beast's parser cannot be used again; made anew in the same memory.
  std::destroy_at(impl_.get());
  std::construct_at(impl_.get());
}

}  // namespace causeway::http::detail
