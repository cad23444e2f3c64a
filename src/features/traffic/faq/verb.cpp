// `causeway faq`: what staff has answered, from the command line.
#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>

#include "core/verb_output.h"
#include "features/traffic/faq/feature.h"

namespace causeway::faq {
namespace {

namespace bj = boost::json;
using http::Method;

struct Words {
  std::string id, file, format, language, tenant, valid_on, valid_from, valid_until, answer, model;
  std::vector<std::string> questions, models;
  bool json = false, dry_run = false;
};

std::string text_of(const bj::value& row, bj::string_view name) {
  const bj::value* value = row.as_object().if_contains(name);
  if (!value || value->is_null()) return "-";
  if (value->is_string()) return value->as_string().empty() ? "-" : std::string(value->as_string());
  return bj::serialize(*value);
}

std::string first_question(const bj::value& entry) {
  const auto& questions = entry.at("questions").as_array();
  return questions.empty() ? "-" : std::string(questions.front().as_string());
}

// Prints nothing where it fails: that was told.
std::optional<bj::value> call(AdminClient& admin, Method method, const std::string& path,
                              const std::string& body, int& code) {
  auto reply = admin.call(method, path, body);
  if (!reply) {
    code = tell(reply.error());
    return std::nullopt;
  }
  bj::error_code failed;
  bj::value value = bj::parse(reply->body, failed);
  const bool object = !failed && value.is_object();
  if (object && reply->status < 300) return value;
  const bj::value* problems = object ? value.as_object().if_contains("problems") : nullptr;
  if (problems && problems->is_array()) {
    for (const bj::value& one : problems->as_array()) code = tell(text_of(one, "message"));
    code = tell("nothing was imported");
    return std::nullopt;
  }
  const bj::value* error = object ? value.as_object().if_contains("error") : nullptr;
  code = tell(error && error->is_object() ? text_of(*error, "message")
                                          : "the reply is not what was expected");
  return std::nullopt;
}

void add_query(std::string& path, std::string_view name, const std::string& value) {
  if (value.empty()) return;
  path += path.find('?') == std::string::npos ? '?' : '&';
  path.append(name).append("=").append(url_encoded(value));
}

std::string filtered(std::string path, const Words& words) {
  add_query(path, "language", words.language);
  add_query(path, "tenant", words.tenant);
  add_query(path, "valid_on", words.valid_on);
  return path;
}

int list(AdminClient& admin, const Words& words) {
  std::vector<std::vector<std::string>> table{
      {"ID", "VERSION", "STATE", "LANGUAGE", "TENANT", "UNTIL", "QUESTION"}};
  bj::array all;
  int code = 0;
  for (bool more = true; more;) {
    std::string path = filtered("/api/faq", words);
    if (!all.empty()) add_query(path, "after", text_of(all.back(), "id"));
    const auto value = call(admin, Method::Get, path, "", code);
    if (!value) return code;
    more = value->at("more").as_bool();
    for (const bj::value& row : value->at("entries").as_array()) all.push_back(row);
  }
  if (words.json) {
    std::printf("%s\n", bj::serialize(bj::object{{"entries", all}}).c_str());
    return 0;
  }
  for (const bj::value& row : all) {
    table.push_back({text_of(row, "id"), text_of(row, "version"), text_of(row, "state"),
                     text_of(row, "language"), text_of(row, "tenant"), text_of(row, "valid_until"),
                     first_question(row)});
  }
  std::fputs(table_text(table).c_str(), stdout);
  return 0;
}

int print(AdminClient& admin, Method method, const std::string& path, const std::string& body) {
  int code = 0;
  const auto value = call(admin, method, path, body, code);
  if (value) std::printf("%s\n", bj::serialize(*value).c_str());
  return code;
}

std::optional<std::string> contents_of(const std::string& file) {
  if (file == "-") {
    return std::string(std::istreambuf_iterator<char>(std::cin), {});
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

int add(AdminClient& admin, const Words& words) {
  bj::object body{{"questions", bj::value_from(words.questions)}, {"answer", words.answer}};
  if (words.answer == "-") body["answer"] = contents_of("-").value_or("");
  if (!words.language.empty()) body["language"] = words.language;
  if (!words.tenant.empty()) body["tenant"] = words.tenant;
  if (!words.models.empty()) body["models"] = bj::value_from(words.models);
  if (!words.valid_from.empty()) body["valid_from"] = words.valid_from;
  if (!words.valid_until.empty()) body["valid_until"] = words.valid_until;
  int code = 0;
  const auto value = call(admin, Method::Post, "/api/faq", bj::serialize(body), code);
  if (!value) return code;
  std::printf("%s\n", words.json ? bj::serialize(*value).c_str() : text_of(*value, "id").c_str());
  return 0;
}

int import(AdminClient& admin, Words words) {
  const auto text = contents_of(words.file);
  if (!text) return tell("cannot read " + words.file);
  if (words.format.empty()) {
    const bool markdown = words.file.ends_with(".md") || words.file.ends_with(".markdown");
    words.format = markdown ? "markdown" : "csv";
  }
  const bj::object body{{"format", words.format}, {"text", *text}, {"dry_run", words.dry_run}};
  int code = 0;
  const auto value = call(admin, Method::Post, "/api/faq/import", bj::serialize(body), code);
  if (!value) return code;
  if (words.json) {
    std::printf("%s\n", bj::serialize(*value).c_str());
    return 0;
  }
  for (const bj::value& one : value->at("entries").as_array()) {
    std::printf("%-8s line %s: %s\n", text_of(one, "change").c_str(), text_of(one, "line").c_str(),
                text_of(one, "question").c_str());
  }
  std::printf("%s added, %s changed, %s as they were%s\n", text_of(*value, "added").c_str(),
              text_of(*value, "changed").c_str(), text_of(*value, "same").c_str(),
              words.dry_run ? "; nothing was stored, as --dry-run says" : "");
  return 0;
}

int exported(AdminClient& admin, const Words& words) {
  std::string path = "/api/faq/export";
  add_query(path, "format", words.format.empty() ? "csv" : words.format);
  auto reply = admin.call(Method::Get, filtered(path, words), "");
  if (!reply) return tell(reply.error());
  if (reply->status >= 300) {
    bj::error_code failed;
    const bj::value value = bj::parse(reply->body, failed);
    const bj::value* error =
        !failed && value.is_object() ? value.as_object().if_contains("error") : nullptr;
    return tell(error && error->is_object() ? text_of(*error, "message") : "it was refused");
  }
  std::fwrite(reply->body.data(), 1, reply->body.size(), stdout);
  return 0;
}

int test(AdminClient& admin, const Words& words) {
  bj::object body{{"question", words.questions.empty() ? "" : words.questions.front()},
                  {"tenant", words.tenant},
                  {"model", words.model}};
  if (!words.valid_on.empty()) body["at"] = words.valid_on;
  int code = 0;
  const auto value = call(admin, Method::Post, "/api/faq/test", bj::serialize(body), code);
  if (!value) return code;
  if (words.json) {
    std::printf("%s\n", bj::serialize(*value).c_str());
    return 0;
  }
  const bj::value& entry = value->at("entry");
  if (entry.is_null()) {
    std::printf("No entry answers this; a model would be asked.\n");
    return 0;
  }
  std::printf("%s (%s), version %s: %s\n\n%s\n", text_of(entry, "id").c_str(),
              text_of(*value, "how").c_str(), text_of(entry, "version").c_str(),
              first_question(entry).c_str(), text_of(entry, "answer").c_str());
  return 0;
}

void describe(CLI::App& app, Words& words) {
  app.require_subcommand(1);
  const auto sub = [&](const char* name, const char* what) {
    CLI::App* one = app.add_subcommand(name, what);
    one->add_flag("--json", words.json, "print the reply as JSON");
    return one;
  };
  const auto filters = [&](CLI::App* one) {
    one->add_option("--language", words.language, "only entries in this language");
    one->add_option("--tenant", words.tenant, "only entries of this tenant");
    one->add_option("--valid-on", words.valid_on, "only what holds then, like 2026-12-31");
  };
  filters(sub("list", "the entries, without their answers"));
  sub("show", "one entry with its older versions, as JSON")
      ->add_option("ID", words.id, "id of the entry")
      ->required();
  CLI::App* make = sub("add", "add an entry; prints its id");
  make->add_option("QUESTION", words.questions, "the question, and other wordings of it")
      ->required();
  make->add_option("--answer", words.answer, "the answer; - reads it from the input")->required();
  make->add_option("--language", words.language, "its language, like de");
  make->add_option("--tenant", words.tenant, "for this tenant only");
  make->add_option("--models", words.models, "for these models only, as patterns")->delimiter(',');
  make->add_option("--from", words.valid_from, "holds from then on, like 2026-12-31");
  make->add_option("--until", words.valid_until, "holds to the end of this day");
  CLI::App* in = sub("import", "take entries from a file: all of it, or nothing");
  in->add_option("FILE", words.file, "CSV or Markdown (.md); - reads the input")->required();
  in->add_option("--format", words.format, "csv or markdown, where the name does not tell");
  in->add_flag("--dry-run", words.dry_run, "only say what would be done");
  CLI::App* out = sub("export", "all entries as a file, on the output");
  out->add_option("--format", words.format, "csv (default) or markdown");
  filters(out);
  sub("remove", "remove an entry with its older versions")
      ->add_option("ID", words.id, "id of the entry")
      ->required();
  CLI::App* ask = sub("test", "which entry would answer a question");
  ask->add_option("QUESTION", words.questions, "the question")->required()->expected(1);
  ask->add_option("--tenant", words.tenant, "whose key asks");
  ask->add_option("--model", words.model, "the model that is asked");
  ask->add_option("--at", words.valid_on, "when, like 2026-12-31; default: now");
}

int run(std::span<const std::string> args, AdminClient& admin) {
  CLI::App app("Questions that staff has answered.", "causeway faq");
  Words words;
  describe(app, words);
  std::vector<std::string> reversed(args.rbegin(), args.rend());  // as CLI11 wants them
  try {
    app.parse(reversed);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const std::string verb = app.get_subcommands().front()->get_name();
  const std::string path = "/api/faq/" + url_encoded(words.id);
  if (verb == "list") return list(admin, words);
  if (verb == "show") return print(admin, Method::Get, path, "");
  if (verb == "add") return add(admin, words);
  if (verb == "import") return import(admin, words);
  if (verb == "export") return exported(admin, words);
  if (verb == "test") return test(admin, words);
  return print(admin, Method::Delete, path, "");
}

}  // namespace

Verb faq_verb() { return {"faq", "Questions that staff has answered.", run}; }

}  // namespace causeway::faq
