#include "core/testing/random_chat.h"

#include <algorithm>
#include <array>
#include <map>
#include <ostream>
#include <string_view>

namespace causeway::testing {
namespace {

std::size_t below(std::mt19937_64& random, std::size_t n) {
  return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
}
bool chance(std::mt19937_64& random, int percent) {
  return below(random, 100) < std::size_t(percent);
}

std::string random_arguments(std::mt19937_64& random) {
  std::string json = "{";
  const std::size_t members = below(random, 4);
  for (std::size_t i = 0; i < members; ++i) {
    if (i) json += ',';
    json += "\"k" + std::to_string(i) + "\":";
    switch (below(random, 4)) {
      case 0:
        json += std::to_string(below(random, 1'000'000));
        break;
      case 1:
        json += encode_json_string(random_text(random, 30));
        break;
      case 2:
        json += R"([1,2,{"deep":null}])";
        break;
      default:
        json += chance(random, 50) ? "true" : "-0.25";
    }
  }
  return json + "}";
}

ChatPart text_part(std::string text) {
  ChatPart part;
  part.text = std::move(text);
  return part;
}

// An assistant's turn with calls, and the tools' answers to them.
void add_calls(std::mt19937_64& random, Chat& chat, int& calls) {
  ChatMessage assistant, tool;
  assistant.role = Role::Assistant;
  tool.role = Role::Tool;
  if (chance(random, 50)) assistant.parts.push_back(text_part(random_text(random, 60)));
  const std::size_t count = 1 + below(random, 3);
  for (std::size_t i = 0; i < count; ++i) {
    ChatPart call;
    call.kind = ChatPart::Kind::ToolCall;
    call.id = "call_" + std::to_string(++calls);
    call.name = "tool_" + std::to_string(below(random, chat.tools.size()));
    call.arguments = random_arguments(random);
    ChatPart result;
    result.kind = ChatPart::Kind::ToolResult;
    result.id = call.id;
    result.name = call.name;
    result.content.push_back(text_part(random_text(random, 80)));
    assistant.parts.push_back(std::move(call));
    tool.parts.push_back(std::move(result));
  }
  chat.messages.push_back(std::move(assistant));
  chat.messages.push_back(std::move(tool));
}

}  // namespace

std::string random_text(std::mt19937_64& random, std::size_t most) {
  static constexpr std::array<std::string_view, 12> kPieces = {
      "hello ", "Grüße", "日本", "\n", "\"", "\\", "\t", "🚢", "</s>", "data: x", "{}", "ő"};
  std::string text;
  const std::size_t size = 1 + below(random, std::max<std::size_t>(most, 1));
  while (text.size() < size) text += kPieces[below(random, kPieces.size())];
  return text;
}

Chat random_chat(std::mt19937_64& random) {
  Chat chat;
  chat.model = "m";
  int calls = 0;
  const std::size_t tools = below(random, 3);
  for (std::size_t i = 0; i < tools; ++i) {
    ChatTool tool;
    tool.name = "tool_" + std::to_string(i);
    if (chance(random, 70)) tool.description = random_text(random, 40);
    tool.schema = R"({"type":"object","properties":{"k0":{"type":"string"}}})";
    chat.tools.push_back(std::move(tool));
  }
  const auto say = [&](Role role) {
    ChatMessage message;
    message.role = role;
    message.parts.push_back(text_part(random_text(random, 120)));
    chat.messages.push_back(std::move(message));
  };
  if (chance(random, 60)) say(Role::System);
  say(Role::User);
  const std::size_t turns = below(random, 5);
  for (std::size_t i = 0; i < turns; ++i) {
    if (!chat.tools.empty() && chance(random, 40)) {
      add_calls(random, chat, calls);
    } else {
      say(Role::Assistant);
      say(Role::User);
    }
  }
  if (chance(random, 50)) chat.max_tokens = 1 + below(random, 4096);
  if (chance(random, 50)) chat.temperature = 0.25 * static_cast<double>(below(random, 5));
  if (chance(random, 30)) chat.top_p = 0.5;
  if (chance(random, 30)) chat.stop.push_back("END");
  if (!chat.tools.empty() && chance(random, 50)) {
    using Kind = ToolChoice::Kind;
    chat.tool_choice.kind = std::array{Kind::Auto, Kind::None, Kind::Required}[below(random, 3)];
  }
  chat.stream = chance(random, 50);
  return chat;
}

std::ostream& operator<<(std::ostream& out, const ReadAnswer& answer) {
  out << "text=" << answer.text << " reasoning=" << answer.reasoning;
  for (const auto& call : answer.calls) {
    out << " call(" << call.id << "," << call.name << "," << call.arguments << ")";
  }
  return out << " stop=" << static_cast<int>(answer.stop) << " in=" << answer.input
             << " out=" << answer.output << " cached=" << answer.cached
             << " ended=" << answer.ended;
}

void ReadingSink::event(const ChatEvent& event) {
  switch (event.kind) {
    case ChatEvent::Kind::Text:
      if (event.lane.channel == Channel::Content) answer.text += event.text;
      if (event.lane.channel == Channel::Reasoning) answer.reasoning += event.text;
      if (event.lane.channel == Channel::ToolArguments) {
        answer.calls.at(event.lane.item).arguments += event.text;
      }
      break;
    case ChatEvent::Kind::ToolCall:
      if (answer.calls.size() <= event.lane.item) answer.calls.resize(event.lane.item + 1u);
      answer.calls[event.lane.item].id = event.id;
      answer.calls[event.lane.item].name = event.name;
      break;
    case ChatEvent::Kind::Stop:
      answer.stop = event.stop;
      break;
    case ChatEvent::Kind::Usage:
      answer.input = event.usage->input();
      answer.output = event.usage->output();
      answer.cached = event.usage->cache_read;
      break;
    case ChatEvent::Kind::End:
      answer.ended = true;
      break;
    default:
      break;
  }
}

ChatEvent OwnedEvent::view() const {
  ChatEvent viewed = event;
  viewed.text = text;
  viewed.id = id;
  viewed.name = name;
  return viewed;
}

std::vector<OwnedEvent> random_answer(std::mt19937_64& random, const Usage& usage) {
  using Kind = ChatEvent::Kind;
  std::vector<OwnedEvent> events;
  const auto add = [&](Kind kind, Lane lane = {}) -> OwnedEvent& {
    auto& made = events.emplace_back();
    made.event.kind = kind;
    made.event.lane = lane;
    return made;
  };
  const auto say = [&](Channel channel, std::uint16_t item, std::size_t pieces) {
    for (std::size_t i = 0; i < pieces; ++i) {
      add(Kind::Text, {0, item, channel}).text = random_text(random, 20);
    }
  };
  auto& begin = add(Kind::Begin);
  begin.id = "id_" + std::to_string(below(random, 1000));
  begin.name = "model-x";
  begin.event.created = 1'700'000'000;
  if (chance(random, 30)) say(Channel::Reasoning, 0, 1 + below(random, 3));
  if (chance(random, 80)) say(Channel::Content, 0, 1 + below(random, 6));
  const std::size_t calls = chance(random, 40) ? 1 + below(random, 3) : 0;
  for (std::size_t i = 0; i < calls; ++i) {
    const Lane lane{0, static_cast<std::uint16_t>(i), Channel::ToolArguments};
    auto& call = add(Kind::ToolCall, lane);
    call.id = "call_" + std::to_string(i + 1);
    call.name = "tool_" + std::to_string(i);
    std::string arguments = random_arguments(random);
    while (!arguments.empty()) {
      std::size_t size = 1 + below(random, arguments.size());
      while (size < arguments.size() && (arguments[size] & 0xC0) == 0x80) ++size;
      add(Kind::Text, lane).text = arguments.substr(0, size);
      arguments.erase(0, size);
    }
  }
  static constexpr std::array kStops = {Stop::Done, Stop::Length, Stop::Filtered};
  auto& stop = add(Kind::Stop);
  stop.event.stop = calls ? Stop::Tools : kStops[below(random, kStops.size())];
  if (chance(random, 80)) add(Kind::Usage).event.usage = &usage;
  add(Kind::End);
  return events;
}

Result<void> feed_in_pieces(EventDecoder& decoder, std::string_view wire, ChatSink& sink,
                            std::mt19937_64& random) {
  std::string piece;  // pieces live until the next one is fed
  std::string last;
  while (!wire.empty()) {
    const std::size_t size = 1 + below(random, std::min<std::size_t>(wire.size(), 64));
    last.swap(piece);
    piece.assign(wire.substr(0, size));
    piece.append(64, '\0');
    if (auto fed = decoder.feed(std::string_view(piece).substr(0, size), sink); !fed) return fed;
    wire.remove_prefix(size);
  }
  return decoder.finish(sink);
}

Result<ReadAnswer> read_frames(AnswerReader& reader, std::string_view wire, bool whole) {
  ReadAnswer answer;
  std::string padded = std::string(wire) + std::string(64, '\0');
  std::map<std::uint16_t, std::size_t> calls;
  const auto take = [&](const Frame& frame) {
    for (const Event& event : frame.events) {
      if (event.kind == EventKind::ToolCall) {
        if (calls.emplace(event.lane.item, answer.calls.size()).second) answer.calls.emplace_back();
      }
      if (event.kind == EventKind::Stop) answer.stop = event.stop;
      if (event.kind == EventKind::Usage) {
        answer.input = event.usage->input();
        answer.output = event.usage->output();
        answer.cached = event.usage->cache_read;
      }
      if (event.kind != EventKind::Text || event.repeats) continue;
      std::string storage;
      const auto text = decode_json_string(
          frame.data.substr(event.value.begin, event.value.end - event.value.begin), storage);
      if (event.lane.channel == Channel::Content) answer.text += text;
      if (event.lane.channel == Channel::Reasoning) answer.reasoning += text;
      if (event.lane.channel == Channel::ToolArguments) {
        // In a whole item the arguments may stand before the name.
        calls.emplace(event.lane.item, calls.size());
        if (answer.calls.size() < calls.size()) answer.calls.resize(calls.size());
        answer.calls[calls[event.lane.item]].arguments += text;
      }
    }
    answer.ended |= frame.kind == Frame::Kind::End;
  };
  Frame frame;
  if (whole) {
    const auto read = reader.whole(std::string_view(padded).substr(0, wire.size()), frame);
    if (!read) return std::unexpected(read.error());
    take(frame);
    return answer;
  }
  reader.feed(std::string_view(padded).substr(0, wire.size()));
  for (;;) {
    const auto more = reader.next(frame);
    if (!more) return std::unexpected(more.error());
    if (!*more) return answer;
    take(frame);
  }
}

}  // namespace causeway::testing
