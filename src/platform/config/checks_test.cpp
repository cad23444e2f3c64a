#include "platform/config/checks.h"

#include <gtest/gtest.h>

namespace causeway::config {
namespace {

TEST(Checks, Names) {
  for (const char* good : {"a", "gpt-4.1", "A_b", "0", "llama3.2"}) {
    EXPECT_EQ(check_name(good), "") << good;
  }
  for (const std::string bad : {"", "-a", ".a", "a/b", "a b", "\xc3\xa9"}) {
    EXPECT_NE(check_name(bad), "") << bad;
  }
  EXPECT_EQ(check_name(std::string(64, 'a')), "");
  EXPECT_NE(check_name(std::string(65, 'a')), "");
}

TEST(Checks, Addresses) {
  for (const char* good : {"127.0.0.1:8080", "localhost:0", "[::1]:65535", "a-b.example:1"}) {
    EXPECT_EQ(check_address(good), "") << good;
  }
  for (const char* bad : {"", "8080", ":8080", "a:", "a:65536", "a:-1", "::1:80", "[]:80", "a b:1",
                          "http://a:1", "a:1 "}) {
    EXPECT_NE(check_address(bad), "") << bad;
  }
}

TEST(Checks, Urls) {
  for (const char* good : {"https://api.openai.com/v1", "http://10.0.0.7:8000/v1", "http://[::1]",
                           "http://[::1]:80/", "https://a?b=c@d"}) {
    EXPECT_EQ(check_url(good), "") << good;
  }
  for (const char* bad : {"", "api.openai.com", "ftp://a", "https://", "https:///v1", "http://a b",
                          "http://u:p@a", "http://a:99999", "http://a:", "http://:80"}) {
    EXPECT_NE(check_url(bad), "") << bad;
  }
}

}  // namespace
}  // namespace causeway::config
