#include "features/insight/traces/contents.h"

#include <algorithm>

#include "features/insight/traces/bytes.h"
#include "platform/text/ascii.h"
#include "platform/text/utf8.h"

namespace causeway::traces {
namespace {

constexpr std::uint64_t kVersion = 1;
constexpr std::size_t kMostPieces = 256;

std::string_view name_of(Channel channel) {
  switch (channel) {
    case Channel::Content:
      return "content";
    case Channel::Reasoning:
      return "reasoning";
    case Channel::Refusal:
      return "refusal";
    case Channel::ToolArguments:
      break;
  }
  return "tool_arguments";
}

std::uint32_t hex_of(std::string_view digits) {
  std::uint32_t value = 0;
  for (const char c : digits) {
    const char low = text::to_lower(c);
    if (!text::is_digit(c) && (low < 'a' || low > 'f')) return 0;
    value = value << 4 | static_cast<std::uint32_t>(text::is_digit(c) ? c - '0' : low - 'a' + 10);
  }
  return value;
}

void put_utf8(std::string& out, std::uint32_t c) {
  const auto more = [&](unsigned shift) { out += static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) {
    out += text::to_lower(static_cast<char>(c));
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    more(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    more(6), more(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    more(12), more(6), more(0);
  }
}

// One escape at the beginning of `text`; gives its bytes.
std::size_t put_escape(std::string& out, std::string_view text) {
  if (text.size() < 2) return text.size();
  switch (text[1]) {
    case 'n':
    case 'r':
    case 't':
    case 'b':
    case 'f':
      out += text[1] == 'n' ? '\n' : ' ';
      return 2;
    case 'u':
      break;
    default:
      out += text::to_lower(text[1]);
      return 2;
  }
  if (text.size() < 6) return text.size();
  const std::uint32_t first = hex_of(text.substr(2, 4));
  if (first >= 0xD800 && first < 0xDC00 && text.size() >= 12 && text[6] == '\\') {
    put_utf8(out,
             0x10000 + ((first - 0xD800) << 10) + ((hex_of(text.substr(8, 4)) - 0xDC00) & 0x3FF));
    return 12;
  }
  put_utf8(out, first);
  return 6;
}

}  // namespace

void Contents::set_request(std::string body) {
  request = std::move(body);
  if (request.size() <= kMost) return;
  request.resize(text::utf8_cut(request, kMost).size());
  request_cut = true;
}

Contents::Piece* Contents::piece(const Lane& lane) {
  const auto found = std::ranges::find(answer, lane, &Piece::lane);
  if (found != answer.end()) return &*found;
  if (answer.size() >= kMostPieces) {
    answer_cut = true;
    return nullptr;
  }
  return &answer.emplace_back(Piece{lane, {}, {}});
}

void Contents::add(const Lane& lane, std::string_view text) {
  const std::size_t room = kMost - std::min(answer_bytes_, kMost);
  if (text.size() > room) {
    text = text::utf8_cut(text, room);
    answer_cut = true;
  }
  Piece* to = text.empty() ? nullptr : piece(lane);
  if (!to) return;
  to->text += text;
  answer_bytes_ += text.size();
}

void Contents::add_tool(const Lane& lane, std::string_view name) {
  if (Piece* to = piece(lane)) to->tool = name.substr(0, 200);
}

std::size_t Contents::bytes() const { return request.size() + answer_bytes_; }

std::string Contents::encoded() const {
  std::string out;
  out.reserve(bytes() + 64);
  ByteWriter to(out);
  to.put(kVersion).put(std::uint64_t{request_cut} | std::uint64_t{answer_cut} << 1);
  to.put(std::string_view(request)).put(std::uint64_t{answer.size()});
  for (const Piece& piece : answer) {
    to.put(std::uint64_t{piece.lane.choice}).put(std::uint64_t{piece.lane.item});
    to.put(static_cast<std::uint64_t>(piece.lane.channel));
    to.put(std::string_view(piece.tool)).put(std::string_view(piece.text));
  }
  return out;
}

Result<Contents> Contents::decode(std::string_view bytes) {
  ByteReader from(bytes);
  Contents out;
  bool ok = from.number() == kVersion;
  const std::uint64_t cut = from.number();
  out.request_cut = (cut & 1) != 0;
  out.answer_cut = (cut & 2) != 0;
  out.request = from.text();
  const std::size_t pieces = from.count();
  for (std::size_t i = 0; i < pieces && from.ok(); ++i) {
    Piece& piece = out.answer.emplace_back();
    piece.lane.choice = static_cast<std::uint16_t>(from.number());
    piece.lane.item = static_cast<std::uint16_t>(from.number());
    piece.lane.channel = static_cast<Channel>(from.number() & 3);
    piece.tool = from.text();
    piece.text = from.text();
    out.answer_bytes_ += piece.text.size();
  }
  ok = ok && from.ok();
  if (!ok) return fail(ErrorKind::Internal, Origin::Us, "the contents of a trace are damaged");
  return out;
}

void Contents::write(text::JsonWriter& json) const {
  json.begin_object().field("request", request).field("request_cut", request_cut);
  json.key("answer").begin_array();
  for (const Piece& piece : answer) {
    json.begin_object().field("choice", piece.lane.choice).field("item", piece.lane.item);
    json.field("channel", name_of(piece.lane.channel));
    if (!piece.tool.empty()) json.field("tool", piece.tool);
    json.field("text", piece.text).end_object();
  }
  json.end_array().field("answer_cut", answer_cut).end_object();
}

WordSearch::WordSearch(std::string_view words) : words_(text::to_lower(words)) {}

bool WordSearch::found_in(std::string_view text) {
  plain_.clear();
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    const std::size_t at = plain_.size();
    plain_.append(text.substr(0, plain));
    std::transform(plain_.begin() + static_cast<std::ptrdiff_t>(at), plain_.end(),
                   plain_.begin() + static_cast<std::ptrdiff_t>(at),
                   [](char c) { return text::to_lower(c); });
    text.remove_prefix(plain);
    if (!text.empty()) text.remove_prefix(std::min(put_escape(plain_, text), text.size()));
  }
  return plain_.find(words_) != std::string::npos;
}

bool WordSearch::found_in(const Contents& contents) {
  if (found_in(contents.request)) return true;
  return std::ranges::any_of(contents.answer, [this](const Contents::Piece& piece) {
    return found_in(piece.text) || text::to_lower(piece.tool).find(words_) != std::string::npos;
  });
}

}  // namespace causeway::traces
