#include "platform/transfer/transfer.h"

#include <curl/curl.h>

#include <memory>
#include <mutex>
#include <string_view>

namespace causeway::transfer {
namespace {

struct Free {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, Free>;

class List {
 public:
  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(list_.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    (void)list_.release();
    list_.reset(longer);
  }
  curl_slist* get() const { return list_.get(); }

 private:
  std::unique_ptr<curl_slist, Free> list_;
};

std::size_t swallow(char*, std::size_t size, std::size_t count, void*) { return size * count; }

std::size_t give(char* to, std::size_t size, std::size_t count, void* from) {
  auto& rest = *static_cast<std::string_view*>(from);
  const std::size_t given = rest.copy(to, size * count);
  rest.remove_prefix(given);
  return given;
}

int stopped(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<const std::atomic<bool>*>(stop)->load() ? 1 : 0;
}

std::unexpected<Error> failed(std::string message, bool retryable) {
  auto error = fail(ErrorKind::UpstreamFailed, Origin::Upstream, std::move(message));
  error.error().retryable = retryable;
  return error;
}

Handle make_handle(const char* protocols, const Limits& limits) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  Handle handle(curl_easy_init());
  if (!handle) throw std::bad_alloc();
  CURL* curl = handle.get();
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, protocols);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(limits.deadline.count()));
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, swallow);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "causeway");
  if (!limits.ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, limits.ca_file.c_str());
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
  }
  if (limits.stop) {
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, stopped);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, limits.stop);
  }
  return handle;
}

// Certificates do not get better by waiting, nor do addresses and passwords.
bool may_get_better(CURLcode code, long status) {
  switch (code) {
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_LOGIN_DENIED:
    case CURLE_USE_SSL_FAILED:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return false;
    default:
      return status < 500 || status > 599;  // of SMTP: for good
  }
}

Result<void> perform(const Handle& handle) {
  const CURLcode code = curl_easy_perform(handle.get());
  if (code == CURLE_OK) return {};
  long status = 0;
  curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status);
  std::string message = curl_easy_strerror(code);
  if (status > 0) message += " (" + std::to_string(status) + ")";
  return failed(std::move(message), may_get_better(code, status));
}

}  // namespace

Result<void> send(const Post& post, const Limits& limits) {
  const Handle handle = make_handle("http,https", limits);
  CURL* curl = handle.get();
  List fields;
  for (const auto& [name, value] : post.fields) fields.add(name + ": " + value);
  fields.add("Expect:");
  const std::string url(post.url.reveal());
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fields.get());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, post.body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  if (auto done = perform(handle); !done) return done;
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  if (status >= 200 && status <= 299) return {};
  return failed("it answered with status " + std::to_string(status),
                status >= 500 || status == 429 || status == 408);
}

Result<void> send(const Mail& mail, const Limits& limits) {
  const Handle handle = make_handle("smtp,smtps", limits);
  CURL* curl = handle.get();
  List to;
  for (const std::string& one : mail.to) to.add("<" + one + ">");
  const std::string from = "<" + mail.from + ">";
  const std::string password(mail.password.reveal());
  std::string_view rest = mail.text;
  curl_easy_setopt(curl, CURLOPT_URL, mail.server.c_str());
  curl_easy_setopt(curl, CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!mail.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, mail.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to.get());
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
  curl_easy_setopt(curl, CURLOPT_READDATA, &rest);
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  return perform(handle);
}

}  // namespace causeway::transfer
