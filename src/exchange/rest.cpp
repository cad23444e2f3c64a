#include "exchange/rest.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "exchange/run.h"
#include "platform/text/glob.h"

namespace causeway::exchange {
namespace {

using Kind = ChatEvent::Kind;

constexpr std::size_t kPadding = 64;        // readable bytes that decoders want behind a piece
constexpr std::size_t kMostTold = 1 << 20;  // of text; an answer that is longer is not continued
constexpr std::size_t kLeastWords = 4;      // bytes that count as said twice: not an "a", not a 1
constexpr std::size_t kLastWords = 2048;    // where a repetition of the end may begin
constexpr std::size_t kMostSteps = 1000;    // text, thoughts and text again

constexpr std::string_view kGoOn =
    "Your answer above was cut off. Go on with it from exactly where it ends, in the same language "
    "and form. Begin with the very next character, a space where one is due. Repeat nothing of it, "
    "and say nothing about this.";

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// A word begins here, as far as a script has words.
bool begins_word(std::string_view text, std::size_t at) {
  const bool inside_letter = (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80;
  return !inside_letter && !(is_word(text[at]) && is_word(text[at - 1]));
}

constexpr std::string_view kSpaces = " \t\r\n";

// Who is asked to think does so first, and cannot go on in the middle of a sentence.
bool goes_on_by_itself(const Told& told, const Target& target) {
  return !told.thinks && std::ranges::any_of(told.prefill, [&](const std::string& glob) {
    return text::glob_match(glob, target.name);
  });
}

std::string_view without_end_spaces(std::string_view text) {
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

}  // namespace

Overlap::Overlap(std::string said, May may) : said_(std::move(said)) {
  if (said_.empty()) {
    decided_ = true;
    return;
  }
  begins_.push_back(0);
  const std::size_t spaces = without_end_spaces(said_).size();
  if (may == May::RepeatWords && said_.size() > kLeastWords) {
    const std::size_t first = said_.size() - std::min(said_.size() - 1, kLastWords);
    for (std::size_t at = first; at + kLeastWords <= said_.size(); ++at) {
      if (begins_word(said_, at)) begins_.push_back(static_cast<std::uint32_t>(at));
    }
  }
  if (spaces > 0 && spaces < said_.size() && (may == May::RepeatAll || said_.back() == ' ')) {
    begins_.push_back(static_cast<std::uint32_t>(spaces));
  }
}

std::string Overlap::take(std::string_view piece) {
  if (decided_) return std::string(piece);
  const std::size_t before = held_.size();  // all that are left fit up to here
  held_ += piece;
  std::erase_if(begins_, [&](std::uint32_t at) {
    const std::size_t whole = said_.size() - at;
    const std::size_t size = std::min(whole, held_.size());
    if (said_.compare(at + before, size - before, held_, before, size - before) != 0) return true;
    if (size == whole) repeated_ = std::max(repeated_, whole);
    return size == whole;
  });
  return begins_.empty() ? decide() : std::string();
}

std::string Overlap::end() { return decided_ ? std::string() : decide(); }

std::string Overlap::decide() {
  decided_ = true;
  held_.erase(0, repeated_);
  return std::move(held_);
}

std::unique_ptr<Told> Told::make(const Dialect& dialect, const RetrySettings& settings) {
  auto decoder = dialect.decoder(true);
  if (!decoder) return nullptr;
  return std::make_unique<Told>(std::move(decoder), settings.prefill);
}

void Told::sent(const Bytes& bytes) {
  if (closed_) return;
  piece_.clear();
  for (const auto span : bytes.spans()) piece_ += span;
  const std::size_t size = piece_.size();
  piece_.append(kPadding, '\0');
  if (!decoder_->feed({piece_.data(), size}, *this)) closed_ = true;
}

void Told::event(const ChatEvent& event) {
  const bool text = event.kind == Kind::Text && (event.lane.channel == Channel::Content ||
                                                 event.lane.channel == Channel::Reasoning);
  bytes_ += event.text.size();
  if (event.lane.choice > 0 || bytes_ > kMostTold || steps_.size() > kMostSteps) closed_ = true;
  switch (event.kind) {
    case Kind::Usage:
      return;
    case Kind::Begin:
    case Kind::Seal:
    case Kind::Citation:
      break;
    default:
      closed_ |= !text;
  }
  if (closed_) {
    std::vector<Step>().swap(steps_);
    std::string().swap(text_);
    bytes_ = 0;
    return;
  }
  if (text && event.lane.channel == Channel::Content) text_ += event.text;
  add(event);
}

void Told::add(const ChatEvent& event) {
  if (!steps_.empty()) {
    Step& last = steps_.back();
    if (event.kind == Kind::Text && last.event.kind == Kind::Text &&
        last.event.lane == event.lane) {
      last.text += event.text;
      return;
    }
  }
  Step& step = steps_.emplace_back();
  step.event = event;
  step.text = event.text;
  step.id = event.id;
  step.name = event.name;
  step.dialect = event.dialect;
}

void Told::replay(EventEncoder& encoder, std::string& wire) const {
  for (const Step& step : steps_) {
    ChatEvent event = step.event;
    event.text = step.text;
    event.id = step.id;
    event.name = step.name;
    event.dialect = step.dialect;
    event.raw = {};
    encoder.event(event, wire);
  }
}

Lane Told::next_lane() const {
  Lane lane;
  for (const Step& step : steps_) {
    if (step.event.kind == Kind::Begin) continue;
    const Lane& its = step.event.lane;
    const bool open = its.channel == Channel::Content;
    lane.item = static_cast<std::uint16_t>(its.item + (open ? 0 : 1));
  }
  return lane;
}

std::size_t Told::kept() const {
  return piece_.capacity() + text_.capacity() + decoder_->kept() + bytes_ +
         steps_.capacity() * sizeof(Step);
}

bool may_be_continued(const Exchange& exchange, Told& told) {
  const auto chat = exchange.operation->dialect->decode(*exchange.operation, exchange.request);
  if (!chat) return false;
  const ReasoningWish& wish = chat->reasoning;
  told.thinks = !wish.off && (wish.budget || (!wish.effort.empty() && wish.effort != "none"));
  using Format = ResponseFormat::Kind;
  const bool words = chat->format.kind == Format::Unset || chat->format.kind == Format::Text;
  return words && chat->choices == 1 && !chat->logprobs.value_or(false);
}

Result<void> ask_for_rest(const Told& told, std::uint64_t told_tokens, Attempt& attempt) {
  if (told.empty()) return {};
  Request& request = attempt.request;
  const RequestIndex& index = request.index();
  const std::size_t behind = index.messages.size();
  const bool goes_on = goes_on_by_itself(told, *attempt.target);
  std::string_view said = told.text();
  if (goes_on) said = without_end_spaces(said);  // Anthropic's API refuses others
  if (said.empty()) return {};
  auto put = request.insert(behind, Message{Role::Assistant, std::string(said)});
  if (put && !goes_on) put = request.insert(behind, Message{Role::User, std::string(kGoOn)});
  if (!put || !index.max_tokens) return put;
  const std::uint64_t left =
      *index.max_tokens - std::min<std::uint64_t>(*index.max_tokens, told_tokens);
  request.set_max_tokens(std::max<std::uint64_t>(1, left));
  return {};
}

namespace {

// As the target has got it: a stage may have put other words for some.
std::string said_to_target(Attempt& attempt) {
  auto texts = attempt.request.texts();
  for (auto text = texts.rbegin(); text != texts.rend(); ++text) {
    if (!text->value().empty()) continue;
    if (text->where().role == Role::Assistant) return std::string(text->get());
  }
  return {};
}

class RestDecoder final : public EventDecoder, private ChatSink {
 public:
  RestDecoder(std::unique_ptr<EventDecoder> decoder, Told& told, MadeBy& made_by, std::string said,
              Overlap::May may)
      : decoder_(std::move(decoder)),
        told_(told),
        made_by_(made_by),
        overlap_(std::move(said), may),
        first_(told.next_lane()),
        lane_(first_) {}

  Result<void> feed(std::string_view piece, ChatSink& sink) override {
    sink_ = &sink;
    return decoder_->feed(piece, *this);
  }
  Result<void> finish(ChatSink& sink) override {
    sink_ = &sink;
    return decoder_->finish(*this);
  }
  Result<void> whole(std::string_view body, ChatSink& sink) override {
    sink_ = &sink;
    return decoder_->whole(body, *this);
  }
  std::size_t kept() const override { return decoder_->kept() + overlap_.kept(); }

 private:
  void event(const ChatEvent& event) override {
    const bool thought = event.lane.channel == Channel::Reasoning;
    switch (event.kind) {
      case Kind::Begin:
        note_model(event.name);
        return;
      case Kind::Text:
        if (thought) return;
        if (event.lane.channel == Channel::Content) return text(event);
        break;
      case Kind::Seal:
        if (thought) return;
        break;
      case Kind::Usage: {
        told_.own = *event.usage;
        const Usage all = sum(told_.before, told_.own);
        ChatEvent summed = event;
        summed.usage = &all;
        return sink_->event(summed);
      }
      default:
        break;
    }
    say(overlap_.end());
    ChatEvent moved = event;
    if (event.lane.channel == Channel::Content) moved.lane = lane_;
    sink_->event(moved);
  }

  // The frames tell the caller the first target's.
  void note_model(std::string_view model) {
    made_by_.model_size = static_cast<std::uint8_t>(
        model.copy(made_by_.model_bytes.data(), made_by_.model_bytes.size()));
  }

  void text(const ChatEvent& event) {
    if (!begun_) offset_ = first_.item - event.lane.item;
    begun_ = true;
    lane_.item = static_cast<std::uint16_t>(event.lane.item + offset_);
    lane_.choice = event.lane.choice;
    say(overlap_.take(event.text));
  }

  void say(const std::string& words) {
    if (words.empty()) return;
    ChatEvent event;
    event.kind = Kind::Text;
    event.lane = lane_;
    event.text = words;
    sink_->event(event);
  }

  std::unique_ptr<EventDecoder> decoder_;
  Told& told_;
  MadeBy& made_by_;
  Overlap overlap_;
  ChatSink* sink_ = nullptr;
  const Lane first_;
  Lane lane_;
  int offset_ = 0;  // between the target's blocks of text and the caller's
  bool begun_ = false;
};

}  // namespace

std::unique_ptr<EventDecoder> rest_decoder(std::unique_ptr<EventDecoder> decoder, Told& told,
                                           Attempt& attempt) {
  const bool by_itself = goes_on_by_itself(told, *attempt.target);
  std::string said = told.empty() ? std::string() : said_to_target(attempt);
  if (by_itself) said += told.text().substr(without_end_spaces(told.text()).size());
  return std::make_unique<RestDecoder>(
      std::move(decoder), told, attempt.made_by, std::move(said),
      by_itself ? Overlap::May::RepeatAll : Overlap::May::RepeatWords);
}

Usage sum(const Usage& a, const Usage& b) {
  const auto add = []<class Number>(Number x, Number y) {
    return x > std::numeric_limits<Number>::max() - y ? std::numeric_limits<Number>::max()
                                                      : static_cast<Number>(x + y);
  };
  Usage all;
  all.source = std::max(a.source, b.source);
  for (const auto field :
       {&Usage::input_uncached, &Usage::cache_read, &Usage::cache_write, &Usage::output_visible,
        &Usage::reasoning, &Usage::audio_in, &Usage::audio_out}) {
    all.*field = add(a.*field, b.*field);
  }
  return all;
}

Task<bool> may_go_on(Run& run, const Error& error) {
  Exchange& exchange = run.exchange;
  if (!run.told || !run.told->may_go_on() || run.draining || exchange.cancel.requested()) {
    co_return false;
  }
  if (error.origin != Origin::Upstream) co_return false;
  // The answer may hold what a rule would have kept inside, had the request said it.
  if (exchange.model && std::ranges::any_of(exchange.model->rules, &Rule::asks_what_is_found)) {
    co_return false;
  }
  if (exchange.index.body.size() <= kLargeBytes) co_return may_be_continued(exchange, *run.told);
  bool may = false;
  Work work = [&] {
    may = may_be_continued(exchange, *run.told);
    return go_on();
  };
  const auto looked = co_await on_cpu(exchange, std::move(work));
  co_return looked&& may;
}

void go_on_elsewhere(Run& run, const Attempt& cut) {
  Usage used = cut.usage;
  const auto said = run.estimates.tokens(cut.target->key, run.content_bytes);
  used.output_visible = std::max(used.output_visible, static_cast<std::uint32_t>(said));
  run.told->before = sum(run.told->before, used);
  run.told->own = {};
  run.told->goes_on = true;
  run.exchange.outcome.usage = {};
  run.content_sent = false;
}

}  // namespace causeway::exchange
