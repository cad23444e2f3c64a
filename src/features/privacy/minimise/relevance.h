// How much texts have to do with a question: BM25. For a word of the question that stands in n of N
// texts, and f times in this one,
//   idf = ln(1 + (N - n + 0.5) / (n + 0.5)),   idf * f (k1 + 1) / (f + k1 (1 - b + b length /
//   mean)),
// summed over the question's words. Source: Robertson and Zaragoza, "The Probabilistic Relevance
// Framework: BM25 and Beyond" (2009), whose usual k1 = 1.2 and b = 0.75 are taken; the 1 under the
// logarithm, Lucene's, keeps words that most texts have above 0.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace causeway::minimise {

/// The score of each text, 0 = no word in common, 1 = the best of them. `texts` are views, several
/// of which make one text: a message has parts.
std::vector<double> relevance(std::span<const std::vector<std::string_view>> texts,
                              std::span<const std::string_view> question);

}  // namespace causeway::minimise
