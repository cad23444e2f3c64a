// Rewrites texts: what was found in them becomes what stands in for it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/request.h"
#include "features/privacy/pii/config.h"
#include "features/privacy/pii/json_view.h"
#include "features/privacy/pii/names_model.h"
#include "features/privacy/pii/repeats.h"
#include "features/privacy/pii/stand_ins.h"

namespace causeway::pii {

/// One text of a request, and what was found in it.
struct FoundIn {
  std::uint32_t text;              // its place among the request's texts
  std::unique_ptr<JsonView> view;  // of a text that is JSON: findings are places in view->plain()
  std::vector<Finding> findings;
};

/// Whether a range stands in one of the parts, which are in order.
bool is_within(ByteRange inner, const std::vector<ByteRange>& parts);

/// A request's texts for the names model, each at its place.
struct ModelTexts {
  std::vector<std::unique_ptr<JsonView>> views;  // of texts that are JSON
  ModelSearch search;
};
void read_for_model(const RequestIndex& index, std::span<Text> texts, ModelTexts& out);

/// Everything that is in `texts` of the request that `index` is of. What was found once, or stands
/// in `stand_ins` already, is found again wherever it stands. Text like a stand-in is reserved
/// there, and nothing is found in it. `model`: what the names model has found in them; its views
/// are taken over. Null where it was not asked.
std::vector<FoundIn> find_all(const Treatment& treatment, const RequestIndex& index,
                              std::span<Text> texts, StandIns& stand_ins,
                              ModelTexts* model = nullptr);

/// The texts as they leave, by their places; only of those that change.
std::vector<std::pair<std::uint32_t, std::string>> rewrite_all(const Treatment& treatment,
                                                               std::span<Text> texts,
                                                               const std::vector<FoundIn>& found,
                                                               std::string_view secret,
                                                               StandIns& stand_ins);

}  // namespace causeway::pii
