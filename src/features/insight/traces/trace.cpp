#include "features/insight/traces/trace.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "core/error.h"
#include "features/insight/traces/bytes.h"

namespace causeway::traces {
namespace {

// 1: without the models that answered; 2: without the rule, and members of providers; 3: without
// the order of the targets, the confidence, and what each attempt used
constexpr std::uint64_t kVersion = 5;
constexpr std::uint64_t kStreamed = 1, kCut = 2, kContents = 4;  // flags

std::string_view name_of(AttemptEnd end) {
  switch (end) {
    case AttemptEnd::Answered:
      return "answered";
    case AttemptEnd::Failed:
      return "failed";
    case AttemptEnd::Cancelled:
      return "cancelled";
    case AttemptEnd::Unsure:
      return "unsure";
    case AttemptEnd::Skipped:
      return "skipped";
    case AttemptEnd::Stored:
      return "stored";
    case AttemptEnd::Running:
      break;
  }
  return "running";
}

std::string_view name_of(Stop stop) {
  constexpr std::string_view kNames[] = {"",         "done",   "length", "tools",
                                         "filtered", "broken", "pause",  "unknown"};
  const auto at = static_cast<std::size_t>(stop);
  return at < std::size(kNames) ? kNames[at] : "unknown";
}

std::string_view label_of(std::int8_t error) {
  return error < 0 ? std::string_view() : error_class(static_cast<ErrorKind>(error)).label;
}

// Writes names as their numbers; those with an index go into the head.
class Names {
 public:
  Names(ByteWriter& to, const NameId& id, Head& head) : to_(to), id_(id), head_(head) {}
  void put(Field field, std::string_view text) { to_.put(std::uint64_t{number(field, text)}); }
  std::uint32_t number(Field field, std::string_view text) {
    if (text.empty()) return 0;
    const std::uint32_t name = id_(field, text);
    if (field != Field::Other) head_.note(name);
    return name;
  }

 private:
  ByteWriter& to_;
  const NameId& id_;
  Head& head_;
};

constexpr std::uint32_t Usage::* kUsage[] = {
    &Usage::input_uncached, &Usage::cache_read, &Usage::cache_write, &Usage::output_visible,
    &Usage::reasoning,      &Usage::audio_in,   &Usage::audio_out};

void encode_lists(const Record& record, const Run& run, ByteWriter& to, Names& names) {
  to.put(std::uint64_t{record.mark_count});
  for (std::size_t i = 0; i < record.mark_count; ++i) {
    const StageMark& mark = record.marks[i];
    const bool known = mark.stage < run.stages.size();
    names.put(Field::Other, known ? std::string_view(run.stages[mark.stage]) : "?");
    to.put(std::uint64_t{mark.nanoseconds} << 1 | std::uint64_t{mark.ended});
  }
  to.put(std::uint64_t{record.attempt_count}).put(std::uint64_t{record.attempts_kept()});
  for (std::size_t i = 0; i < record.attempts_kept(); ++i) {
    const AttemptRecord& attempt = record.attempts[i];
    names.put(Field::Target, attempt.target.view());
    const bool in_vain = attempt.end == AttemptEnd::Failed || attempt.end == AttemptEnd::Unsure;
    if (in_vain) names.number(Field::FailedTarget, attempt.target.view());
    names.put(Field::Other, attempt.dialect);
    names.put(Field::Other, name_of(attempt.end));
    names.put(Field::Other, label_of(attempt.error));
    names.put(Field::Other, attempt.code.view());
    to.put(std::uint64_t{attempt.status}).put(std::uint64_t{attempt.micros});
  }
  to.put(std::uint64_t{record.fired_count});
  for (std::size_t i = 0; i < record.fired_count; ++i) {
    const Fired& fired = record.fired[i];
    names.put(Field::Other, fired.stage);
    names.put(Field::Found, fired.kind);
    names.put(Field::Other, fired.action);
    to.put(std::uint64_t{fired.count});
  }
  // As text: what a provider says may be another thing each time, and names are for good.
  for (std::size_t i = 0; i < record.attempts_kept(); ++i) {
    to.put(record.attempts[i].answering_model.view());
  }
  names.put(Field::Other, record.rule.view());
  for (std::size_t i = 0; i < record.attempts_kept(); ++i) {
    to.put(record.attempts[i].member.view());
  }
  to.put(record.order.view()).put(static_cast<std::uint64_t>(record.confidence + 1));
  for (std::size_t i = 0; i < record.attempts_kept(); ++i) {
    const Usage& usage = record.attempts[i].usage;
    const bool estimated = usage.source == UsageSource::Estimated;
    to.put(usage.input() << 1 | std::uint64_t{estimated}).put(usage.output());
  }
  to.put(std::uint64_t{record.caller_micros}).put(std::uint64_t{record.queued_micros});
}

void decode_lists(Trace& out, ByteReader& from, const NameText& text, std::uint64_t version) {
  const auto name = [&] { return text(static_cast<std::uint32_t>(from.number())); };
  for (std::size_t left = from.count(); left > 0 && from.ok(); --left) {
    Trace::Mark& mark = out.marks.emplace_back();
    mark.stage = name();
    const std::uint64_t took = from.number();
    mark.nanoseconds = took >> 1;
    mark.ended = (took & 1) != 0;
  }
  out.attempts_total = from.number();
  for (std::size_t left = from.count(); left > 0 && from.ok(); --left) {
    Trace::Attempt& attempt = out.attempts.emplace_back();
    attempt.target = name();
    attempt.dialect = name();
    attempt.end = name();
    attempt.error = name();
    attempt.code = name();
    attempt.status = from.number();
    attempt.micros = from.number();
  }
  for (std::size_t left = from.count(); left > 0 && from.ok(); --left) {
    Trace::Found& found = out.found.emplace_back();
    found.stage = name();
    found.kind = name();
    found.action = name();
    found.count = from.number();
  }
  if (version < 2) return;
  for (Trace::Attempt& attempt : out.attempts) attempt.answering_model = from.text();
  if (version < 3) return;
  out.rule = name();
  for (Trace::Attempt& attempt : out.attempts) attempt.member = from.text();
  if (version < 4) return;
  out.order = from.text();
  out.confidence = static_cast<std::int64_t>(from.number()) - 1;
  for (Trace::Attempt& attempt : out.attempts) {
    const std::uint64_t input = from.number();
    attempt.estimated = (input & 1) != 0;
    attempt.input = input >> 1;
    attempt.output = from.number();
  }
  if (version < 5) return;
  out.caller_micros = from.number();
  out.queued_micros = from.number();
}

void write_text(text::JsonWriter& json, text::JsonKey key, std::string_view text) {
  json.key(key);
  if (text.empty()) {
    json.null();
  } else {
    json.string(text);
  }
}

void write_order(text::JsonWriter& json, std::string_view lines) {
  json.key("targets").begin_array();
  while (!lines.empty()) {
    const auto line = lines.substr(0, lines.find('\n'));
    json.string(line);
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
  }
  json.end_array();
}

void write_lists(text::JsonWriter& json, const Trace& trace) {
  json.key("stages").begin_array();
  for (const auto& mark : trace.marks) {
    json.begin_object().field("stage", mark.stage).field("ns", mark.nanoseconds);
    json.field("ended", mark.ended).end_object();
  }
  json.end_array().field("attempts_total", trace.attempts_total).key("attempts").begin_array();
  for (const auto& attempt : trace.attempts) {
    json.begin_object().field("target", attempt.target).field("dialect", attempt.dialect);
    if (!attempt.member.empty()) json.field("member", attempt.member);
    json.field("end", attempt.end);
    if (!attempt.answering_model.empty()) json.field("answering_model", attempt.answering_model);
    write_text(json, "error", attempt.error);
    if (!attempt.code.empty()) json.field("code", attempt.code);
    if (attempt.status != 0) json.field("status", attempt.status);
    if (attempt.input + attempt.output > 0) {
      json.field("input_tokens", attempt.input).field("output_tokens", attempt.output);
      if (attempt.estimated) json.field("estimated", true);
    }
    json.field("us", attempt.micros).end_object();
  }
  json.end_array().key("found").begin_array();
  for (const auto& found : trace.found) {
    json.begin_object().field("stage", found.stage).field("kind", found.kind);
    json.field("action", found.action).field("count", found.count).end_object();
  }
  json.end_array();
}

}  // namespace

std::uint32_t class_of(std::uint64_t number) {
  if (number < 4) return static_cast<std::uint32_t>(number);
  const auto top = static_cast<unsigned>(std::bit_width(number)) - 1;
  return 4 * (top - 1) + static_cast<std::uint32_t>(number >> (top - 2) & 3);
}

void Head::note(std::uint32_t name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

std::string Head::encoded() const {
  std::string out(12 + 4 * names.size(), '\0');
  std::memcpy(out.data(), &micros, 4);
  std::memcpy(out.data() + 4, &cost, 8);
  if (!names.empty()) std::memcpy(out.data() + 12, names.data(), 4 * names.size());
  return out;
}

std::string encode(const Record& record, bool has_contents, const Run& run, const NameId& name,
                   Head& head) {
  std::string out;
  out.reserve(320);
  ByteWriter to(out);
  Names names(to, name, head);
  to.put(kVersion);
  to.put((record.streamed ? kStreamed : 0) | (record.cut_by_client ? kCut : 0) |
         (has_contents ? kContents : 0));
  to.put(record.id.view()).put({record.trace_id.data(), record.trace_id.size()});
  to.put(static_cast<std::uint64_t>(record.started_micros));
  names.put(Field::Key, record.key_id.view());
  names.put(Field::Tenant, record.tenant.view());
  names.put(Field::User, record.user.view());
  names.put(Field::Model, record.model.view());
  names.put(Field::Policy, record.policy.view());
  names.put(Field::Operation, to_string(record.operation));
  names.put(Field::Dialect, record.dialect);
  names.put(Field::Error, label_of(record.error));
  names.put(Field::Code, record.code.view());
  names.put(Field::Other, name_of(record.stop));
  names.put(Field::Other, run.program);
  to.put(std::uint64_t{record.status}).put(record.config_version);
  to.put(record.request_bytes).put(record.answer_bytes);
  to.put(static_cast<std::uint64_t>(record.usage.source));
  for (const auto kind : kUsage) to.put(std::uint64_t{record.usage.*kind});
  to.put(static_cast<std::uint64_t>(record.cost_micros + 1));
  to.put(std::uint64_t{record.total_micros}).put(std::uint64_t{record.first_content_micros});
  to.put(std::uint64_t{record.upstream_micros});
  encode_lists(record, run, to, names);
  names.number(Field::Status, std::to_string(record.status));
  names.number(Field::Duration, std::to_string(class_of(record.total_micros)));
  if (record.cost_micros >= 0) {
    const auto cost = class_of(static_cast<std::uint64_t>(record.cost_micros));
    names.number(Field::Cost, std::to_string(cost));
  }
  if (has_contents) names.number(Field::Contents, "yes");
  head.micros = record.total_micros;
  head.cost = record.cost_micros;
  return out;
}

Result<Trace> Trace::decode(std::int64_t id, std::string_view bytes, const NameText& text) {
  ByteReader from(bytes);
  const auto name = [&] { return text(static_cast<std::uint32_t>(from.number())); };
  Trace out;
  out.id = id;
  const std::uint64_t version = from.number();
  const bool known = version >= 1 && version <= kVersion;
  const std::uint64_t flags = from.number();
  out.streamed = (flags & kStreamed) != 0;
  out.cut_by_client = (flags & kCut) != 0;
  out.has_contents = (flags & kContents) != 0;
  out.request_id = from.text();
  out.trace_id = from.text();
  out.started_micros = static_cast<std::int64_t>(from.number());
  for (std::string_view Trace::* member :
       {&Trace::key_id, &Trace::tenant, &Trace::user, &Trace::model, &Trace::policy,
        &Trace::operation, &Trace::dialect, &Trace::error, &Trace::code, &Trace::stop,
        &Trace::program}) {
    out.*member = name();
  }
  out.status = from.number();
  out.config_version = from.number();
  out.request_bytes = from.number();
  out.answer_bytes = from.number();
  out.usage.source = static_cast<UsageSource>(from.number() % 3);
  for (const auto kind : kUsage) out.usage.*kind = static_cast<std::uint32_t>(from.number());
  out.cost_micros = static_cast<std::int64_t>(from.number()) - 1;
  out.total_micros = from.number();
  out.first_content_micros = from.number();
  out.upstream_micros = from.number();
  decode_lists(out, from, text, version);
  if (!known || !from.ok()) {
    return fail(ErrorKind::Internal, Origin::Us, "a trace is damaged", "trace_damaged");
  }
  return out;
}

void Trace::write(text::JsonWriter& json, std::string_view key_name) const {
  write_open(json, key_name);
  json.end_object();
}

void Trace::write_open(text::JsonWriter& json, std::string_view key_name) const {
  json.begin_object().field("id", std::to_string(id)).field("request_id", request_id);
  json.field("trace_id", trace_id).field("started_ms", started_micros / 1000);
  json.field("key_id", key_id).field("key", key_name.empty() ? key_id : key_name);
  json.field("tenant", tenant).field("user", user).field("operation", operation);
  json.field("dialect", dialect).field("model", model).field("policy", policy);
  if (!rule.empty()) json.field("rule", rule);
  write_order(json, order);
  if (confidence >= 0) json.key("confidence").fixed(confidence, 3);
  json.field("status", status);
  write_text(json, "error", error);
  if (!code.empty()) json.field("code", code);
  if (!stop.empty()) json.field("stop", stop);
  json.field("stream", streamed).field("cut_by_client", cut_by_client);
  json.field("input_tokens", usage.input()).field("output_tokens", usage.output());
  json.field("cache_read_tokens", usage.cache_read).field("reasoning_tokens", usage.reasoning);
  json.field("estimated", usage.source == UsageSource::Estimated);
  if (cost_micros >= 0) json.key("cost").money(cost_micros);
  json.field("total_us", total_micros).field("first_content_us", first_content_micros);
  json.field("upstream_us", upstream_micros).field("caller_us", caller_micros);
  json.field("queued_us", queued_micros).field("request_bytes", request_bytes);
  json.field("answer_bytes", answer_bytes).field("config_version", config_version);
  json.field("program", program).field("has_contents", has_contents);
  write_lists(json, *this);
}

}  // namespace causeway::traces
