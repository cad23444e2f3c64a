// What personal data costs: the detector on English prose without a finding and on a chat of 2 KB
// with five, the rewriting of that chat, and the way back in an answer; and the names model on a
// message of 200 characters.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/data_files.h"
#include "engine/places.h"
#include "features/privacy/pii/model_reader.h"
#include "features/privacy/pii/names_model.h"
#include "features/privacy/pii/restorer.h"
#include "features/privacy/pii/treat.h"

namespace {

using namespace causeway;
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

// What harness/configs.py makes its chats of.
constexpr std::string_view kSentence =
    "The parcel has been standing at the regional hub since Tuesday, and the customer would rather "
    "have the money back than a replacement if it does not turn up by the weekend. ";
constexpr std::string_view kPersonal =
    "I am Maria Gonzalez, maria.gonzalez@example.com, +1 415 555 0132, card 4111 1111 1111 1111, "
    "IBAN DE89 3704 0044 0532 0130 00. ";

std::string repeated(std::string_view what, std::size_t size) {
  std::string text;
  while (text.size() < size) text += what;
  text.resize(size);
  return text;
}
std::string prose(std::size_t size) { return repeated(kProse, size); }

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

/// The harness's chat as a request of four texts.
struct Chat {
  std::string body;
  RequestIndex index;
  std::shared_ptr<const Treatment> treatment = *make_treatment({});

  Chat() {
    for (const std::string& text :
         {repeated(kSentence, 835), repeated(kSentence, 278), repeated(kSentence, 278),
          std::string(kPersonal) + repeated(kSentence, 278 - kPersonal.size())}) {
      const auto begin = static_cast<std::uint32_t>(body.size());
      body += '"' + text + '"';
      index.texts.push_back({{Role::User, TextKind::Content, 0, 0},
                             {begin, static_cast<std::uint32_t>(body.size())}});
    }
    index.body = body;
  }
};

void pii_find(benchmark::State& state) {
  Chat chat;
  Request request(chat.index);
  for (auto _ : state) {
    StandIns stand_ins;
    auto texts = request.texts();
    benchmark::DoNotOptimize(find_all(*chat.treatment, chat.index, texts, stand_ins));
  }
}

void pii_find_and_rewrite(benchmark::State& state) {
  Chat chat;
  Request request(chat.index);
  for (auto _ : state) {
    StandIns stand_ins;
    auto texts = request.texts();
    const auto found = find_all(*chat.treatment, chat.index, texts, stand_ins);
    benchmark::DoNotOptimize(rewrite_all(*chat.treatment, texts, found, "secret", stand_ins));
  }
}

void pii_restore(benchmark::State& state) {
  Chat chat;
  Request request(chat.index);
  StandIns stand_ins;
  auto texts = request.texts();
  const auto found = find_all(*chat.treatment, chat.index, texts, stand_ins);
  (void)rewrite_all(*chat.treatment, texts, found, "secret", stand_ins);
  const std::string answer = prose(600) + "[PERSON], [EMAIL], [PHONE], [CARD] and [IBAN].";
  for (auto _ : state) {
    EventText text(answer);
    Restorer::Place place;
    benchmark::DoNotOptimize(Restorer(stand_ins).run(text, place, true, false));
  }
}

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Each message is another one, as in a service: nothing of it is remembered.
void pii_names_model_200(benchmark::State& state) {
  const auto file = engine::find_data(
      kNamesModel, engine::find_places(std::filesystem::canonical("/proc/self/exe")));
  const auto model =
      file ? bert::TokenClassifier::read(*file)
           : Result<std::unique_ptr<const bert::TokenClassifier>>(std::unexpected(file.error()));
  if (!model) return state.SkipWithError("scripts/deps --only model --model rampart");
  const ModelReader reader(**model);
  ModelReader::Memory memory;
  std::vector<Finding> found;
  std::vector<double> wall, cpu;
  std::size_t number = 0;
  for (auto _ : state) {
    std::string text = std::to_string(number++) + ": please send it to " + prose(200);
    text.replace(60, 12, "quentin vale");
    text.resize(200);
    const double wall_began = seconds(CLOCK_MONOTONIC), began = seconds(CLOCK_THREAD_CPUTIME_ID);
    reader.read(text, memory, found);
    cpu.push_back(seconds(CLOCK_THREAD_CPUTIME_ID) - began);
    wall.push_back(seconds(CLOCK_MONOTONIC) - wall_began);
    state.SetIterationTime(wall.back());
  }
  // Where others run as well, the wall tells of them.
  for (const auto& [name, times] : {std::pair("wall", &wall), std::pair("cpu", &cpu)}) {
    std::ranges::sort(*times);
    state.counters[std::string(name) + "_median_ms"] = 1e3 * (*times)[times->size() / 2];
    state.counters[std::string(name) + "_p99_ms"] = 1e3 * (*times)[times->size() * 99 / 100];
  }
}

BENCHMARK(pii_names_model_200)->UseManualTime()->Unit(benchmark::kMillisecond)->MinTime(3);
BENCHMARK(pii_find);
BENCHMARK(pii_find_and_rewrite);
BENCHMARK(pii_restore);
BENCHMARK(pii_prose_2k);
BENCHMARK(pii_prose_64k);
BENCHMARK(pii_chat_2k_five_hits);

}  // namespace
