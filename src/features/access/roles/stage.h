// Whether this caller may ask for this model: by the key's list and by the policy's.
#pragma once

#include <string>
#include <vector>

#include "core/exchange.h"
#include "core/stage.h"
#include "features/access/roles/config.h"

namespace causeway::roles {

class AllowStage final : public Stage {
 public:
  explicit AllowStage(SectionKey<AllowedModels> key) : key_(key) {}
  std::string_view name() const override { return "allow"; }
  unsigned hooks() const override { return kOnRequest; }
  Verdict on_request(Exchange& exchange) override;

 private:
  SectionKey<AllowedModels> key_;
};

}  // namespace causeway::roles
