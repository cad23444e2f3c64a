// A configuration with every kind of value in it, for the tests and the fuzz target.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "platform/base/secret.h"
#include "platform/config/config.h"

namespace causeway::config::test {

using std::chrono::milliseconds;
using std::chrono::seconds;

enum class Zone : std::uint8_t { Internal, External };
inline Names<Zone> names_of(Zone) {
  return {{"internal", Zone::Internal}, {"external", Zone::External}};
}

enum class Action : std::uint8_t { Off, Mask, Block };
inline Names<Action> names_of(Action) {
  return {{"off", Action::Off}, {"mask", Action::Mask}, {"block", Action::Block}};
}

struct Log {
  std::string level = "info";
  double sample = 1.0;
};
struct Server {
  std::string listen = "127.0.0.1:8080";
  milliseconds drain{30'000};
  seconds idle{75};
  Bytes max_body{32 * kMiB};
  std::uint16_t loops = 1;
  bool plain_text = false;
  Log log;
};
struct OpenAi {
  Secret api_key;
  std::string base_url = "https://api.openai.com/v1";
  Zone zone = Zone::External;
  Map<std::string> headers;
};
struct Embedded {
  Zone zone = Zone::Internal;
  std::optional<std::string> file;
};
struct Price {
  Money input, output;
};
struct Model {
  std::vector<Located<std::string>> targets;
  std::optional<Price> price;
};
struct Key {
  std::string name;
  Secret secret;
  std::vector<std::string> models{"*"};
  Position at;
};
struct Timeouts {
  milliseconds first_byte{60'000}, total{600'000};
};
struct Pii {
  Action action = Action::Mask;
  std::vector<std::string> kinds{"email", "phone"};
};
struct Policy {
  std::string name;
  Sections parts;
};
struct App {
  Server server;
  Map<Variant> providers;
  Map<Model> models;
  std::vector<Key> keys;
  std::vector<Policy> policies;
};

inline constexpr Section<Timeouts> kTimeouts{"timeouts"};
inline constexpr Section<Pii> kPii{"pii"};

void describe(Fields& f, Log& c);
void describe(Fields& f, Server& c);
void describe(Fields& f, OpenAi& c);
void describe(Fields& f, Embedded& c);
void describe(Fields& f, Price& c);
void describe(Fields& f, Model& c);
void describe(Fields& f, Key& c);
void describe(Fields& f, Timeouts& c);
void describe(Fields& f, Pii& c);
void describe(Fields& f, Policy& c);
void describe(Fields& f, App& c);

inline void describe(Fields& f, Log& c) {
  f.field("level", c.level, "What is logged.").one_of({"debug", "info", "warn"});
  f.field("sample", c.sample, "Which part of the lines.").range(0.0, 1.0);
}
inline void describe(Fields& f, Server& c) {
  using namespace std::chrono_literals;
  f.field("listen", c.listen, "Where applications connect: address:port.")
      .check(
          [](const std::string& text) -> std::string {
            return text.find(':') == std::string::npos ? "must be address:port" : "";
          },
          ".+:\\d+");
  f.field("drain", c.drain, "How long running requests may go on.").range(0s, 1h);
  f.field("idle", c.idle, "How long a quiet connection is kept.");
  f.field("max_body", c.max_body, "Largest request body.").range(kKiB, kGiB);
  f.field("loops", c.loops, "Event loops | cores.").range(1, 64);
  f.field("plain_text", c.plain_text, "Listen without TLS.");
  f.field("log", c.log, "The log.");
  f.check<Server>(c, [](const Server& s, Position at, Problems& problems) {
    if (s.drain > s.idle) problems.add(at, "server: drain must not be longer than idle");
  });
}
inline void describe(Fields& f, OpenAi& c) {
  f.field("api_key", c.api_key, "The key.").required();
  f.field("base_url", c.base_url, "Where it is.");
  f.field("zone", c.zone, "Whether prompts leave the house.");
  f.field("headers", c.headers, "Sent with each request.");
}
inline void describe(Fields& f, Embedded& c) {
  f.field("zone", c.zone, "Whether prompts leave the house.");
  f.field("file", c.file, "A model file of your own.");
}
inline void describe(Fields& f, Price& c) {
  f.field("input", c.input, "Per million tokens.").required();
  f.field("output", c.output, "Per million tokens.").required();
}
inline void describe(Fields& f, Model& c) {
  f.field("targets", c.targets, "Where requests go.").required().or_single();
  f.field("price", c.price, "What it costs.");
}
inline void describe(Fields& f, Key& c) {
  f.position(c.at);
  f.field("name", c.name, "What it is called.").required();
  f.field("secret", c.secret, "The key itself.");
  f.field("models", c.models, "What it may use.").or_single();
}
inline void describe(Fields& f, Timeouts& c) {
  f.field("first_byte", c.first_byte, "Until the answer begins.");
  f.field("total", c.total, "Until it has ended.");
}
inline void describe(Fields& f, Pii& c) {
  f.word("off", c.action, Action::Off, "Nothing is looked for.");
  f.word("mask", c.action, Action::Mask, "Replaced by a stand-in.");
  f.field("action", c.action, "What is done.");
  f.field("kinds", c.kinds, "What is looked for.");
}
inline void describe(Fields& f, Policy& c) {
  f.field("name", c.name, "What it is called.").required();
  f.sections(c.parts, "policy");
}
inline void describe(Fields& f, App& c) {
  f.field("server", c.server, "The listening side.");
  f.field("providers", c.providers, "Where models are.")
      .names([](const std::string& name) -> std::string {
        return name.find('/') == std::string::npos ? "" : "a name must not hold a slash";
      })
      .of("provider");
  f.field("models", c.models, "The names that applications ask for.");
  f.field("keys", c.keys, "Who may call.");
  f.field("policies", c.policies, "What applies to whom.");
}

inline Schema<App> schema() {
  Registry registry;
  registry.kind<OpenAi>("provider", "openai", "Any server that speaks OpenAI's API.");
  registry.kind<Embedded>("provider", "embedded", "A model that runs here.");
  registry.section("policy", kTimeouts, "How long things may take.");
  registry.section("policy", kPii, "What is done about personal data.");
  return Schema<App>(registry);
}

}  // namespace causeway::config::test
