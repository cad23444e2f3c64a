// Sends one thing to the outside and waits for it, on the calling thread (never a loop's): an HTTP
// POST, or a mail over SMTP. For what is rare and must not fail for reasons of our own: libcurl
// does the work.
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "platform/base/error.h"
#include "platform/base/secret.h"

namespace causeway::transfer {

struct Limits {
  std::chrono::milliseconds deadline{10'000};  // of the whole
  std::string ca_file;                         // PEM to trust instead of the system's
  const std::atomic<bool>* stop = nullptr;     // ends it within about a second
};

struct Post {
  Secret url;  // http:// or https://
  std::vector<std::pair<std::string, std::string>> fields;
  std::string body;
};

struct Mail {
  std::string server;  // smtp://host:port, which must offer STARTTLS, or smtps://host:port
  std::string user;
  Secret password;
  std::string from;
  std::vector<std::string> to;
  std::string text;  // head and body, lines that end in CRLF
};

/// Redirects are not followed. Errors, of Origin::Upstream: what the other side said (a status that
/// is not 2xx), or why it could not be reached; `retryable` where another try may help. Neither
/// URL nor password is in them.
Result<void> send(const Post& post, const Limits& limits);
Result<void> send(const Mail& mail, const Limits& limits);

}  // namespace causeway::transfer
