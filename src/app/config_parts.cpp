// What the routes of the configuration file need of the program.
#include "app/features.h"
#include "app/program.h"
#include "app/restart_needed.h"
#include "app/where.h"

namespace causeway::app {

// As load_again() looks at the file, without touching what runs.
CheckedConfig Program::check_text(const std::string& text) const {
  CheckedConfig checked{config::Problems(options_.config_path), {}};
  config::Sources sources;
  const auto slash = options_.config_path.rfind('/');
  if (slash != std::string::npos) {
    sources.folder = slash == 0 ? "/" : options_.config_path.substr(0, slash);
  }
  if (is_blank(text)) checked.problems.add({}, "there is nothing in it");
  AppConfig config = vocabulary_.schema->read(text, checked.problems, sources);
  take_options(config);
  check_parts(vocabulary_, config, environment_, checked.problems);
  auto models = embedded_models(config, engine::find_places(executable_path()));
  if (!models) checked.problems.add({}, models.error().message);
  checked.restart_needed = restart_needed(config_, config);
  return checked;
}

ConfigRoutes::Parts Program::config_parts() {
  const auto find = [this](std::string_view text) {
    return vocabulary_.schema->confidential(text);
  };
  return {
      .path = options_.config_path,
      .find = find,
      .check = [this](const std::string& text) { return check_text(text); },
      .reload = [this] { return reload(); },
      .version = [this] { return config_version_; },
      .problems = [this] { return reload_problem_; },
      .changed =
          [this](const std::string& actor) {
            log_->info("the configuration file was changed over the admin port", {{"key", actor}});
          },
      .ending = [this] { return gate_.draining.load(); },
      .workers = *workers_,
      .post = [this](std::move_only_function<void()> action) { control_.post(std::move(action)); },
  };
}

}  // namespace causeway::app
