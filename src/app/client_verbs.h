// Verbs of app/ that talk to a running gateway.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "app/where.h"
#include "core/admin.h"

namespace CLI {
class App;
}

namespace causeway::app {

/// -1: parsed; otherwise the exit code (0 after --help, 2 for wrong use), all said.
int parse_arguments(CLI::App& app, std::span<const std::string> args);

int chat_verb(std::span<const std::string> args, const Where& where);

/// models, engine, status, store, config, providers.
std::vector<Verb> client_verbs();
int engine_verb(std::span<const std::string> args, AdminClient& admin);
int config_verb(std::span<const std::string> args, AdminClient& admin);
int providers_verb(std::span<const std::string> args, AdminClient& admin);

/// The reply's JSON object, or after having said what is wrong nothing.
std::optional<boost::json::object> parsed(const Result<AdminReply>& reply);
/// A value of a reply as people read it: "-" for nothing, lists with commas.
std::string text_of(const boost::json::object& object, std::string_view name);

}  // namespace causeway::app
