#include "features/privacy/pii/detector.h"

#include <algorithm>

#include "features/privacy/pii/own_rules.h"
#include "features/privacy/pii/plain_text.h"
#include "features/privacy/pii/scanner.h"

namespace causeway::pii {
namespace {

constexpr float kOwn = 0.999F;  // what a tenant asked for comes before what we guess

// An address holds names and numbers that by themselves may be surer than it is.
float rank(const Candidate& one, const Book& book) {
  const bool address = one.rule < book.size() && book.entry(one.rule).kind == Kind::Address;
  return one.confidence + (address && one.confidence >= 0.6F ? 0.3F : 0.0F);
}

bool better(const Candidate& a, const Candidate& b) {
  const Book& book = Book::get();
  const float rank_a = rank(a, book), rank_b = rank(b, book);
  if (rank_a != rank_b) return rank_a > rank_b;
  if (a.confidence != b.confidence) return a.confidence > b.confidence;
  if (a.end - a.begin != b.end - b.begin) return a.end - a.begin > b.end - b.begin;
  return a.rule < b.rule;
}

/// Of those that overlap, the best: `group` is a chain of overlapping ones, and becomes what stays.
void settle(std::vector<Candidate>& group) {
  std::ranges::sort(group, better);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const Candidate& one = group[i];
    const bool free = std::none_of(
        group.begin(), group.begin() + static_cast<std::ptrdiff_t>(kept),
        [&](const Candidate& other) { return one.begin < other.end && other.begin < one.end; });
    if (free) group[kept++] = one;
  }
  group.resize(kept);
  std::ranges::sort(group, {}, &Candidate::begin);
}

}  // namespace

struct Scratch::Memory {
  PlainText plain;
  Words::Memory words;
  Hits hits;
  Run run;
  std::vector<Candidate> found, group;
  std::vector<OwnRules::Found> own;
};

Scratch::Scratch() : memory_(std::make_unique<Memory>()) {}
Scratch::~Scratch() = default;
Scratch::Scratch(Scratch&&) noexcept = default;
Scratch& Scratch::operator=(Scratch&&) noexcept = default;

struct Detector::Parts {
  const Book& book;
  Scanner scanner;
  OwnRules own;
  KindSet kinds;
  float min_confidence;

  void keep_likely(std::vector<Candidate>& found) const {
    std::erase_if(found, [&](const Candidate& one) {
      if (one.rule >= book.size()) return false;
      return one.confidence < min_confidence || one.end <= one.begin;
    });
    std::ranges::sort(found, [](const Candidate& a, const Candidate& b) {
      return a.begin != b.begin ? a.begin < b.begin : better(a, b);
    });
  }
};

Detector::Detector(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Detector::~Detector() = default;

Result<std::unique_ptr<Detector>> Detector::make(const DetectorOptions& options) {
  for (const std::string& region : options.regions) {
    if (!PhoneFinder::knows_region(region)) {
      return fail(
          ErrorKind::InvalidRequest, Origin::Client,
          "\"" + region + "\" is no country of two capital letters (ISO 3166) with phone numbers",
          "pii_region");
    }
  }
  auto own = OwnRules::make(options);
  if (!own) return pass(std::move(own));
  const Book& book = Book::get();
  auto parts = std::unique_ptr<Parts>(
      new Parts{book, Scanner(book, options.kinds, options.regions, options.min_confidence),
                std::move(*own), options.kinds, options.min_confidence});
  return std::unique_ptr<Detector>(new Detector(std::move(parts)));
}

void Detector::scan(std::string_view utf8, Scratch& scratch, std::vector<Finding>& out) const {
  out.clear();
  Scratch::Memory& memory = *scratch.memory_;
  PlainText& plain = memory.plain;
  plain.read(utf8.substr(0, kMaxText));
  const Book& book = parts_->book;
  std::vector<Candidate>& found = memory.found;
  found.clear();
  book.words().find_anchors(plain.text(), memory.words, memory.hits);
  parts_->scanner.scan({plain.text(), book.words(), memory.words, memory.hits, found}, memory.run);
  if (!parts_->own.empty() && parts_->kinds.has(Kind::Custom)) {
    parts_->own.find(plain.text(), memory.own);
    for (const OwnRules::Found& one : memory.own) {
      found.push_back({static_cast<std::uint32_t>(one.begin), static_cast<std::uint32_t>(one.end),
                       book.size() + static_cast<std::uint32_t>(one.rule), kOwn});
    }
  }
  parts_->keep_likely(found);
  const auto put = [&](const Candidate& one) {
    const bool own = one.rule >= book.size();
    // What nobody asked for takes its place all the same: an address of a network is no phone
    // number.
    if (!own && !parts_->kinds.has(book.entry(one.rule).kind)) return;
    out.push_back({plain.original_begin(one.begin), plain.original_end(one.end),
                   own ? Kind::Custom : book.entry(one.rule).kind, std::min(one.confidence, 1.0F),
                   own ? parts_->own.name_of(one.rule - book.size()) : book.entry(one.rule).id});
  };
  for (std::size_t i = 0; i < found.size();) {
    memory.group.clear();
    std::uint32_t end = found[i].end;
    for (; i < found.size() && found[i].begin < end; ++i) {
      end = std::max(end, found[i].end);
      memory.group.push_back(found[i]);
    }
    settle(memory.group);
    for (const Candidate& one : memory.group) put(one);
  }
}

}  // namespace causeway::pii
