// Policy section `faq`: whether questions that staff has answered are asked of a model at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/config/describe.h"
#include "platform/config/values.h"

namespace causeway::faq {

enum class Serve : std::uint8_t { Off, Exact, Meaning };

inline config::Names<Serve> names_of(Serve) {
  return {{"off", Serve::Off}, {"exact", Serve::Exact}, {"meaning", Serve::Meaning}};
}

struct FaqSettings {
  Serve serve = Serve::Off;
  bool ground = false;
  config::Located<std::string> model;    // of embeddings; empty = nothing is found by meaning
  double threshold = 0.85;               // cosine
  double ground_threshold = 0.6;         // likewise
  std::uint32_t most = 3;                // entries in front of the model
  std::chrono::milliseconds wait{2000};  // for the question's vector
  bool conversation = false;
  std::vector<std::string> languages;

  bool by_meaning() const { return !model->empty() && (ground || serve == Serve::Meaning); }
  bool does_anything() const { return serve != Serve::Off || ground; }
};

void describe(config::Fields& f, FaqSettings& c);

inline constexpr config::Section<FaqSettings> kFaq{"faq"};

}  // namespace causeway::faq
