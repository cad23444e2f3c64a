// What an application's model name stands for: one or more targets, each a provider and the name
// that the provider knows the model by.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace causeway {

class Provider;

enum class Zone : std::uint8_t { Internal, External };

struct Target {
  std::string name;  // "openai/gpt-4.1"
  const Provider* provider = nullptr;
  std::string upstream_model;
  double weight = 1;
};

enum class Strategy : std::uint8_t { Fallback, Weighted };

struct Model {
  std::string name;
  Strategy strategy = Strategy::Fallback;
  std::vector<Target> targets;
  std::int64_t created = 0;  // Unix seconds
  std::string owned_by;
};

}  // namespace causeway
