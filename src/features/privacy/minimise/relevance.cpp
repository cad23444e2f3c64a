#include "features/privacy/minimise/relevance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <unordered_map>
#include <utility>

#include "features/privacy/minimise/words.h"

namespace causeway::minimise {
namespace {

constexpr double kK1 = 1.2, kB = 0.75;
constexpr std::size_t kMostWords = 512;  // of a question that count: the last ones of a long one

using Question = std::unordered_map<std::uint64_t, std::size_t>;  // a word, and its number

Question words_of(std::span<const std::string_view> question) {
  std::vector<std::uint64_t> all;
  std::uint64_t word = 0;
  for (const auto part : question) {
    for (Words words(part); words.next(word);) all.push_back(word);
  }
  const std::size_t skipped = all.size() > kMostWords ? all.size() - kMostWords : 0;
  Question found;
  for (std::size_t i = skipped; i < all.size(); ++i) found.emplace(all[i], found.size());
  return found;
}

struct Counts {
  struct Found {
    std::size_t text, word;
    std::uint32_t times;
  };
  std::vector<Found> found;         // words of the question in the texts
  std::vector<std::size_t> having;  // texts that have each of these words
  std::vector<std::uint32_t> length;
  double mean_length = 0;
};

Counts count(std::span<const std::vector<std::string_view>> texts, const Question& question) {
  Counts counts;
  counts.having.resize(question.size());
  std::vector<std::uint32_t> times(question.size());  // in one text
  std::vector<std::size_t> seen;                      // there
  std::uint64_t sum = 0;
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::uint32_t length = 0;
    for (const auto part : texts[i]) {
      for (Words words(part); words.next(word); ++length) {
        const auto known = question.find(word);
        if (known != question.end() && times[known->second]++ == 0) seen.push_back(known->second);
      }
    }
    for (const std::size_t k : seen) {
      ++counts.having[k];
      counts.found.push_back({i, k, std::exchange(times[k], 0)});
    }
    seen.clear();
    counts.length.push_back(length);
    sum += length;
  }
  counts.mean_length = std::max(1.0, static_cast<double>(sum) / static_cast<double>(texts.size()));
  return counts;
}

}  // namespace

std::vector<double> relevance(std::span<const std::vector<std::string_view>> texts,
                              std::span<const std::string_view> question) {
  std::vector<double> scores(texts.size());
  const Question wanted = words_of(question);
  if (texts.empty() || wanted.empty()) return scores;
  const Counts counts = count(texts, wanted);
  std::vector<double> idf;
  for (const std::size_t having : counts.having) {
    const double n = static_cast<double>(having);
    idf.push_back(std::log(1 + (static_cast<double>(texts.size()) - n + 0.5) / (n + 0.5)));
  }
  for (const auto& found : counts.found) {
    const double f = found.times;
    const double size = 1 - kB + kB * counts.length[found.text] / counts.mean_length;
    scores[found.text] += idf[found.word] * f * (kK1 + 1) / (f + kK1 * size);
  }
  const double best = std::ranges::max(scores);
  if (best > 0) {
    for (double& score : scores) score /= best;
  }
  return scores;
}

}  // namespace causeway::minimise
