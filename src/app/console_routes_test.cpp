#include "app/console_routes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace causeway::app {
namespace {

constexpr ConsoleFile kFiles[] = {
    {"assets/app-0123abcd.js", "text/javascript", "0123abcdef", "script", "zip"},
    {"assets/dot.png", "image/png", "bb", "picture", {}},
    {"favicon.svg", "image/svg+xml", "cc", "<svg/>", {}},
    {"index.html", "text/html", "dd", "page", "pagezip"},
};

Task<void> keep(Task<AdminReply> task, AdminReply& out) { out = co_await std::move(task); }

AdminReply get(const std::string& path, std::vector<http::Field> fields = {}) {
  http::RequestHead head;
  head.fields = fields;
  for (const AdminRoute& route : console_routes(kFiles)) {
    AdminRequest request;
    request.head = &head;
    if (route.path == "/assets/{name}" && path.starts_with("/assets/")) {
      request.params["name"] = path.substr(8);
    } else if (route.path != path) {
      continue;
    }
    EXPECT_TRUE(route.open && !route.changes);
    AdminReply reply;
    spawn(keep(route.handle(std::move(request)), reply));
    return reply;
  }
  AdminReply none;
  none.status = 0;
  return none;
}

std::string field(const AdminReply& reply, std::string_view name) {
  for (const auto& [key, value] : reply.fields) {
    if (key == name) return value;
  }
  return "";
}

TEST(ConsoleRoutes, PageAssetsAndIcons) {
  const auto page = get("/");
  EXPECT_EQ(page.body, "page");
  EXPECT_EQ(page.content_type, "text/html");
  EXPECT_EQ(field(page, "cache-control"), "no-cache");
  EXPECT_TRUE(field(page, "content-security-policy").starts_with("default-src 'none'; "));
  EXPECT_EQ(get("/favicon.svg").body, "<svg/>");
  EXPECT_EQ(field(get("/assets/app-0123abcd.js"), "cache-control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(field(get("/assets/dot.png"), "cache-control"), "no-cache");
  EXPECT_EQ(get("/assets/app-2.js").status, 404);
  EXPECT_EQ(get("/index.html").status, 0);
}

TEST(ConsoleRoutes, GzipWhereItIsTakenAndThere) {
  for (const char* taken : {"gzip", "br, GZIP;q=0.5", "gzip ;q=1"}) {
    const auto reply = get("/", {{"Accept-Encoding", taken}});
    EXPECT_EQ(reply.body, "pagezip") << taken;
    EXPECT_EQ(field(reply, "content-encoding"), "gzip") << taken;
    EXPECT_EQ(field(reply, "etag"), "\"dd-gzip\"") << taken;
  }
  for (const char* refused : {"", "br", "gzip;q=0", "xgzip", "gzip;q=0.000"}) {
    EXPECT_EQ(get("/", {{"Accept-Encoding", refused}}).body, "page") << refused;
  }
  EXPECT_EQ(get("/assets/dot.png", {{"accept-encoding", "gzip"}}).body, "picture");
}

TEST(ConsoleRoutes, WhatTheBrowserHasIsNotSentAgain) {
  for (const char* known : {"\"dd\"", "\"x\", W/\"dd\"", "*"}) {
    const auto reply = get("/", {{"if-none-match", known}});
    EXPECT_EQ(reply.status, 304) << known;
    EXPECT_EQ(reply.body, "");
    EXPECT_EQ(field(reply, "etag"), "\"dd\"");
  }
  EXPECT_EQ(get("/", {{"if-none-match", "\"dd-gzip\""}}).status, 200);
  EXPECT_EQ(get("/", {{"if-none-match", "\"dd\""}, {"accept-encoding", "gzip"}}).status, 200);
}

TEST(ConsoleRoutes, TheProgramHasItsPage) {
  const auto files = console_files();
  const auto page = std::ranges::find(files, "index.html", &ConsoleFile::path);
  ASSERT_NE(page, files.end());
  EXPECT_NE(page->content.find("<html"), std::string_view::npos);
  EXPECT_TRUE(page->content_type.starts_with("text/html"));
}

}  // namespace
}  // namespace causeway::app
