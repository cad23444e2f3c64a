// The feature "pii": its stage, the routes below /api/pii and the verb `causeway pii …`.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/feature.h"
#include "core/slots.h"
#include "features/privacy/pii/config.h"
#include "features/privacy/pii/detector.h"
#include "features/privacy/pii/names_model.h"
#include "platform/base/clock.h"
#include "platform/base/secret.h"
#include "platform/metrics/registry.h"

namespace causeway::pii {

class PiiStage;

class PiiFeature final : public Feature {
 public:
  struct Parts {
    SectionKey<Settings> key;
    SlotLayout& slots;
    metrics::Registry& metrics;
    const Clock& clock;
    DataFiles& files;
    NamesModel::Post post;  // onto the loop of the admin port
    Secret secret;          // the root of hashes and pseudonyms
  };
  /// All references outlive the feature.
  explicit PiiFeature(Parts parts);
  ~PiiFeature() override;
  std::string_view name() const override { return "pii"; }
  std::vector<Stage*> stages() override;
  std::vector<AdminRoute> routes() override;
  /// At start and reload: whether the names model is here, where one of these policies asks for it;
  /// where it is not, its fetch begins.
  Result<void> prepare(const std::vector<Policy>& policies);

 private:
  SectionKey<Settings> key_;
  NamesModel::Post post_;
  NamesModel model_;
  std::unique_ptr<PiiStage> stage_;
};

/// `causeway pii scan|types`; works by itself. `model_file` says where the names model's file is.
using ModelFile = std::function<Result<std::string>()>;
Verb pii_verb(ModelFile model_file);

/// What the model found in a text, as far as the options ask for it, beside what rules found.
void add_model_findings(std::string_view text, std::vector<Finding> model,
                        const DetectorOptions& options, std::vector<Finding>& findings);

/// One line of JSON: {"findings":[{"begin","end","kind","confidence","rule"}]}, without the text's
/// words.
void write_findings(std::string& body, const std::vector<Finding>& findings);

/// docs/pii-types.md as the rules say.
std::string types_page();

}  // namespace causeway::pii
