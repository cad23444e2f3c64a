// The fast finders against plain ones, on texts made of what rules look for, cut and bent at
// random.
#include <gtest/gtest.h>
#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "features/privacy/pii/book.h"
#include "features/privacy/pii/chars.h"
#include "features/privacy/pii/numbers.h"
#include "features/privacy/pii/patterns.h"

namespace causeway::pii {
namespace {

constexpr std::string_view kPieces[] = {
    "SSN ",
    "536-90-4399",
    " card 4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "86 095 742 719",
    "Steuer-ID: ",
    "passport number ",
    "C01X00T47",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "sk_live_0123456789abcdefghij",
    " password=hunter2secret",
    "AKIAIOSFODNN7EXAMPLE",
    "https://u:p4ss@h.example/",
    "bearer abcdefghijklmnopqrstuvwxyz",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.SflKxwRJSMeKKF2QT4",
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "\n",
    " ",
    "-",
    ".",
    ", ",
    "the account ",
    "NHS number 943 476 5919",
    "AB 12 34 56 C",
    "RSSMRA85T10A562S",
    "12345678Z",
    "X",
    "7",
    "MRN ",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    "AccountKey=",
    "pat",
    "SK",
    "1/1",
    "xoxb-1234567890-abcdefghij",
    "id",
    "policy no. ",
    "ABC-123456",
    "756.9217.0769.85"};

std::string random_text(std::mt19937& random) {
  std::string text;
  const auto below = [&](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (std::size_t i = 0, n = 3 + below(14); i < n; ++i) text += kPieces[below(std::size(kPieces))];
  for (std::size_t i = 0, n = below(6); i < n; ++i) {
    static constexpr std::string_view kBytes = "0189 -./\nAZaz_:@=+x";
    const std::size_t at = below(text.size());
    switch (below(3)) {
      case 0:
        text[at] = kBytes[below(kBytes.size())];
        break;
      case 1:
        text.erase(at, 1 + below(3));
        break;
      default:
        text.insert(at, 1, kBytes[below(kBytes.size())]);
    }
    if (text.empty()) text = "x";
  }
  return text;
}

using Sorted = std::vector<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t, float>>;
Sorted sorted(const std::vector<Candidate>& found) {
  Sorted all;
  for (const Candidate& one : found) all.emplace_back(one.begin, one.end, one.rule, one.confidence);
  std::ranges::sort(all);
  all.erase(std::ranges::unique(all).begin(), all.end());
  return all;
}

/// One pattern for each form of each rule.
struct PlainForm {
  std::unique_ptr<RE2> pattern;
  std::uint64_t parts;
};

class PlainNumbers {
 public:
  PlainNumbers() {
    for (const NumberRule& rule : Book::get().numbers()) {
      rules_.emplace_back();
      for (const Form& form : read_shape(rule.shape))
        rules_.back().push_back({std::make_unique<RE2>(pattern_of(form)), form.parts});
    }
  }

  /// Every sequence of groups of the run, every form of every rule.
  void find(const Scene& scene, const pii::Run& run) const {
    for (std::size_t first = 0; first < run.size(); ++first) {
      std::string compact;
      std::uint64_t parts = 0;
      for (std::size_t last = first; last < run.size(); ++last) {
        if (last > first && compact.size() < 64) parts |= std::uint64_t{1} << compact.size();
        for (std::size_t i = run[last].begin; i < run[last].end; ++i)
          compact += to_upper(scene.text[i]);
        if (compact.size() > kMaxNumber) break;
        const auto digits = std::ranges::count_if(compact, is_digit);
        if (digits < 2 && compact.size() < 8) continue;
        judge(scene, compact, parts, run[first].begin, run[last].end,
              first == 0 && last + 1 == run.size());
      }
    }
  }

 private:
  void judge(const Scene& scene, const std::string& compact, std::uint64_t parts, std::size_t begin,
             std::size_t end, bool whole) const {
    for (std::uint32_t i = 0; i < rules_.size(); ++i) {
      const NumberRule& rule = Book::get().numbers()[i];
      const auto fits = [&](bool in_any_way) {
        return std::ranges::any_of(rules_[i], [&](const PlainForm& form) {
          return (parts == 0 || in_any_way || rule.any_parts || parts == form.parts) &&
                 RE2::FullMatch(compact, *form.pattern);
        });
      };
      const bool well = fits(false);
      if ((!well && !(whole && fits(true))) || (rule.check && !rule.check(compact))) continue;
      const int distance = scene.distance(i, begin, end);
      const float confidence =
          distance < 0 ? rule.worth.alone : rule.worth.with - 0.002F * static_cast<float>(distance);
      if (!well && distance < 0 && rule.worth.alone < 0.8F) continue;
      if (confidence > 0.05F) scene.add(begin, end, i, confidence);
    }
  }
  std::vector<std::vector<PlainForm>> rules_;
};

class Differential : public testing::Test {
 protected:
  template <class Check>
  void on_random_texts(int count, const Check& check) {
    std::mt19937 random(20);
    for (int i = 0; i < count && !HasFailure(); ++i) {
      const std::string text = random_text(random);
      Hits hits;
      Book::get().words().find_anchors(text, memory_, hits);
      check(text, hits);
    }
  }
  Scene scene(const std::string& text, Hits& hits, std::vector<Candidate>& found) {
    return {text, Book::get().words(), memory_, hits, found};
  }
  Words::Memory memory_;
};

TEST_F(Differential, Words) {
  on_random_texts(400, [&](const std::string& text, Hits& hits) {
    Book::get().words().find_words(text, memory_, hits);
    Hits plain;
    Book::get().words().find_slowly(text, plain);
    ASSERT_EQ(hits.words.size(), plain.words.size()) << text;
    ASSERT_EQ(hits.anchors.size(), plain.anchors.size()) << text;
    for (std::size_t i = 0; i < plain.words.size(); ++i) {
      EXPECT_EQ(hits.words[i].begin, plain.words[i].begin) << text;
      EXPECT_EQ(hits.words[i].word, plain.words[i].word) << text;
    }
    for (std::size_t i = 0; i < plain.anchors.size(); ++i) {
      EXPECT_EQ(hits.anchors[i].begin, plain.anchors[i].begin) << text;
      EXPECT_EQ(hits.anchors[i].rule, plain.anchors[i].rule) << text;
    }
  });
}

TEST_F(Differential, Patterns) {
  std::size_t found = 0;
  on_random_texts(150, [&](const std::string& text, Hits& hits) {
    std::vector<Candidate> fast, slow;
    find_patterns(Book::get(), scene(text, hits, fast));
    find_patterns_slowly(Book::get(), scene(text, hits, slow));
    EXPECT_EQ(sorted(fast), sorted(slow)) << text;
    found += fast.size();
  });
  EXPECT_GT(found, 100U);
}

TEST_F(Differential, Numbers) {
  const NumberFinder finder(Book::get().numbers());
  const PlainNumbers plain;
  std::size_t found = 0;
  on_random_texts(500, [&](const std::string& text, Hits& hits) {
    pii::Run run;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (!is_alnum(text[i]) || is_alnum(before(text, i))) continue;
      read_run(text, i, run);
      std::vector<Candidate> fast, slow;
      finder.find(scene(text, hits, fast), run, rules_near(scene(text, hits, fast), run));
      plain.find(scene(text, hits, slow), run);
      EXPECT_EQ(sorted(fast), sorted(slow)) << text;
      found += fast.size();
    }
  });
  EXPECT_GT(found, 500U);
}

}  // namespace
}  // namespace causeway::pii
