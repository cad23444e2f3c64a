// What the PII detector costs: English prose without a finding, and a chat of 2 KB with five.
#include <benchmark/benchmark.h>

#include <string>

#include "features/privacy/pii/detector.h"

namespace {

using namespace causeway::pii;

constexpr std::string_view kProse =
    "The committee met in the old town hall on a cold morning, and nobody had expected the room to "
    "be so full. People "
    "stood along the walls and in the corridor, some of them with children on their shoulders, and "
    "listened to what was "
    "said about the bridge. It had been closed since the flood in spring, when the river rose "
    "higher than anybody "
    "remembered and carried away the fences, two sheds and a small boat that had never been found. "
    "The engineers had "
    "written a long report. They said that the pillars were sound but that the deck would have to "
    "be replaced, and that "
    "the work could begin as soon as the money was there. Money, as always, was the difficult "
    "part. The council had set "
    "some aside years ago, but it had been used for the school, which nobody regretted, and what "
    "was left would not pay "
    "for half of the work. There was talk of a loan, of help from the region, and of a toll. ";

constexpr std::string_view kFive =
    "My name is John Smith, mail john.smith@example.com, card 4111 1111 1111 1111, phone (415) "
    "555-2671, home 221B Baker "
    "Street, London NW1 6XE. ";

std::string prose(std::size_t size) {
  std::string text;
  while (text.size() < size) text += kProse;
  text.resize(size);
  return text;
}

void scan(benchmark::State& state, const std::string& text) {
  const auto detector = Detector::make({});
  Scratch scratch;
  std::vector<Finding> found;
  for (auto _ : state) {
    (*detector)->scan(text, scratch, found);
    benchmark::DoNotOptimize(found.data());
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * text.size()));
  state.counters["findings"] = static_cast<double>(found.size());
}

void pii_prose_2k(benchmark::State& state) { scan(state, prose(2048)); }
void pii_prose_64k(benchmark::State& state) { scan(state, prose(65536)); }
void pii_chat_2k_five_hits(benchmark::State& state) {
  scan(state, std::string(kFive) + prose(2048 - kFive.size()));
}

BENCHMARK(pii_prose_2k);
BENCHMARK(pii_prose_64k);
BENCHMARK(pii_chat_2k_five_hits);

}  // namespace
