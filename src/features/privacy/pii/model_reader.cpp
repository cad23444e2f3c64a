#include "features/privacy/pii/model_reader.h"

#include <algorithm>

#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/lexicon.h"

namespace causeway::pii {
namespace {

using Part = ModelReader::Part;

constexpr float kLeastScore = 0.5F;  // of a piece
constexpr float kSureStreet = 0.8F;
constexpr std::size_t kWidestAddressGap = 8;  // bytes between parts of an address: ", Apt "
constexpr std::size_t kShortestPerson = 2;    // letters

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Pieces that belong together: [first, last].
struct Group {
  std::size_t first = 0, last = 0;
  bool person = false;
};

// Whether what stands between two pieces of a name is none of another: "J. R.", "Al-Sayed",
// "O'Neil".
bool joins_name(std::string_view gap) {
  return gap.size() <= 3 && gap.find('\n') == gap.npos && std::ranges::all_of(gap, [](char c) {
           return is_blank(c) || c == '.' || c == '-' || c == '\'';
         });
}

bool joins_address(std::string_view gap) {
  return gap.size() <= kWidestAddressGap && gap.find("\n\n") == gap.npos;
}

// A town or a number alone gives nobody away; a street alone must be sure.
bool is_address(std::span<const Part> parts, const Group& group, float score) {
  const auto has = [&](Part part) {
    const auto in = parts.subspan(group.first, group.last - group.first + 1);
    return std::ranges::find(in, part) != in.end();
  };
  const bool more = has(Part::Town) || has(Part::Postcode) || has(Part::Flat);
  return (has(Part::Street) && (more || score >= kSureStreet)) ||
         (has(Part::Postcode) && (has(Part::Town) || has(Part::Number))) ||
         (has(Part::Flat) && has(Part::Town));
}

Finding finding_of(std::string_view text, std::span<const bert::Piece> pieces,
                   std::span<const float> scores, Group group) {
  float sum = 0;
  for (std::size_t i = group.first; i <= group.last; ++i) sum += scores[i];
  Finding finding;
  finding.confidence = sum / static_cast<float>(group.last - group.first + 1);
  // Of a word, all of it.
  while (group.first > 0 && pieces[group.first].inside) --group.first;
  while (group.last + 1 < pieces.size() && pieces[group.last + 1].inside) ++group.last;
  finding.begin = pieces[group.first].begin;
  finding.end = pieces[group.last].end;
  while (finding.end > finding.begin && is_blank(text[finding.end - 1])) --finding.end;
  finding.kind = group.person ? Kind::Person : Kind::Address;
  finding.rule = kModelRule;
  return finding;
}

bool says_something(std::string_view text, const Finding& finding) {
  const auto words = text.substr(finding.begin, finding.end - finding.begin);
  const auto letters =
      std::ranges::count_if(words, [](char c) { return is_letter(c) || (c & 0x80) != 0; });
  return static_cast<std::size_t>(letters) >= kShortestPerson;
}

bool has_capital(std::string_view word) {
  // The model does not see capitals, nor do we those of other scripts.
  return is_upper(word.front()) || (word.front() & 0x80) != 0;
}

bool is_marked(std::string_view word, unsigned wanted) {
  const unsigned marks = Lexicon::get().marks_of(word);
  return (marks & wanted) != 0 && (marks & kCommon) == 0;
}

// Words in lower case at the ends of a name with capitals do not belong to it, unless they are
// known as parts of names. Where all are in lower case, one must be a given name.
void keep_name(std::string_view text, Finding& finding) {
  std::uint32_t begin = finding.end, end = finding.begin;
  bool capital = false, given = false;
  for (std::uint32_t i = finding.begin; i < finding.end;) {
    std::uint32_t stop = i;
    while (stop < finding.end && !is_blank(text[stop])) ++stop;
    const auto word = text.substr(i, stop - i);
    const bool large = !word.empty() && has_capital(word);
    const bool name = large || is_marked(word, kGiven | kSurname);
    const bool particle = (Lexicon::get().marks_of(word) & kParticle) != 0;
    if (name || particle) begin = std::min(begin, i);
    if (name) end = stop;
    capital = capital || large;
    given = given || is_marked(word, kGiven);
    i = stop + 1;
  }
  if (!capital && given) return;
  finding.begin = begin;
  finding.end = capital ? std::max(begin, end) : begin;
}

bool same_thing(const Finding& a, const Finding& b) {
  return a.kind == b.kind && (a.kind == Kind::Person || a.kind == Kind::Address);
}

}  // namespace

ModelReader::ModelReader(const bert::TokenClassifier& model) : model_(model) {
  for (const std::string& label : model.labels()) part_of_label_.push_back(part_of(label));
}

Part ModelReader::part_of(std::string_view label) {
  if (label.size() < 2 || label[1] != '-') return Part::None;
  label.remove_prefix(2);  // "B-" begins, "I-" goes on: groups are made of what touches
  if (label == "GIVEN_NAME" || label == "SURNAME") return Part::Name;
  if (label == "STREET_NAME") return Part::Street;
  if (label == "BUILDING_NUMBER") return Part::Number;
  if (label == "SECONDARY_ADDRESS") return Part::Flat;
  if (label == "CITY" || label == "STATE") return Part::Town;
  if (label == "ZIP_CODE") return Part::Postcode;
  return Part::None;
}

void ModelReader::read(std::string_view text, Memory& memory, std::vector<Finding>& out) const {
  auto& [model, pieces, marks, parts, scores] = memory;
  model_.words().cut(text, pieces);
  model_.classify(pieces, model, marks);
  parts.clear();
  scores.clear();
  for (const auto& mark : marks) {
    parts.push_back(mark.score < kLeastScore ? Part::None : part_of_label_[mark.label]);
    scores.push_back(mark.score);
  }
  pieces.resize(marks.size());
  to_findings(text, pieces, parts, scores, out);
}

void ModelReader::to_findings(std::string_view text, std::span<const bert::Piece> pieces,
                              std::span<const Part> parts, std::span<const float> scores,
                              std::vector<Finding>& out) {
  out.clear();
  const auto add = [&](const Group& group) {
    Finding finding = finding_of(text, pieces, scores, group);
    if (!group.person && !is_address(parts, group, finding.confidence)) return;
    if (group.person) keep_name(text, finding);
    if (!says_something(text, finding)) return;
    if (!out.empty()) finding.begin = std::max(finding.begin, out.back().end);
    if (finding.begin < finding.end) out.push_back(finding);
  };
  bool open = false;
  Group group;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (parts[i] == Part::None) continue;
    const bool person = parts[i] == Part::Name;
    if (open && person == group.person) {
      const auto end = pieces[group.last].end;
      const auto gap = text.substr(end, std::max(pieces[i].begin, end) - end);
      if (person ? joins_name(gap) : joins_address(gap)) {
        group.last = i;
        continue;
      }
    }
    if (open) add(group);
    group = {i, i, person};
    open = true;
  }
  if (open) add(group);
}

void merge_findings(std::string_view text, std::span<const Finding> model,
                    std::vector<Finding>& findings) {
  const std::size_t known = findings.size();
  std::size_t next = 0;  // of the rules' findings, the first that does not end before the model's
  const auto add = [&](Finding one, std::uint32_t end) {
    one.end = end;
    while (one.begin < end && is_blank(text[one.begin])) ++one.begin;
    if (one.begin < end && says_something(text, one)) findings.push_back(one);
  };
  for (Finding one : model) {
    while (next < known && findings[next].end <= one.begin) ++next;
    bool joined = false;  // the rule's finding before goes on with this
    std::size_t i = next;
    for (; i < known && findings[i].begin < one.end; ++i) {
      const Finding rule = findings[i];
      joined = same_thing(rule, one);
      if (joined) {
        findings[i].begin = std::min(rule.begin, one.begin);
      } else if (one.begin < rule.begin) {
        add(one, rule.begin);
      }
      one.begin = std::max(one.begin, rule.end);
    }
    if (one.begin >= one.end) continue;
    if (joined) {
      findings[i - 1].end = one.end;
    } else {
      add(one, one.end);
    }
  }
  if (findings.size() > known) std::ranges::sort(findings, {}, &Finding::begin);
}

}  // namespace causeway::pii
