// The files of the console as they stand in the program: no folder to find when it runs, nothing
// that could be another version than the program.
#pragma once

#include <span>
#include <string_view>

namespace causeway::app {

struct ConsoleFile {
  std::string_view path;  // "index.html", "assets/app-1f2e3d.js"
  std::string_view content_type;
  std::string_view etag;  // of the content, by SHA-256; without quotes
  std::string_view content;
  std::string_view gzip;  // empty where it would be no smaller
};

/// By path. Made by the build from web/console/dist.
std::span<const ConsoleFile> console_files();

}  // namespace causeway::app
