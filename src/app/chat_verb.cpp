// `causeway chat`: a conversation in the terminal, or one question.
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>

#include "app/admin_client.h"
#include "app/client_verbs.h"
#include "app/simple_http.h"
#include "core/verb_output.h"
#include "platform/http/sse.h"
#include "platform/text/json_writer.h"

namespace causeway::app {
namespace {

namespace json = boost::json;

// Of a verb whose output nobody reads any more: what a shell shows for a program that SIGPIPE
// ended. The signal itself is ignored, as everywhere in the program: a socket may close as well.
constexpr int kReaderGone = 128 + SIGPIPE;

struct Server {
  std::string base_url, key;
  bool from_environment = false;
};

struct Turn {
  std::string role, text;
};

// What the API says went wrong, or the body itself.
std::string message_of(const std::string& body) {
  boost::system::error_code failed;
  const auto value = json::parse(body, failed);
  if (!failed && value.is_object()) {
    if (const auto* error = value.as_object().if_contains("error"); error && error->is_object()) {
      if (const auto* text = error->as_object().if_contains("message"); text && text->is_string()) {
        return std::string(text->as_string());
      }
    }
  }
  return body.substr(0, 500);
}

std::string piece_of(std::string_view data, std::string& error) {
  boost::system::error_code failed;
  const auto value = json::parse(json::string_view(data.data(), data.size()), failed);
  if (failed || !value.is_object()) return {};
  if (value.as_object().contains("error")) {
    error = message_of(std::string(data));
    return {};
  }
  const auto* content = value.find_pointer("/choices/0/delta/content", failed);
  return content && content->is_string() ? std::string(content->as_string()) : std::string();
}

// Who asked a server that the environment names may have forgotten that it does.
std::unexpected<Error> unreached(const Server& server, Error error) {
  error.message = "no answer from " + server.base_url + ": " + error.message;
  if (server.from_environment) {
    error.detail =
        "That address is OPENAI_BASE_URL's. Unset it, or name a gateway's folder with --data, to "
        "talk to a gateway of this machine.";
  }
  return std::unexpected(std::move(error));
}

Result<std::string> first_model(const Server& server) {
  SimpleRequest request;
  request.url = server.base_url + "/models";
  request.fields = {{"authorization", "Bearer " + server.key}};
  auto answer = simple_call(request);
  if (!answer) return unreached(server, std::move(answer).error());
  if (answer->status != 200) {
    return fail(ErrorKind::Unavailable, Origin::Us, message_of(answer->body));
  }
  boost::system::error_code failed;
  const auto value = json::parse(answer->body, failed);
  std::string first;
  if (const auto* data = failed ? nullptr : value.find_pointer("/data", failed)) {
    for (const auto& model : data->as_array()) {
      const std::string id(model.at("id").as_string());
      if (id == "local/default") return id;
      if (first.empty()) first = id;
    }
  }
  if (first.empty()) {
    return fail(ErrorKind::NotFound, Origin::Us,
                "the server lists no model; name one with --model");
  }
  return first;
}

bool has_reader() {
  pollfd out{STDOUT_FILENO, 0, 0};
  poll(&out, 1, 0);
  return (out.revents & (POLLERR | POLLHUP)) == 0;
}

// One question with the conversation so far; the answer is printed as it comes. Cancelled when it
// cannot be printed: the connection is closed then, so that the gateway ends its work too.
Result<std::string> ask(const Server& server, const std::string& model,
                        const std::vector<Turn>& turns) {
  SimpleRequest request;
  request.method = "POST";
  request.url = server.base_url + "/chat/completions";
  request.fields = {{"authorization", "Bearer " + server.key},
                    {"content-type", "application/json"}};
  text::JsonWriter writer(request.body);
  writer.begin_object().field("model", model).field("stream", true);
  writer.key("messages").begin_array();
  for (const auto& turn : turns) {
    writer.begin_object().field("role", turn.role).field("content", turn.text).end_object();
  }
  writer.end_array().end_object();
  http::SseReader reader;
  std::string all, error;
  bool done = false;
  request.on_piece = [&](std::string_view piece) {
    reader.feed(piece);
    http::SseEvent event;
    for (;;) {
      const auto more = reader.next(event);
      if (!more || !*more) return;
      if (event.data == "[DONE]") {
        done = true;
        continue;
      }
      const std::string text = piece_of(event.data, error);
      all += text;
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
    }
  };
  request.wanted = [] { return std::ferror(stdout) == 0 && has_reader(); };
  auto answer = simple_call(request);
  if (!answer && answer.error().kind == ErrorKind::Cancelled) {
    return fail(ErrorKind::Cancelled, Origin::Us, "the answer cannot be written");
  }
  if (!answer) return unreached(server, std::move(answer).error());
  if (answer->status != 200) {
    return fail(ErrorKind::UpstreamFailed, Origin::Us, message_of(answer->body));
  }
  if (!error.empty()) return fail(ErrorKind::UpstreamFailed, Origin::Us, error);
  if (!done) return fail(ErrorKind::UpstreamBroken, Origin::Us, "the answer was cut");
  std::fputc('\n', stdout);
  return all;
}

int refuse(const Error& error) {
  if (error.kind == ErrorKind::Cancelled && !has_reader()) return kReaderGone;
  return tell(error);
}

int converse(const Server& server, const std::string& model, std::vector<Turn>& turns) {
  std::fprintf(stderr, "Talking to %s. An empty line or Ctrl-D ends.\n", model.c_str());
  std::string line;
  for (;;) {
    std::fputs("> ", stderr);
    if (!std::getline(std::cin, line) || line.empty()) return 0;
    turns.push_back({"user", line});
    auto answer = ask(server, model, turns);
    if (!answer) {
      const int code = refuse(answer.error());
      if (answer.error().kind == ErrorKind::Cancelled) return code;
      turns.pop_back();
      continue;
    }
    turns.push_back({"assistant", std::move(*answer)});
  }
}

Result<Server> find_server(const Where& where) {
  const char* url = std::getenv("OPENAI_BASE_URL");
  const char* key = std::getenv("OPENAI_API_KEY");
  if (!where.data_given && url && *url) {
    std::string base = url;
    while (base.ends_with('/')) base.pop_back();
    return Server{base, key ? key : "", true};
  }
  auto running = find_running(where);
  if (!running) return pass(std::move(running));
  return Server{"http://" + running->listen + "/v1", running->application_key};
}

}  // namespace

int chat_verb(std::span<const std::string> args, const Where& where) {
  CLI::App app(
      "Talk to a model: one question as argument or on standard input, else a conversation. "
      "Without --data it goes to OPENAI_BASE_URL, with OPENAI_API_KEY, where that is set.",
      "causeway chat");
  std::string model, system;
  std::vector<std::string> words;
  app.add_option("--model,-m", model, "Which model; local/default or the first one listed");
  app.add_option("--system,-s", system, "A system prompt");
  app.add_option("question", words, "The question");
  if (const int code = parse_arguments(app, args); code >= 0) return code;
  const auto server = find_server(where);
  if (!server) return refuse(server.error());
  if (model.empty()) {
    auto first = first_model(*server);
    if (!first) return refuse(first.error());
    model = *first;
  }
  std::vector<Turn> turns;
  if (!system.empty()) turns.push_back({"system", system});
  std::string question;
  for (const auto& word : words) question += (question.empty() ? "" : " ") + word;
  if (question.empty() && isatty(STDIN_FILENO)) return converse(*server, model, turns);
  if (question.empty()) {
    question.assign(std::istreambuf_iterator<char>(std::cin), {});
    while (!question.empty() && std::isspace(static_cast<unsigned char>(question.back()))) {
      question.pop_back();
    }
  }
  if (question.empty()) {
    tell(
        "there is no question; ask as in causeway chat \"What is a causeway?\", or on standard "
        "input");
    return 2;
  }
  turns.push_back({"user", question});
  auto answer = ask(*server, model, turns);
  return answer ? 0 : refuse(answer.error());
}

}  // namespace causeway::app
