// The feature "pii": its stage, the routes below /api/pii and the verb `causeway pii …`.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "core/slots.h"
#include "features/privacy/pii/config.h"
#include "features/privacy/pii/detector.h"
#include "platform/base/clock.h"
#include "platform/base/secret.h"
#include "platform/metrics/registry.h"

namespace causeway::pii {

class PiiStage;

class PiiFeature final : public Feature {
 public:
  /// `secret`: the root of hashes and pseudonyms. All references outlive the feature.
  PiiFeature(SectionKey<Settings> key, SlotLayout& slots, metrics::Registry& metrics,
             const Clock& clock, Secret secret);
  ~PiiFeature() override;
  std::string_view name() const override { return "pii"; }
  std::vector<Stage*> stages() override;
  std::vector<AdminRoute> routes() override;
  std::vector<Verb> verbs() override;

 private:
  std::unique_ptr<PiiStage> stage_;
};

/// `causeway pii scan|types`; works by itself.
Verb pii_verb();

/// One line of JSON: {"findings":[{"begin","end","kind","confidence","rule"}]}, without the text's
/// words.
void write_findings(std::string& body, const std::vector<Finding>& findings);

/// docs/pii-types.md as the rules say.
std::string types_page();

}  // namespace causeway::pii
