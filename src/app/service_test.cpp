#include "app/service.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace causeway::app {
namespace {

// What the installed program does is shown by tests/package; this is another one.
TEST(Service, WordsOfAnotherProgramStayAsTheyAreAndEndWithANull) {
  std::vector<std::string> texts = {"causeway", "exec-child", "--", "/bin/true"};
  std::vector<char*> given;
  for (auto& text : texts) given.push_back(text.data());
  for (const std::size_t count : {std::size_t{1}, given.size()}) {
    const auto words = mean_the_service(std::span(given).first(count));
    ASSERT_EQ(words.size(), count + 1);
    EXPECT_EQ(words[count], nullptr);
    for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(words[i], given[i]);
  }
}

}  // namespace
}  // namespace causeway::app
