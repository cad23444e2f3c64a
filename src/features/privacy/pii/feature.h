// The feature "pii": the routes below /api/pii and the verb `causeway pii …`.
#pragma once

#include <string_view>
#include <vector>

#include "core/feature.h"
#include "features/privacy/pii/detector.h"

namespace causeway::pii {

class PiiFeature final : public Feature {
 public:
  std::string_view name() const override { return "pii"; }
  std::vector<AdminRoute> routes() override;
  std::vector<Verb> verbs() override;
};

/// `causeway pii scan|types`; works by itself.
Verb pii_verb();

/// One line of JSON: {"findings":[{"begin","end","kind","confidence","rule"}]}, without the text's
/// words.
void write_findings(std::string& body, const std::vector<Finding>& findings);

/// docs/pii-types.md as the rules say.
std::string types_page();

}  // namespace causeway::pii
