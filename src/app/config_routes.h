// The configuration file over the admin port: shown without its secrets, checked with a comparison,
// and replaced after everything in it has been looked at. Loading it is the program's.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/config_text.h"
#include "core/admin.h"
#include "platform/base/worker.h"
#include "platform/config/problems.h"

namespace causeway::app {

/// What a text would come to in the place of the file.
struct CheckedConfig {
  config::Problems problems;
  std::vector<std::string> restart_needed;
};

/// What came of a reload that was not refused.
struct Loaded {
  std::string keys_pending;  // why the file's keys are not in force yet; "" = they are
};

/// All of the file. Errors: none is there, it cannot be read, it is too large.
Result<std::string> read_config_file(const std::string& path);

class ConfigRoutes {
 public:
  struct Parts {
    std::string path;  // empty: there is no file
    FindConfidential find;
    std::function<CheckedConfig(const std::string& text)> check;
    std::function<Task<Result<Loaded>>()> reload;
    std::function<std::uint64_t()> version;                 // of the configuration in force
    std::function<std::string()> problems;                  // of the last reload, a line each
    std::function<void(const std::string& actor)> changed;  // for the log
    std::function<bool()> ending;                           // from any thread
    WorkerGroup& workers;
    std::function<void(std::move_only_function<void()>)> post;
  };

  explicit ConfigRoutes(Parts parts) : parts_(std::move(parts)) {}

  std::vector<AdminRoute> routes();
  /// Whether a new file is being put in place, which is loaded as soon as it is there.
  bool writing() const { return writing_; }

 private:
  struct Edit;  // what a request wants, on the file as it is
  Result<Edit> read_edit(const AdminRequest& request) const;
  std::string why_not() const;
  AdminReply show(const AdminRequest& request) const;
  AdminReply check(const AdminRequest& request) const;
  Task<AdminReply> put(AdminRequest request);
  enum class When : std::uint8_t { Running, Always };  // Running: not when the program ends
  Task<Result<void>> write(std::string content, std::string expected, When when);

  Parts parts_;
  bool writing_ = false;
};

}  // namespace causeway::app
