// What the names model (docs/pii.md) says of a piece of text: its labels for pieces of words become
// findings, of whole words, as the rest of the feature has them. No threads, no files.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "features/privacy/pii/detector.h"
#include "platform/bert/token_classifier.h"

namespace causeway::pii {

/// The rule of its findings.
inline constexpr std::string_view kModelRule = "model";

class ModelReader {
 public:
  /// What a label stands for; the model knows more, which rules with check digits know better.
  enum class Part : std::uint8_t { None, Name, Street, Number, Flat, Town, Postcode };

  /// A thread's working memory.
  struct Memory {
    bert::TokenClassifier::Memory model;
    std::vector<bert::Piece> pieces;
    std::vector<bert::TokenClassifier::Mark> marks;
    std::vector<Part> parts;
    std::vector<float> scores;
  };

  explicit ModelReader(const bert::TokenClassifier& model);

  /// Persons and addresses in a text of at most kMostChunk bytes: in order, not overlapping.
  void read(std::string_view text, Memory& memory, std::vector<Finding>& out) const;

  static Part part_of(std::string_view label);
  /// What the model's marks come to: `parts` and `scores` of each piece.
  static void to_findings(std::string_view text, std::span<const bert::Piece> pieces,
                          std::span<const Part> parts, std::span<const float> scores,
                          std::vector<Finding>& out);

 private:
  const bert::TokenClassifier& model_;
  std::vector<Part> part_of_label_;
};

/// Adds what the model found to what rules found; both are in order and do not overlap, and so is
/// the result. Where a person or an address touches one that a rule found, they become one, with
/// the rule's name; elsewhere rules come first.
void merge_findings(std::string_view text, std::span<const Finding> model,
                    std::vector<Finding>& findings);

}  // namespace causeway::pii
