// For tests: a folder of their own that goes away with them.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

#include "platform/store/folder.h"

namespace causeway::store {

struct TestFolder {
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "causeway-test-XXXXXX").string();
    if (!::mkdtemp(name.data())) std::abort();
    path = name;
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  DataFolder folder() const { return DataFolder::open(path).value(); }

  std::filesystem::path path;
};

}  // namespace causeway::store
