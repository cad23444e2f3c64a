// Times of the nearest vectors: FlatIndex with 50,000 entries, GraphIndex beyond, and how often
// both find the same.
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <random>

#include "platform/similar/flat_index.h"
#include "platform/similar/graph_index.h"

using namespace causeway::similar;

namespace {

constexpr std::size_t kSize = 384;
std::mt19937 random_numbers{11};

/// Around one of 500 middles, as questions are around subjects; even noise has no neighbours to be
/// found.
std::vector<float> any(const std::vector<std::vector<float>>& middles, float by) {
  std::normal_distribution<float> normal;
  auto vector = middles[random_numbers() % middles.size()];
  for (float& x : vector) x += by * normal(random_numbers);
  return vector;
}

double microseconds(int calls, const auto& call) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < calls; ++i) call(static_cast<std::size_t>(i));
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - began)
             .count() /
         calls;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t entries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 50'000;
  std::normal_distribution<float> normal;
  std::vector<std::vector<float>> middles(500, std::vector<float>(kSize)), all, asked;
  for (auto& middle : middles)
    for (float& x : middle) x = normal(random_numbers);
  for (std::size_t i = 0; i < entries; ++i) all.push_back(any(middles, 0.8F));
  for (std::size_t i = 0; i < 200; ++i) asked.push_back(any({all[i * 7 % entries]}, 0.3F));
  FlatIndex flat(kSize, entries);
  GraphIndex graph(kSize, entries);
  const int count = static_cast<int>(entries);
  std::cout << entries << " entries of " << kSize << " numbers\n"
            << "flat: add " << microseconds(count, [&](std::size_t i) { flat.add(i, 0, all[i]); })
            << " us";
  std::vector<std::uint64_t> nearest(asked.size());
  const auto find = [&](std::size_t i) {
    const auto found = flat.find(asked[i], 0, 0.7F, 8);
    nearest[i] = found.empty() ? entries : found[0].id;
  };
  std::cout << ", find " << microseconds(200, find) << " us";
  flat.use_plain();
  std::cout << ", without AVX2 " << microseconds(50, find) << " us\n"
            << "graph: add " << microseconds(count, [&](std::size_t i) { graph.add(i, 0, all[i]); })
            << " us";
  int same = 0;
  std::cout << ", find "
            << microseconds(200,
                            [&](std::size_t i) {
                              const auto found = graph.find(asked[i], 0, 0.7F, 8);
                              same += (found.empty() ? entries : found[0].id) == nearest[i];
                            })
            << " us, the same nearest " << same << " of 200\n";
}
