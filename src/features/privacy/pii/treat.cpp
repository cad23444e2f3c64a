#include "features/privacy/pii/treat.h"

#include <algorithm>
#include <cstring>

#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/pseudonyms.h"
#include "features/privacy/pii/words.h"

namespace causeway::pii {
namespace {

constexpr std::size_t kShortest = 4;  // bytes: what is shorter gives nobody away
constexpr std::size_t kMostInner = 64;
constexpr std::size_t kRoom = 8;  // bytes that a stand-in may be longer than what it stands for

constexpr std::size_t kMostNumber = 5;  // digits of "[EMAIL_12345]": too few to give anybody away
constexpr std::size_t kHash = 16;       // hex digits of "[EMAIL:4f0c1d2e3a4b5c6d]"

// What is too short to give anybody away, and the contents of a file that stands in a part which no
// text stage reads: encoded, no words.
bool is_left_alone(const RequestIndex& index, Text& text) {
  return text.get().size() < kShortest ||
         (text.where().kind == TextKind::File && is_within(text.value(), index.unread));
}

/// Places like "[EMAIL_2]", "[EMAIL:4f0c…]".
struct Bracket {
  std::uint32_t begin, end;
  std::string_view inner;
};

void find_brackets(std::string_view text, std::vector<Bracket>& out) {
  out.clear();
  for (std::size_t i = text.find('['); i != text.npos; i = text.find('[', i + 1)) {
    std::size_t end = i + 1;
    bool letters = false;
    while (end < text.size() && end - i <= kMostInner &&
           (is_alnum(text[end]) || text[end] == '_' || text[end] == ' ' || text[end] == '-' ||
            text[end] == ':')) {
      letters |= is_upper(text[end]);
      ++end;
    }
    if (!letters || at(text, end) != ']') continue;
    out.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(end + 1),
                   text.substr(i + 1, end - i - 1)});
  }
}

// Whether a stand-in of this treatment can look so. All other brackets are text as any.
bool is_stand_in(const Treatment& treatment, std::string_view inner) {
  const auto fits = [&](const std::string& name) {
    if (name.empty() || !inner.starts_with(name)) return false;
    const std::string_view rest = inner.substr(name.size());
    if (rest.empty()) return true;
    const std::string_view number = rest.substr(1);
    if (rest.front() == '_') {
      return !number.empty() && number.size() <= kMostNumber &&
             std::ranges::all_of(number, is_digit);
    }
    return rest.front() == ':' && number.size() == kHash && std::ranges::all_of(number, is_hex);
  };
  return std::ranges::any_of(treatment.names, fits) ||
         std::ranges::any_of(treatment.own_names, fits);
}

// Nothing is found in what stands for something already. Both are in order.
void leave_stand_ins(const Treatment& treatment, const std::vector<Bracket>& brackets,
                     std::vector<Finding>& findings) {
  auto bracket = brackets.begin();
  std::erase_if(findings, [&](const Finding& one) {
    while (bracket != brackets.end() && bracket->end <= one.begin) ++bracket;
    return bracket != brackets.end() && bracket->begin < one.end &&
           is_stand_in(treatment, bracket->inner);
  });
}

// A thread's, so that most requests allocate nothing here.
struct Working {
  Scratch scratch;
  std::vector<Bracket> brackets;
  std::vector<Finding> findings;
  std::vector<Piece> pieces;
  Repeats repeats;
};

Working& working() {
  thread_local Working memory;
  return memory;
}

// The name of the member that a value belongs to: {"patient_name": "…"} says what is in it.
std::string_view member_name(std::string_view body, ByteRange value) {
  const auto skip_back = [&](std::size_t i) {
    while (i > 0 && (body[i - 1] == ' ' || body[i - 1] == '\n' || body[i - 1] == '\t' ||
                     body[i - 1] == '\r')) {
      --i;
    }
    return i;
  };
  std::size_t i = value.empty() ? 0 : skip_back(value.begin);
  if (i == 0 || body[i - 1] != ':') return {};
  i = skip_back(i - 1);
  if (i == 0 || body[i - 1] != '"') return {};
  const std::size_t end = i - 1;
  const std::size_t begin = end > 0 ? body.rfind('"', end - 1) : body.npos;
  if (begin == body.npos || end - begin > kMostInner) return {};
  return body.substr(begin + 1, end - begin - 1);
}

// Messages are prose; what tools and metadata say is told by the names of their members as well.
bool has_telling_name(TextKind kind) {
  return kind == TextKind::ToolArguments || kind == TextKind::ToolResult ||
         kind == TextKind::Metadata || kind == TextKind::Other;
}

// As scan() does, with `front` before it, in which nothing is found.
void scan_behind(const Treatment& treatment, std::string front, std::string_view text,
                 std::vector<Finding>& findings) {
  const auto size = static_cast<std::uint32_t>(front.size());
  front += text;
  treatment.detector->scan(front, working().scratch, findings);
  std::erase_if(findings, [&](const Finding& one) { return one.end <= size; });
  for (Finding& one : findings) {
    one.begin = one.begin > size ? one.begin - size : 0;
    one.end -= size;
  }
}

// "patient name: " of a member {"patient_name": …}.
std::string label_of(std::string_view member) {
  const std::string json = '"' + std::string(member) + R"(":)";
  return std::string(JsonView(json).plain()) + " ";
}

// What people and models say to each other, one text behind the other.
bool is_said(TextKind kind) { return kind == TextKind::Content || kind == TextKind::Refusal; }

// The end of what was said, as far as its words speak for a number with which the next text begins;
// empty where that has none. "What is your account number?", "48213377".
std::string words_before(std::string_view said, std::string_view text) {
  if (said.empty() || std::ranges::none_of(text.substr(0, kWordsBefore), is_digit)) return {};
  if (said.size() > kWordsBefore) {
    said.remove_prefix(said.size() - kWordsBefore);
    said.remove_prefix(std::min(said.find_first_of(" \n"), said.size()));  // no half a word
  }
  // A number does not go on behind an empty line.
  return std::string(said) + "\n\n";
}

// What the model has found in a text, as far as it is asked for, beside what the rules have.
void add_model_findings(const Treatment& treatment, std::string_view text,
                        std::vector<Finding> model, std::vector<Finding>& findings) {
  std::erase_if(model, [&](const Finding& one) {
    return one.confidence < treatment.min_confidence ||
           treatment.actions[static_cast<std::size_t>(one.kind)] == Action::Off;
  });
  merge_findings(text, model, findings);
}

Action action_of(const Treatment& treatment, Kind kind) {
  return treatment.actions[static_cast<std::size_t>(kind)];
}

// What a text says in the place of a finding.
std::string stand_in(const Treatment& treatment, const Finding& finding, std::string_view value,
                     std::string_view secret, StandIns& stand_ins) {
  const std::string name = stand_in_name(treatment, finding);
  switch (action_of(treatment, finding.kind)) {
    case Action::Pseudonym:
      return stand_ins.pseudonym(finding.kind, value, [&](int attempt) {
        return pseudonym_of(finding, value, secret, attempt);
      });
    case Action::Hash:
      return "[" + name + ":" + hash_of(finding.kind, value, secret) + "]";
    default:
      return stand_ins.mask(finding.kind, name, value);
  }
}

bool changes(Action action) {
  return action == Action::Mask || action == Action::Pseudonym || action == Action::Hash;
}

// For names and ids of users: providers allow letters, digits and "_" there.
void without_brackets(std::string& text) {
  std::erase_if(text, [](char c) { return c == '[' || c == ']'; });
  std::ranges::replace(text, ':', '_');
}

}  // namespace

bool is_within(ByteRange inner, const std::vector<ByteRange>& parts) {
  const auto part = std::ranges::lower_bound(parts, inner.end, {}, &ByteRange::end);
  return !inner.empty() && part != parts.end() && part->begin <= inner.begin;
}

void read_for_model(const RequestIndex& index, std::span<Text> texts, ModelTexts& out) {
  for (Text& text : texts) {
    auto& view = out.views.emplace_back();
    const std::string_view words = text.get();
    if (is_left_alone(index, text)) {
      out.search.add({});
      continue;
    }
    if (begins_as_json(words)) view = std::make_unique<JsonView>(words);
    out.search.add(view ? view->plain() : words);
  }
}

std::vector<FoundIn> find_all(const Treatment& treatment, const RequestIndex& index,
                              std::span<Text> texts, StandIns& stand_ins, ModelTexts* model) {
  auto& [scratch, brackets, findings, pieces, repeats] = working();
  repeats.clear();
  std::vector<FoundIn> all;
  all.reserve(texts.size());
  for (const StandIns::Entry* entry : stand_ins.entries()) {
    Finding as;
    as.kind = entry->kind;
    as.confidence = 1;
    as.rule = "repeated";
    repeats.add(entry->value, as);
  }
  std::string_view said;  // by the last text of the conversation
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = texts[i].get();
    if (is_left_alone(index, texts[i])) continue;
    FoundIn one{i, nullptr, {}};
    if (model) {
      one.view = std::move(model->views[i]);
    } else if (begins_as_json(text)) {
      one.view = std::make_unique<JsonView>(text);
    }
    const std::string_view plain = one.view ? one.view->plain() : text;
    const std::string_view name = !one.view && has_telling_name(texts[i].where().kind)
                                      ? member_name(index.body, texts[i].value())
                                      : std::string_view();
    std::string front;
    if (!name.empty()) front = label_of(name);
    if (is_said(texts[i].where().kind)) {
      front = words_before(said, plain);
      said = plain;
    }
    if (front.empty()) {
      treatment.detector->scan(plain, scratch, findings);
    } else {
      scan_behind(treatment, std::move(front), plain, findings);
    }
    if (model) add_model_findings(treatment, plain, model->search.of(i), findings);
    find_brackets(plain, brackets);
    for (const Bracket& bracket : brackets) stand_ins.reserve(bracket.inner);
    leave_stand_ins(treatment, brackets, findings);
    for (const Finding& finding : findings) {
      if (changes(action_of(treatment, finding.kind))) {
        repeats.add(plain.substr(finding.begin, finding.end - finding.begin), finding);
      }
    }
    one.findings = findings;
    all.push_back(std::move(one));
  }
  if (!repeats.empty()) {
    for (FoundIn& one : all) {
      const std::string_view plain = one.view ? one.view->plain() : texts[one.text].get();
      const std::size_t before = one.findings.size();
      repeats.find(plain, one.findings);
      if (one.findings.size() == before) continue;
      find_brackets(plain, brackets);
      leave_stand_ins(treatment, brackets, one.findings);
    }
  }
  std::erase_if(all, [](const FoundIn& one) { return one.findings.empty(); });
  return all;
}

std::vector<std::pair<std::uint32_t, std::string>> rewrite_all(const Treatment& treatment,
                                                               std::span<Text> texts,
                                                               const std::vector<FoundIn>& found,
                                                               std::string_view secret,
                                                               StandIns& stand_ins) {
  std::vector<std::pair<std::uint32_t, std::string>> rewritten;
  rewritten.reserve(found.size());
  std::vector<Piece>& pieces = working().pieces;
  for (const FoundIn& one : found) {
    const std::string_view text = texts[one.text].get();
    const std::string_view plain = one.view ? one.view->plain() : text;
    const TextKind kind = texts[one.text].where().kind;
    std::string out;
    out.reserve(text.size() + kRoom * one.findings.size());
    std::size_t done = 0;
    for (const Finding& finding : one.findings) {
      if (!changes(action_of(treatment, finding.kind))) continue;
      std::string with =
          stand_in(treatment, finding, plain.substr(finding.begin, finding.end - finding.begin),
                   secret, stand_ins);
      if (kind == TextKind::Name || kind == TextKind::UserId) without_brackets(with);
      pieces.assign(1, {finding.begin, finding.end, false});
      if (one.view) one.view->pieces(finding.begin, finding.end, pieces);
      for (const Piece& piece : pieces) {
        if (piece.end <= done) continue;  // a number that two findings touch
        out.append(text, done, std::max<std::size_t>(piece.begin, done) - done);
        if (piece.number) out += '"';
        out += with;
        if (piece.number) out += '"';
        done = piece.end;
      }
    }
    if (done == 0) continue;
    out.append(text, done);
    rewritten.emplace_back(one.text, std::move(out));
  }
  return rewritten;
}

}  // namespace causeway::pii
