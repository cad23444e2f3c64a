#include "app/config_routes.h"

#include <boost/json.hpp>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "app/line_diff.h"
#include "app/replace_file.h"
#include "app/where.h"
#include "core/error.h"
#include "platform/crypto/hash.h"
#include "platform/crypto/text.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

namespace json = boost::json;

constexpr const char* kNoFile =
    "Causeway runs without a configuration file; write causeway.yaml and start it in that folder, "
    "or with --config FILE";

std::string hash_of(std::string_view content) {
  return crypto::to_hex(crypto::view(crypto::sha256(content)));
}

void write_problem(text::JsonWriter& writer, config::Position at, std::string_view message,
                   bool warning) {
  writer.begin_object().field("line", at.line).field("column", at.column);
  writer.field("severity", warning ? "warning" : "error").field("message", message).end_object();
}

void write_problems(text::JsonWriter& writer, const config::Problems& problems,
                    const ConfigText& hidden, const ConfigText::Restored& restored) {
  writer.key("problems").begin_array();
  for (const auto& problem : problems.sorted()) {
    std::string message = problem.message;
    for (std::size_t i = 0; i < problem.suggestions.size(); ++i) {
      message += (i == 0 ? "; did you mean \"" : " or \"") + problem.suggestions[i] + '"';
    }
    write_problem(writer, restored.shown_at(problem.at), hidden.scrub(std::move(message)),
                  problem.severity == config::Severity::Warning);
  }
  writer.end_array();
}

// "causeway.yaml:12:7: message" as the reader's lines are; another line has no place.
void write_lines(text::JsonWriter& writer, std::string_view lines, std::string_view path) {
  writer.key("problems").begin_array();
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    auto line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (line.empty()) continue;
    std::uint32_t place[2] = {0, 0};
    if (line.starts_with(path) && line.substr(path.size()).starts_with(':')) {
      line.remove_prefix(path.size() + 1);
      for (std::uint32_t& number : place) {
        while (!line.empty() && std::isdigit(static_cast<unsigned char>(line[0]))) {
          number = number * 10 + static_cast<std::uint32_t>(line[0] - '0');
          line.remove_prefix(1);
        }
        if (line.starts_with(':')) line.remove_prefix(1);
      }
      while (line.starts_with(' ')) line.remove_prefix(1);
    }
    write_problem(writer, {place[0], place[1]}, line, line.starts_with("warning"));
  }
  writer.end_array();
}

struct Flag {
  explicit Flag(bool& value) : value_(value) { value_ = true; }
  ~Flag() { value_ = false; }
  bool& value_;
};

}  // namespace

Result<std::string> read_config_file(const std::string& path) {
  if (path.empty()) return fail(ErrorKind::Conflict, Origin::Us, kNoFile, "no_config");
  if (auto readable = check_readable(path); !readable) return pass(std::move(readable));
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) {  // a pipe would be waited for
    return fail(ErrorKind::InvalidRequest, Origin::Us, "the configuration is not a file",
                "no_config");
  }
  std::ifstream file(path, std::ios::binary);
  std::string content(config::kMaxFileBytes + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(file.gcount()));
  if (content.size() > config::kMaxFileBytes) {
    return fail(ErrorKind::TooLarge, Origin::Us, "the configuration file is larger than 1 MiB");
  }
  return content;
}

struct ConfigRoutes::Edit {
  std::string before;  // the file as it is
  ConfigText hidden;
  std::string edited;
  ConfigText::Restored restored;
};

std::vector<AdminRoute> ConfigRoutes::routes() {
  using http::Method;
  const auto now = [](AdminReply reply) -> Task<AdminReply> { co_return reply; };
  return {{Method::Get, "/api/config", "The configuration file, without its secrets.", false,
           [this, now](AdminRequest request) { return now(show(request)); }},
          {Method::Post, "/api/config/check",
           "What is wrong with a text in the place of the configuration file, and what differs.",
           true, [this, now](AdminRequest request) { return now(check(request)); }},
          {Method::Put, "/api/config",
           "Replaces the configuration file and loads it; 422 with every problem.", true,
           [this](AdminRequest request) { return put(std::move(request)); }}};
}

std::string ConfigRoutes::why_not() const {
  return parts_.path.empty() ? kNoFile : why_not_replaced(parts_.path);
}

AdminReply ConfigRoutes::show(const AdminRequest& request) const {
  std::string why = request.full ? why_not() : "this key may only read";
  std::string shown, hash;
  if (const auto content = read_config_file(parts_.path)) {
    hash = hash_of(*content);
    if (auto hidden = ConfigText::hide(*content, parts_.find)) {
      shown = hidden->shown();
    } else {
      why = hidden.error().message;
    }
  } else if (why.empty()) {
    why = content.error().message;
  }
  AdminReply reply;
  text::JsonWriter writer(reply.body);
  writer.begin_object().field("path", parts_.path.empty() ? "" : shown_path(parts_.path));
  writer.field("editable", why.empty()).field("why_not", why).field("sha256", hash);
  writer.field("version", parts_.version()).field("text", shown);
  write_lines(writer, parts_.problems(), parts_.path);
  writer.end_object();
  return reply;
}

Result<ConfigRoutes::Edit> ConfigRoutes::read_edit(const AdminRequest& request) const {
  boost::system::error_code bad;
  auto value = json::parse(request.body, bad);
  const auto* object = bad ? nullptr : value.if_object();
  const auto* edited = object ? object->if_contains("text") : nullptr;
  const auto* hash = object ? object->if_contains("sha256") : nullptr;
  if (!edited || !edited->is_string() || !hash || !hash->is_string()) {
    return fail(ErrorKind::InvalidRequest, Origin::Client,
                R"(The body must be {"text": "…", "sha256": "of the file that was edited"}.)");
  }
  auto before = read_config_file(parts_.path);
  if (!before) return pass(std::move(before));
  if (hash_of(*before) != std::string_view(hash->as_string())) {
    return fail(ErrorKind::Conflict, Origin::Client,
                "The file has been changed meanwhile; read it again, and make the change there.",
                "config_changed");
  }
  auto hidden = ConfigText::hide(*before, parts_.find);
  if (!hidden) return pass(std::move(hidden));
  auto restored = hidden->restore(edited->as_string());
  if (!restored) return pass(std::move(restored));
  if (auto in_place = ConfigText::check_places(*restored, parts_.find); !in_place) {
    return pass(std::move(in_place));
  }
  return Edit{std::move(*before), std::move(*hidden), std::string(edited->as_string()),
              std::move(*restored)};
}

AdminReply ConfigRoutes::check(const AdminRequest& request) const {
  const auto edit = read_edit(request);
  if (!edit) return admin_error(edit.error());
  const auto checked = parts_.check(edit->restored.text);
  AdminReply reply;
  text::JsonWriter writer(reply.body);
  writer.begin_object();
  write_problems(writer, checked.problems, edit->hidden, edit->restored);
  const auto after = without_new_secrets(edit->edited, parts_.find);
  writer.field("diff", after ? unified_diff(edit->hidden.shown(), *after, parts_.path) : "");
  writer.key("restart_needed").begin_array();
  for (const auto& name : checked.restart_needed) writer.string(name);
  writer.end_array().end_object();
  return reply;
}

// On a worker: the disk is waited for. The file is looked at once more, right before.
Task<Result<void>> ConfigRoutes::write(std::string content, std::string expected, When when) {
  auto job = [this, path = parts_.path, text = std::move(content), before = std::move(expected),
              when]() -> Result<void> {
    // It would not be loaded any more.
    if (when == When::Running && parts_.ending()) {
      return fail(ErrorKind::Unavailable, Origin::Us, "Causeway is shutting down.",
                  "shutting_down");
    }
    const auto now = read_config_file(path);
    if (!now || *now != before) {
      return fail(ErrorKind::Conflict, Origin::Client, "The file has been changed meanwhile.",
                  "config_changed");
    }
    return replace_file(path, text);
  };
  auto task = offload(parts_.workers, parts_.post, std::move(job));
  co_return co_await std::move(task);
}

Task<AdminReply> ConfigRoutes::put(AdminRequest request) {
  auto edit = read_edit(request);
  if (!edit) co_return admin_error(edit.error());
  Error refused;
  refused.kind = ErrorKind::Conflict;
  if (writing_) {
    refused.code = "config_changed";
    refused.message = "The file is being changed by somebody else.";
    co_return admin_error(refused);
  }
  if (auto why = why_not(); !why.empty()) {
    refused.code = "config_not_editable";
    refused.message = "The configuration cannot be changed here: " + why + ".";
    co_return admin_error(refused);
  }
  const auto checked = parts_.check(edit->restored.text);
  AdminReply reply;
  text::JsonWriter writer(reply.body);
  if (!checked.problems.ok()) {
    reply.status = 422;
    writer.begin_object().key("error").begin_object().field("code", "bad_config");
    writer.field("message", "The configuration has problems; nothing was written.").end_object();
    write_problems(writer, checked.problems, edit->hidden, edit->restored);
    writer.end_object();
    co_return reply;
  }
  const Flag flag(writing_);
  auto writing = write(edit->restored.text, edit->before, When::Running);
  if (auto written = co_await std::move(writing); !written) co_return admin_error(written.error());
  auto reloading = parts_.reload();
  auto loaded = co_await std::move(reloading);
  if (!loaded) {
    // What was right a moment ago is not: a secret's file, the shutdown. The old file comes back.
    auto undoing = write(edit->before, edit->restored.text, When::Always);
    auto undone = co_await std::move(undoing);
    if (!undone) loaded.error().message += "; " + undone.error().message;
    loaded.error().message = edit->hidden.scrub(loaded.error().message);
    co_return admin_error(loaded.error());
  }
  parts_.changed(request.actor);
  writer.begin_object().field("version", parts_.version());
  writer.field("sha256", hash_of(edit->restored.text));
  if (!loaded->keys_pending.empty()) writer.field("keys_pending", loaded->keys_pending);
  writer.end_object();
  co_return reply;
}

}  // namespace causeway::app
