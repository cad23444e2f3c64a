// Forms in one piece, cut at every place, and byte by byte: always the same parts or the same
// refusal.
#include "platform/http/multipart.h"

#include <gtest/gtest.h>

#include <optional>

namespace causeway::http {
namespace {

using Parts = std::vector<FormPart>;

// Nothing: refused.
std::optional<Parts> read_in(std::string_view body, std::size_t first, std::size_t step) {
  MultipartReader reader("b");
  std::size_t size = first;
  for (std::size_t at = 0; at < body.size(); at += size, size = step) {
    if (at > 0) size = step;
    if (!reader.feed(body.substr(at, size))) return std::nullopt;
  }
  if (!reader.finish()) return std::nullopt;
  return reader.parts();
}

std::optional<Parts> read(const std::string& body) {
  const auto whole = read_in(body, body.size(), 1);
  const auto same = [&](const std::optional<Parts>& other) {
    if (whole.has_value() != other.has_value()) return false;
    if (!whole) return true;
    return std::equal(whole->begin(), whole->end(), other->begin(), other->end(),
                      [](const FormPart& a, const FormPart& b) {
                        return a.name == b.name && a.value == b.value && a.begin == b.begin &&
                               a.end == b.end && a.is_file == b.is_file;
                      });
  };
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    EXPECT_TRUE(same(read_in(body, cut, body.size()))) << "cut at " << cut;
  }
  EXPECT_TRUE(same(read_in(body, 1, 1)));
  return whole;
}

std::string part(const std::string& parameters, const std::string& content) {
  return "--b\r\nContent-Disposition: form-data; " + parameters + "\r\n\r\n" + content + "\r\n";
}

TEST(Multipart, TellsWherePartsStandAndWhatShortFieldsSay) {
  const std::string sound("\r\n--\r\r\n-\0\r\n--a\r", 15);
  const std::string body = part(R"(name="file"; filename="x")", sound) + part("name=model", "m") +
                           part(R"(name="empty")", "") + "--b--\r\n";
  const auto parts = read(body);
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 3u);
  const auto content = [&](std::size_t i) {
    return body.substr((*parts)[i].begin, (*parts)[i].end - (*parts)[i].begin);
  };
  EXPECT_TRUE((*parts)[0].is_file);
  EXPECT_EQ(content(0), sound);
  EXPECT_EQ((*parts)[0].value, "");
  EXPECT_EQ((*parts)[1].name, "model");
  EXPECT_EQ((*parts)[1].value, "m");
  EXPECT_EQ(content(1), "m");
  EXPECT_EQ(content(2), "");
}

TEST(Multipart, AValueIsWholeWhateverItHas) {
  for (const std::string value :
       {"\r", "\r\n", "\r\n-", "\r\n--", "\r\r\n--\r\n--a", "--b", "--b--"}) {
    const auto parts = read(part(R"(name="x")", value) + "--b--");
    ASSERT_TRUE(parts) << value;
    EXPECT_EQ((*parts)[0].value, value);
  }
  const auto parts = read_in(part(R"(name="x")", std::string(5000, 'v')) + "--b--", 6000, 1);
  ASSERT_TRUE(parts);
  EXPECT_EQ((*parts)[0].value.size(), MultipartReader::kMostValue + 1) << "too long, and told so";
}

TEST(Multipart, RefusesWhatTwoReadersCouldTakeForDifferentForms) {
  const std::string fine = part(R"(name="x")", "1");
  const std::vector<std::string> bad = {
      "",
      "--b",
      "--b--x",
      fine,
      fine + "--b",
      fine + "--b-",
      fine + "--b--\r",
      fine + "--b--\n",
      fine + "--b--\r\nx",
      " " + fine + "--b--",
      "\r\n" + fine + "--b--",
      fine + "--b \r\n",
      part(R"(name="x")", "\r\n--bb") + "--b--",
      part(R"(name="x\"y")", "") + "--b--",
      part(R"(name="x\y")", "") + "--b--",
      part(R"(name="x"; filename="a\"; x="b")", "") + "--b--",
      part(R"(name="x"; Name="y")", "") + "--b--",
      part(R"(filename="x")", "") + "--b--",
      part(R"(name="")", "") + "--b--",
      part(R"(name="x" y)", "") + "--b--",
      part(R"(name="x)", "") + "--b--",
      part(R"(name*=utf-8''x)", "") + "--b--",
      "--b\r\nContent-Disposition: attachment; name=x\r\n\r\n\r\n--b--",
      "--b\r\nContent-Disposition : form-data; name=x\r\n\r\n\r\n--b--",
      "--b\r\nContent-Disposition: form-data;\r\n name=x\r\n\r\n\r\n--b--",
      "--b\r\nContent-Disposition: form-data; name=x\n\r\n\r\n\r\n--b--",
      "--b\r\nContent-Type: a/b\r\n\r\n\r\n--b--",
      "--b\r\n\r\n\r\n--b--"};
  for (const auto& body : bad) EXPECT_FALSE(read(body)) << body;
}

TEST(Multipart, HasLimits) {
  const auto parts = [](std::size_t count) {
    std::string body;
    for (std::size_t i = 0; i < count; ++i) body += part("name=x", "");
    return body + "--b--";
  };
  EXPECT_TRUE(read_in(parts(MultipartReader::kMostParts), 100, 100));
  EXPECT_FALSE(read_in(parts(MultipartReader::kMostParts + 1), 100, 100));
  const std::string bomb = "--b\r\nX: " + std::string(MultipartReader::kMostHeaderBytes, 'a');
  EXPECT_FALSE(
      read_in(bomb + "\r\nContent-Disposition: form-data; name=x\r\n\r\n\r\n--b--", 99, 99));
}

TEST(Multipart, ReadsTheBoundary) {
  EXPECT_EQ(boundary_of("multipart/form-data; boundary=a-b").value(), "a-b");
  EXPECT_EQ(boundary_of("Multipart/Form-Data;charset=x;BOUNDARY=\"a b\"").value(), "a b");
  EXPECT_EQ(boundary_of("application/json").error().kind, ErrorKind::UnsupportedMedia);
  for (const char* bad :
       {"", "=", "=\"\"", "=\"a\r\"", "=\"a ", "=\"a \"", "=a; boundary=a", "=a\"b"}) {
    EXPECT_FALSE(boundary_of(std::string("multipart/form-data; boundary") + bad)) << bad;
  }
  EXPECT_FALSE(boundary_of("multipart/form-data; boundary=" + std::string(71, 'a')));
}

}  // namespace
}  // namespace causeway::http
