#include "app/pipeline.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace causeway::app {
namespace {

struct Line {
  std::string stage, rest;
};

// The lines of the block "```pipeline" in ARCHITECTURE.md.
std::vector<Line> lines_of_the_picture() {
  std::ifstream file(CAUSEWAY_SOURCE_DIR "/ARCHITECTURE.md");
  std::vector<Line> lines;
  std::string text;
  bool inside = false;
  while (std::getline(file, text)) {
    if (text.starts_with("```")) {
      if (inside) return lines;
      inside = text == "```pipeline";
      continue;
    }
    if (!inside) continue;
    std::istringstream words(text);
    Line line;
    words >> line.stage;
    std::getline(words, line.rest);
    lines.push_back(std::move(line));
  }
  ADD_FAILURE() << "ARCHITECTURE.md has no whole block \"pipeline\"";
  return lines;
}

TEST(Pipeline, IsTheOneInThePicture) {
  const auto lines = lines_of_the_picture();
  const auto order = pipeline_order();
  ASSERT_EQ(lines.size(), order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    EXPECT_EQ(lines[i].stage, order[i].stage) << "line " << i + 1;
    EXPECT_TRUE(lines[i].rest.ends_with(" " + std::string(order[i].why_here)))
        << order[i].stage << ": \"" << lines[i].rest
        << "\" does not give the reason of pipeline.cpp";
  }
}

TEST(Pipeline, NamesAreUniqueAndTheCallIsLast) {
  std::set<std::string_view> names;
  for (const Place& place : pipeline_order()) {
    EXPECT_TRUE(names.insert(place.stage).second) << place.stage;
    EXPECT_FALSE(place.why_here.empty()) << place.stage;
  }
  EXPECT_EQ(pipeline_order().back().stage, "call");
}

class NamedStage final : public Stage {
 public:
  NamedStage(std::string_view name, unsigned hooks) : name_(name), hooks_(hooks) {}
  std::string_view name() const override { return name_; }
  unsigned hooks() const override { return hooks_; }

 private:
  std::string_view name_;
  unsigned hooks_;
};

class NamedStages final : public Feature {
 public:
  std::string_view name() const override { return "stages"; }
  std::vector<Stage*> stages() override {
    std::vector<Stage*> all;
    for (auto& stage : owned_) all.push_back(stage.get());
    return all;
  }
  void add(std::string_view name, unsigned hooks) {
    owned_.push_back(std::make_unique<NamedStage>(name, hooks));
  }

 private:
  std::vector<std::unique_ptr<NamedStage>> owned_;
};

// A feature with every stage of the order, in an order of its own.
std::vector<std::unique_ptr<Feature>> all_stages_but(std::string_view left_out = {}) {
  auto stages = std::make_unique<NamedStages>();
  const auto order = pipeline_order();
  for (auto place = order.rbegin(); place != order.rend(); ++place) {
    if (place->stage == "call" || place->stage == left_out) continue;
    stages->add(place->stage, place->stage == "metrics" ? kOnDone : kOnHead | kOnDone);
  }
  std::vector<std::unique_ptr<Feature>> features;
  features.push_back(std::move(stages));
  return features;
}

TEST(Pipeline, StagesTakeTheirPlacesAndDoneRunsBackwards) {
  const auto features = all_stages_but();
  const auto pipeline = make_pipeline(features, {});
  const auto order = pipeline_order();
  ASSERT_EQ(pipeline->stages.size() + 1, order.size());  // all but "call"
  for (std::size_t i = 0; i < pipeline->stages.size(); ++i) {
    EXPECT_EQ(pipeline->stages[i]->name(), order[i].stage);
  }
  ASSERT_EQ(pipeline->done.size(), pipeline->stages.size());
  EXPECT_EQ(pipeline->done.front().stage, pipeline->stages.back());
  EXPECT_EQ(pipeline->done.back().stage, pipeline->stages.front());
  EXPECT_EQ(pipeline->head.size() + 1, pipeline->stages.size());  // all but "metrics"
}

TEST(Pipeline, AStageWithOnlyDoneAlwaysRuns) {
  const auto features = all_stages_but();
  const auto pipeline = make_pipeline(features, {});
  for (std::size_t i = 0; i < pipeline->stages.size(); ++i) {
    EXPECT_EQ(pipeline->always >> i & 1, pipeline->stages[i]->name() == "metrics" ? 1u : 0u);
  }
}

TEST(Pipeline, AMissingAnUnplacedAndADoubledStageAreFaultsOfTheProgram) {
  EXPECT_THROW(make_pipeline(all_stages_but("identify"), {}), std::logic_error);
  auto unplaced = all_stages_but();
  static_cast<NamedStages&>(*unplaced.front()).add("nowhere", kOnHead);
  EXPECT_THROW(make_pipeline(unplaced, {}), std::logic_error);
  auto doubled = all_stages_but();
  static_cast<NamedStages&>(*doubled.front()).add("admit", kOnHead);
  EXPECT_THROW(make_pipeline(doubled, {}), std::logic_error);
}

}  // namespace
}  // namespace causeway::app
