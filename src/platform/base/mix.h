// Numbers that look drawn, from ones that are at hand.
#pragma once

#include <cstdint>

namespace causeway {

/// The finaliser of splitmix64 (Steele, Lea, Flood 2014): neighbouring inputs give unrelated
/// outputs.
constexpr std::uint64_t mixed(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

/// The same as a number from 0 to below 1.
constexpr double unit_interval(std::uint64_t x) {
  return static_cast<double>(mixed(x) >> 11) * 0x1.0p-53;
}

}  // namespace causeway
