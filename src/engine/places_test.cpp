#include "engine/places.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace causeway::engine {
namespace {

namespace fs = std::filesystem;

class PlacesTest : public testing::Test {
 protected:
  void SetUp() override {
    char folder[] = "/tmp/places-test-XXXXXX";
    ASSERT_NE(mkdtemp(folder), nullptr);
    folder_ = fs::canonical(folder).string();
  }
  void TearDown() override {
    fs::remove_all(folder_);
    for (const char* name : {"CAUSEWAY_CACHE", "CAUSEWAY_SHARE"}) unsetenv(name);
  }
  std::string put(const std::string& name, const std::string& text = "") {
    const fs::path path = folder_ + "/" + name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }
  static std::string cpu_flags() {
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("flags")) return line + " ";
    }
    return "";
  }
  std::string folder_;
};

TEST_F(PlacesTest, CacheFollowsTheEnvironment) {
  setenv("CAUSEWAY_CACHE", "/c", 1);
  EXPECT_EQ(find_places("/x/causeway").cache, "/c");
  unsetenv("CAUSEWAY_CACHE");
  const char* before = std::getenv("XDG_CACHE_HOME");
  const std::string kept = before ? before : "";
  setenv("XDG_CACHE_HOME", "/xdg", 1);
  EXPECT_EQ(find_places("/x/causeway").cache, "/xdg/causeway");
  unsetenv("XDG_CACHE_HOME");
  EXPECT_TRUE(find_places("/x/causeway").cache.ends_with("/.cache/causeway"));
  if (before) setenv("XDG_CACHE_HOME", kept.c_str(), 1);
}

TEST_F(PlacesTest, ShareIsFoundInASourceTreeAndInstalled) {
  put("tree/third_party/manifest");
  EXPECT_EQ(find_places(put("tree/build/release/causeway")).share, folder_ + "/tree");
  put("usr/share/causeway/third_party/manifest");
  EXPECT_EQ(find_places(put("usr/bin/causeway")).share, folder_ + "/usr/share/causeway");
  EXPECT_EQ(find_places(put("elsewhere/causeway")).share, "");
  setenv("CAUSEWAY_SHARE", "/given", 1);
  EXPECT_EQ(find_places(folder_ + "/elsewhere/causeway").share, "/given");
}

TEST_F(PlacesTest, AListOfModelsThatIsNotFoundIsTold) {
  put("tree/third_party/manifest");
  EXPECT_EQ(catalogue_problem(find_places(put("tree/build/release/causeway"))), "");
  const auto copied = catalogue_problem(find_places(put("elsewhere/bin/causeway")));
  EXPECT_NE(copied.find(folder_ + "/elsewhere/share/causeway, and " + folder_ + "/elsewhere/bin"),
            std::string::npos)
      << copied;
  EXPECT_NE(copied.find("Set CAUSEWAY_SHARE"), std::string::npos) << copied;
  setenv("CAUSEWAY_SHARE", "/given", 1);
  const auto given = catalogue_problem(find_places(folder_ + "/elsewhere/bin/causeway"));
  EXPECT_NE(given.find("looked for in /given."), std::string::npos) << given;
  setenv("CAUSEWAY_SHARE", (folder_ + "/tree").c_str(), 1);
  EXPECT_EQ(catalogue_problem(find_places(folder_ + "/elsewhere/bin/causeway")), "");
}

TEST_F(PlacesTest, ProgramIsTheNamedOneOrTheBuiltOneOrTheInstalledOne) {
  Places places;
  places.cache = folder_ + "/cache";
  places.share = folder_ + "/usr/share/causeway";
  EXPECT_EQ(find_program(places).error().code, "engine_missing");
  const auto executable = [&](const std::string& name) {
    const auto path = put(name);
    fs::permissions(path, fs::perms::owner_all);
    return path;
  };
  const auto installed = executable("usr/lib/causeway/llama-server");
  EXPECT_EQ(find_program(places), installed);
  const auto fast = executable("usr/lib/causeway/avx2/llama-server");
  const bool may_be_fast = cpu_flags().contains(" avx2 ") && cpu_flags().contains(" fma ");
  EXPECT_EQ(find_program(places), may_be_fast ? fast : installed);
  const auto built = executable("cache/engine/cpu-avx2-1/llama-server");
  fs::create_directory_symlink("cpu-avx2-1", folder_ + "/cache/engine/current");
  EXPECT_EQ(find_program(places), built);
  places.program = folder_ + "/mine";
  EXPECT_FALSE(find_program(places));
  const auto mine = executable("mine");
  EXPECT_EQ(find_program(places), mine);
}

TEST_F(PlacesTest, ModelFilesAreFoundByContentAddressOrPath) {
  Places places;
  places.cache = folder_;
  ModelEntry entry;
  entry.name = "m";
  entry.source.artifact = "m";
  entry.source.file_name = "m.gguf";
  entry.source.sha256 = std::string(64, 'a');
  const auto missing = find_model(entry, places);
  EXPECT_EQ(missing.error().code, "model_missing");
  EXPECT_NE(missing.error().message.find("causeway engine pull m"), std::string::npos);
  const auto path = put("files/" + entry.source.sha256 + "/m.gguf", "GGUF...");
  EXPECT_EQ(find_model(entry, places), path);
  places.share = folder_ + "/share";
  EXPECT_EQ(find_model(entry, places), path);
  const auto shipped = put("share/files/" + entry.source.sha256 + "/m.gguf", "GGUF...");
  EXPECT_EQ(find_model(entry, places), shipped);
  ModelEntry fetched;
  fetched.source.url = "https://hub.example/a/b/My%20Model.Q4.gguf?download=true";
  fetched.source.sha256 = "abc";
  EXPECT_EQ(model_path(fetched, places), folder_ + "/files/abc/My_20Model.Q4.gguf");
  fetched.source.url = "https://hub.example/..";
  EXPECT_EQ(model_path(fetched, places), folder_ + "/files/abc/_.");
  ModelEntry own;
  own.source.path = put("own.gguf", "<html>not found</html>");
  EXPECT_EQ(find_model(own, places).error().code, "model_invalid");
  put("own.gguf", "GGUF\x03");
  EXPECT_EQ(find_model(own, places), own.source.path);
}

}  // namespace
}  // namespace causeway::engine
