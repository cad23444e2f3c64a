#include "core/editing_writer.h"

#include <algorithm>

#include "platform/text/json_writer.h"
#include "platform/text/number.h"

namespace causeway {

static constexpr std::size_t kRoom = 64;  // bytes for what must be escaped

void EditingWriter::frame(const Frame& frame, Bytes& out) {
  if (frame.usage_only && !settings_.usage_wanted) return;
  if (settings_.may_edit) remember(frame);
  if (frame.swallowed) return;
  if (settings_.hide_logprobs && frame.has_logprobs && frame.released.empty()) {
    return out.own(edited(frame, without_logprobs(frame)));
  }
  if (frame.usage_at && !cost_.empty()) return frame_with_cost(frame, out);
  if (frame.released.empty()) {
    out.view(frame.wire);
  } else {
    out.own(edited(frame, spliced(frame)));
  }
}

void EditingWriter::cost(std::int64_t micros) {
  if (!settings_.usage_wanted) return;
  cost_ = R"("cost":)";
  text::append_money(cost_, micros);
}

// New JSON in the frame's own framing. Data that came in several lines has line feeds between its
// tokens, where a blank does as well.
std::string EditingWriter::edited(const Frame& frame, std::string json) const {
  const char* const begin = frame.wire.data();
  const char* const data = frame.data.data();
  if (data == begin) return json;  // a whole body
  std::replace(json.begin(), json.end(), '\n', ' ');
  const bool inside = data > begin && data < begin + frame.wire.size();
  const std::string prefix = inside ? std::string(begin, data) : "data: ";
  return prefix + json + "\n\n";
}

// The frame's JSON with each text replaced by what was released of it. Log probabilities belong
// to the tokens as the model made them: where text changed they no longer fit.
std::string EditingWriter::spliced(const Frame& frame) const {
  std::size_t room = frame.data.size() + cost_.size() + kRoom;
  for (const std::string& text : frame.released) room += text.size();
  std::string json;
  json.reserve(room);
  std::size_t at = 0, text = 0;
  for (const auto& event : frame.events) {
    if (event.kind != EventKind::Text) continue;
    append_data(frame, at, event.value.begin, json);
    text::append_json_string(json, frame.released[text++]);
    at = event.value.end;
  }
  append_data(frame, at, frame.data.size(), json);
  if (!no_logprobs_.empty()) drop_logprobs(json);
  return json;
}

[[gnu::cold]] std::string EditingWriter::without_logprobs(const Frame& frame) const {
  std::string json;
  json.reserve(frame.data.size() + cost_.size() + 1);
  append_data(frame, 0, frame.data.size(), json);
  drop_logprobs(json);
  return json;
}

// The cost becomes the first member of the usage object; nothing else of the frame changes.
[[gnu::cold]] void EditingWriter::frame_with_cost(const Frame& frame, Bytes& out) const {
  const char* begin = frame.data.data();
  const char* end = frame.wire.data() + frame.wire.size();
  if (!frame.released.empty()) return out.own(edited(frame, spliced(frame)));
  if (begin < frame.wire.data() || begin >= end) {  // data of several lines, joined
    std::string json;
    append_data(frame, 0, frame.data.size(), json);
    return out.own(edited(frame, std::move(json)));
  }
  const std::size_t at = static_cast<std::size_t>(begin - frame.wire.data()) + frame.usage_at;
  out.view(frame.wire.substr(0, at));
  out.own(cost_member(frame));
  out.view(frame.wire.substr(at));
}

std::string EditingWriter::cost_member(const Frame& frame) const {
  const auto next = frame.data.find_first_not_of(" \t\r\n", frame.usage_at);
  return cost_ + (frame.data[next] == '}' ? "" : ",");
}

// data[begin, end), with the cost where it belongs in there.
void EditingWriter::append_data(const Frame& frame, std::size_t begin, std::size_t end,
                                std::string& json) const {
  const std::size_t at = frame.usage_at;
  const bool here = !cost_.empty() && at > begin && at <= end;
  if (here) json.append(frame.data, begin, at - begin).append(cost_member(frame));
  const std::size_t rest = here ? at : begin;
  json.append(frame.data, rest, end - rest);
}

// Where the string ends that byte `first` stands in. Most of an answer is one long string, which is
// not looked at byte by byte.
static std::size_t closing_quote(std::string_view json, std::size_t first) {
  for (auto at = json.find('"', first); at != json.npos; at = json.find('"', at + 1)) {
    std::size_t escapes = 0;
    while (at - escapes > first && json[at - escapes - 1] == '\\') ++escapes;
    if (escapes % 2 == 0) return at;
  }
  return json.size();
}

// Finds `"logprobs":` outside strings and replaces what stands behind it.
void EditingWriter::drop_logprobs(std::string& json) const {
  constexpr std::string_view kName = "\"logprobs\"";
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      i = closing_quote(json, i);
      in_string = false;
      continue;
    }
    if (c != '"') continue;
    if (json.compare(i, kName.size(), kName) != 0) {
      in_string = true;
      continue;
    }
    std::size_t value = json.find_first_not_of(" \t\r\n", i + kName.size());
    if (value == std::string::npos || json[value] != ':') {
      in_string = true;
      continue;
    }
    value = json.find_first_not_of(" \t\r\n", value + 1);
    if (value == std::string::npos || (json[value] != '{' && json[value] != '[')) {
      i += kName.size() - 1;
      continue;
    }
    std::size_t end = value;
    int depth = 0;
    bool quoted = false;
    for (; end < json.size(); ++end) {
      const char d = json[end];
      if (quoted) {
        if (d == '\\') {
          ++end;
        } else if (d == '"') {
          quoted = false;
        }
      } else if (d == '"') {
        quoted = true;
      } else if (d == '{' || d == '[') {
        ++depth;
      } else if ((d == '}' || d == ']') && --depth == 0) {
        break;
      }
    }
    json.replace(value, end + 1 - value, no_logprobs_);
    i = value + no_logprobs_.size() - 1;
  }
}

}  // namespace causeway
