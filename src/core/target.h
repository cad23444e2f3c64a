// What an application's model name stands for: one or more targets, each a provider and the name
// that the provider knows the model by.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace causeway {

class Provider;

enum class Zone : std::uint8_t { Internal, External };

struct Target {
  std::string name;  // "openai/gpt-4.1"
  const Provider* provider = nullptr;
  std::string upstream_model;
  double weight = 1;
  std::uint64_t key = 0;  // of the name, made once: what loops learn of a target is found by it
};

inline Target make_target(std::string name, const Provider* provider, std::string upstream_model,
                          double weight = 1) {
  const std::uint64_t key = std::hash<std::string>()(name);
  return {std::move(name), provider, std::move(upstream_model), weight, key};
}

enum class Strategy : std::uint8_t { Fallback, Weighted };

struct Model {
  std::string name;
  Strategy strategy = Strategy::Fallback;
  std::vector<Target> targets;
  std::int64_t created = 0;  // Unix seconds
  std::string owned_by;
};

}  // namespace causeway
