#include "app/console_routes.h"

#include <algorithm>

#include "platform/text/ascii.h"

namespace causeway::app {
namespace {

constexpr std::string_view kPage = "index.html";
constexpr std::string_view kAssets = "assets/";
constexpr std::size_t kHashInNames = 8;  // at least

// Nothing from elsewhere, nothing inline, no frame around it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src "
    "'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

// Whether one of the words of a list ("gzip, br;q=0.5") is this one and not refused by q=0.
bool lists(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    auto item = list.substr(0, end);
    list.remove_prefix(std::min(end + 1, list.size()));
    const auto semicolon = std::min(item.find(';'), item.size());
    auto weight = text::trim(item.substr(std::min(semicolon + 1, item.size())));
    if (!http::same_name(text::trim(item.substr(0, semicolon)), word)) continue;
    if (!weight.starts_with("q=0")) return true;
    return weight.substr(3).find_first_of("123456789") != weight.npos;
  }
  return false;
}

bool knows(const AdminRequest& request, std::string_view etag) {
  auto known = request.head ? request.head->find("if-none-match").value_or("") : "";
  while (!known.empty()) {
    const auto end = std::min(known.find(','), known.size());
    auto tag = text::trim(known.substr(0, end));
    known.remove_prefix(std::min(end + 1, known.size()));
    if (tag.starts_with("W/")) tag.remove_prefix(2);
    if (tag == "*" || tag == etag) return true;
  }
  return false;
}

AdminReply reply_of(const ConsoleFile& file, const AdminRequest& request) {
  AdminReply reply;
  reply.content_type = file.content_type;
  // What is named by the hash of its content never changes.
  const bool named = file.path.find(file.etag.substr(0, kHashInNames)) != file.path.npos;
  reply.fields = {
      {"cache-control", named ? "public, max-age=31536000, immutable" : "no-cache"},
      {"content-security-policy", kPolicy},
      {"x-frame-options", "DENY"},
      {"referrer-policy", "no-referrer"},
      {"cross-origin-opener-policy", "same-origin"},
      {"vary", "accept-encoding"},
  };
  const bool zipped = !file.gzip.empty() && request.head &&
                      lists(request.head->find("accept-encoding").value_or(""), "gzip");
  const std::string etag = '"' + std::string(file.etag) + (zipped ? "-gzip" : "") + '"';
  reply.fields.emplace_back("etag", etag);
  if (knows(request, etag)) {
    reply.status = 304;
    return reply;
  }
  if (zipped) reply.fields.emplace_back("content-encoding", "gzip");
  reply.body = zipped ? file.gzip : file.content;
  return reply;
}

Task<AdminReply> serve(const ConsoleFile& file, AdminRequest request) {
  co_return reply_of(file, request);
}

Task<AdminReply> serve_asset(std::span<const ConsoleFile> files, AdminRequest request) {
  const std::string path = std::string(kAssets) + request.params.at("name");
  const auto found = std::ranges::find(files, path, &ConsoleFile::path);
  if (found != files.end()) co_return reply_of(*found, request);
  Error error;
  error.kind = ErrorKind::NotFound;
  error.origin = Origin::Client;
  error.message = "The console has no such file; the page may be of another version: reload it.";
  co_return admin_error(error);
}

}  // namespace

std::vector<AdminRoute> console_routes(std::span<const ConsoleFile> files) {
  std::vector<AdminRoute> routes;
  const auto add = [&](std::string path, std::string summary, auto handle) {
    routes.push_back(
        {http::Method::Get, std::move(path), std::move(summary), false, std::move(handle), true});
  };
  for (const ConsoleFile& file : files) {
    if (file.path.starts_with(kAssets)) continue;
    const bool page = file.path == kPage;
    add(page ? "/" : "/" + std::string(file.path),
        page ? "The console's page." : "A file of the console.",
        [&file](AdminRequest request) { return serve(file, std::move(request)); });
  }
  add("/assets/{name}", "Scripts, styles and pictures of the console.",
      [files](AdminRequest request) { return serve_asset(files, std::move(request)); });
  return routes;
}

}  // namespace causeway::app
