// What a start says to the person who typed it: where it listens, the keys that were made, and a
// command to try it with, which works as it stands.
#include <unistd.h>

#include <algorithm>

#include "app/features.h"
#include "app/program.h"
#include "app/upstreams.h"
#include "app/where.h"
#include "core/provider.h"
#include "engine/places.h"
#include "platform/http/client.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

void say(const std::string& line) {
  const std::string text = line + "\n";
  for (std::size_t at = 0; at < text.size();) {
    const auto put = write(STDERR_FILENO, text.data() + at, text.size() - at);
    if (put <= 0) return;
    at += static_cast<std::size_t>(put);
  }
}

std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) c == '\'' ? out += "'\\''" : out += c;
  return out + "'";
}

bool does_chat(const Model& model) {
  return any_target(model, [](const Target& target) {
    return target.provider->serves(OperationKind::Chat, target.upstream_model);
  });
}

// A model that answers a chat, as far as that is known at the start; empty when none is.
std::string model_to_try(const AppConfig& config, const Snapshot& snapshot) {
  for (const auto& name : config.models.names()) {
    const auto found = snapshot.models.find(name);
    if (found != snapshot.models.end() && does_chat(found->second)) return name;
  }
  for (const auto& provider : config.providers) {
    if (provider.value.kind() == "embedded") return provider.name + "/default";
  }
  return {};
}

std::string command_to_try(const std::string& base_url, const std::string& model,
                           std::string_view key) {
  const std::string authorization =
      " -H " + shell_quoted("Authorization: Bearer " + std::string(key));
  if (model.empty()) return "curl " + base_url + "/models" + authorization;
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().field("model", model).key("messages").begin_array().begin_object();
  json.field("role", "user").field("content", "What is the capital of France?").end_object();
  json.end_array().end_object();
  return "curl " + base_url + "/chat/completions" + authorization +
         " -H 'Content-Type: application/json' -d " + shell_quoted(body);
}

}  // namespace

void Program::greet() {
  const std::string base_url = "http://" + listen_text() + "/v1";
  say("causeway is ready.");
  say("  applications  " + base_url);
  say("  operators     http://" + admin_text());
  say("  data          " + shown_path(folder_->path().string()));
  say("  config        " + (options_.config_path.empty()
                                ? "no causeway.yaml here: what this machine offers"
                                : shown_path(options_.config_path)));
  if (access_log_) say("  access log    " + access_target());
  for (const auto& provider : config_.providers) {
    if (provider.value.kind() == "embedded") {
      say("  provider      " + provider.name + ": models that Causeway runs itself (" +
          provider.name + "/default)");
      const auto program = engine::find_program(engine::find_places(executable_path()));
      if (!program) say("  engine        " + program.error().message);
      if (const auto why = engine_->no_catalogue(); !why.empty()) say("  models        " + why);
    } else if (const UpstreamConfig* upstream = upstream_of(provider.value)) {
      std::string path;
      const auto endpoint = http::parse_url(upstream->base_url, path);
      say("  provider      " + provider.name + ": " + std::string(api_of(provider.value)) +
          (endpoint ? " at " + endpoint->host + ":" + std::to_string(endpoint->port) : ""));
    }
  }
  for (const auto& line : found_servers_) say("  found         " + line);
  greet_with_keys(base_url);
}

// The next start makes none: what this one made would be known to nobody.
void Program::tell_made_keys() {
  const auto made = std::exchange(first_keys_, {});
  if (made.empty()) return;
  say("Keys were made before that. They are shown this once, and work from the next start on:");
  for (const auto& key : made) {
    const bool admin = key.record->kind != keys::KeyKind::Application;
    say((admin ? "  admin key     " : "  key           ") + std::string(key.text.reveal()));
  }
}

// Without an application key there is nothing to try: its secret is known to nobody but its owner.
void Program::greet_with_keys(const std::string& base_url) {
  const auto made = std::exchange(first_keys_, {});
  if (made.empty()) return;
  std::string command;
  for (const auto& key : made) {
    const bool admin = key.record->kind != keys::KeyKind::Application;
    say((admin ? "  admin key     " : "  key           ") + std::string(key.text.reveal()));
    if (admin) continue;
    command = command_to_try(base_url, model_to_try(config_, *latest_snapshot_), key.text.reveal());
  }
  say(std::string(made.size() > 1 ? "  Both keys are" : "  This key is") +
      " shown this once. More: causeway keys create --name NAME");
  say("");
  if (command.empty()) return;
  say("Try it:");
  say("  " + command);
  say("");
}

}  // namespace causeway::app
