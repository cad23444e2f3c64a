// `causeway keys …`: words on the command line become calls of the admin routes.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "core/ask_admin.h"
#include "core/verb_output.h"
#include "features/access/keys/feature.h"
#include "platform/text/json_writer.h"

namespace causeway::keys {
namespace {

namespace bj = boost::json;

std::string text_of(const bj::value& object, bj::string_view name) {
  const bj::value* value = object.as_object().if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::string joined(const bj::value& object, bj::string_view name) {
  std::string out;
  const bj::value* list = object.as_object().if_contains(name);
  if (!list || !list->is_array()) return out;
  for (const bj::value& entry : list->as_array()) {
    if (!out.empty()) out += ',';
    out += std::string(entry.as_string());
  }
  return out;
}

struct CreateWords {
  std::string name, tenant, user, kind, expires_in, expires;
  std::vector<std::string> models, roles, attributes;
};

void write_list(text::JsonWriter& json, text::JsonKey key, const std::vector<std::string>& list) {
  if (list.empty()) return;
  json.key(key).begin_array();
  for (const std::string& entry : list) json.string(entry);
  json.end_array();
}

std::string body_of(const CreateWords& words) {
  std::string body;
  text::JsonWriter json(body);
  json.begin_object().field("name", words.name);
  if (!words.tenant.empty()) json.field("tenant", words.tenant);
  if (!words.user.empty()) json.field("user", words.user);
  if (!words.kind.empty()) json.field("kind", words.kind);
  if (!words.expires_in.empty()) json.field("expires_in", words.expires_in);
  if (!words.expires.empty()) json.field("expires", words.expires);
  write_list(json, "models", words.models);
  write_list(json, "roles", words.roles);
  if (!words.attributes.empty()) {
    json.key("attributes").begin_object();
    for (const std::string& pair : words.attributes) {
      const auto equals = std::min(pair.find('='), pair.size());
      json.field(pair.substr(0, equals), pair.substr(std::min(equals + 1, pair.size())));
    }
    json.end_object();
  }
  json.end_object();
  return body;
}

void print_made(const bj::value& object) {
  std::printf("Key \"%s\" (%s), shown this once:\n\n  %s\n\n", text_of(object, "name").c_str(),
              text_of(object, "id").c_str(), text_of(object, "key").c_str());
}

std::string time_of(const bj::value& key, bj::string_view name) {
  const std::string time = text_of(key, name);
  return time.empty() ? "never" : time;
}

// Our own verbs' keys belong to nobody: they are shown to those who ask for all.
void print_list(const bj::value& object, bool all) {
  std::vector<std::vector<std::string>> rows{
      {"ID", "NAME", "KIND", "TENANT", "STATE", "EXPIRES", "LAST USED", "ENDS", "MODELS"}};
  for (const bj::value& key : object.at("keys").as_array()) {
    const std::string name = text_of(key, "name");
    if (!all && is_own_key(name)) continue;
    const auto& secrets = key.at("secrets").as_array();
    rows.push_back({text_of(key, "id"), name, text_of(key, "kind"), text_of(key, "tenant"),
                    text_of(key, "state"), time_of(key, "expires"), time_of(key, "last_used"),
                    secrets.empty() ? "" : "..." + text_of(secrets[0], "last4"),
                    joined(key, "models")});
  }
  std::fputs(table_text(rows).c_str(), stdout);
  if (all) {
    std::printf("\n%s and %s are made for the verbs of this machine, anew at each start.\n",
                std::string(kOwnKey).c_str(), std::string(kOwnAdminKey).c_str());
  }
}

struct Words {
  CreateWords create;
  std::string id, grace = "1h", expires_in, expires;
  bool never = false, json = false, all = false;
};

std::string expiry_body(const Words& words) {
  std::string body;
  text::JsonWriter json(body);
  json.begin_object();
  if (words.never) {
    json.key("expires").null();
  } else if (!words.expires_in.empty()) {
    json.field("expires_in", words.expires_in);
  } else {
    json.field("expires", words.expires);
  }
  json.end_object();
  return body;
}

int run_parsed(const CLI::App& app, const Words& words, AdminClient& admin) {
  const std::string path = "/api/keys/" + url_encoded(words.id);
  const std::string verb = app.get_subcommands().front()->get_name();
  const auto ask = [&] {
    if (verb == "list") return ask_admin(admin, http::Method::Get, "/api/keys");
    if (verb == "revoke") return ask_admin(admin, http::Method::Delete, path);
    if (verb == "create") {
      return ask_admin(admin, http::Method::Post, "/api/keys", body_of(words.create));
    }
    if (verb == "rotate") {
      std::string body;
      text::JsonWriter(body).begin_object().field("grace", words.grace).end_object();
      return ask_admin(admin, http::Method::Post, path + "/rotate", body);
    }
    return ask_admin(admin, http::Method::Patch, path, expiry_body(words));
  };
  const auto answer = ask();
  if (!answer) return answer.error();
  if (words.json) {
    std::printf("%s\n", answer->raw.c_str());
  } else if (verb == "list") {
    print_list(answer->object, words.all);
  } else if (verb == "revoke") {
    std::printf("Revoked; it opens nothing any more.\n");
  } else if (verb == "create" || verb == "rotate") {
    print_made(answer->object);
  } else {
    const std::string expires = text_of(answer->object, "expires");
    std::printf("Expires: %s\n", expires.empty() ? "never" : expires.c_str());
  }
  return 0;
}

void describe(CLI::App& app, Words& words) {
  app.require_subcommand(1);
  const auto add = [&](const char* name, const char* what, bool with_id) {
    CLI::App* sub = app.add_subcommand(name, what);
    sub->add_flag("--json", words.json, "print the reply as JSON");
    if (with_id) sub->add_option("id", words.id, "id of the key, or its name")->required();
    return sub;
  };
  CLI::App* create = add("create", "make a key and show it this once", false);
  CreateWords& made = words.create;
  create->add_option("--name", made.name, "what it is for")->required();
  create->add_option("--models", made.models, "models that it may use, as patterns; default: all")
      ->delimiter(',');
  create->add_option("--tenant", made.tenant, "whose it is; default: default");
  create->add_option("--user", made.user, "the person behind it");
  create->add_option("--roles", made.roles, "roles, for policies")->delimiter(',');
  create->add_option("--attribute", made.attributes, "NAME=VALUE, carried along; may be repeated");
  create->add_option("--kind", made.kind, "application (default), admin or admin_read_only");
  create->add_option("--expires-in", made.expires_in, "a duration like 90d");
  create->add_option("--expires", made.expires, "a time like 2027-01-31T00:00:00Z");
  add("list", "show the keys, without their secrets", false)
      ->add_flag("--all", words.all, "also those that the verbs of this machine use");
  CLI::App* rotate = add("rotate", "a new secret for a key", true);
  rotate->add_option("--grace", words.grace, "how long the old one stays valid; default: 1h");
  add("revoke", "end a key now", true);
  CLI::App* expire = add("expire", "set or take away a key's expiry", true);
  CLI::Option_group* when = expire->add_option_group("when");
  when->add_option("--in", words.expires_in, "a duration like 90d");
  when->add_option("--at", words.expires, "a time like 2027-01-31T00:00:00Z");
  when->add_flag("--never", words.never, "no expiry");
  when->require_option(1);
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app(
      "Keys of applications and administrators. Works on the running gateway, or on the "
      "data folder when none runs.",
      "causeway keys");
  Words words;
  describe(app, words);
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return run_parsed(app, words, admin);
}

}  // namespace

Verb keys_verb() { return {"keys", "Make, list, rotate, revoke and expire keys.", run}; }

}  // namespace causeway::keys
