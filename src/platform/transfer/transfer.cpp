#include "platform/transfer/transfer.h"

#define CURL_DISABLE_TYPECHECK  // its macros stand in the way of a table of functions
#include <curl/curl.h>
#include <dlfcn.h>

#include <memory>
#include <new>
#include <string_view>

namespace causeway::transfer {
namespace {

/// libcurl, loaded when something is first sent: with all that it needs it takes 5 MB, which a
/// program that sends nothing should not pay.
struct Curl {
  decltype(&::curl_easy_init) init = nullptr;
  decltype(&::curl_easy_cleanup) cleanup = nullptr;
  decltype(&::curl_easy_setopt) set = nullptr;
  decltype(&::curl_easy_perform) perform = nullptr;
  decltype(&::curl_easy_getinfo) info = nullptr;
  decltype(&::curl_easy_strerror) text = nullptr;
  decltype(&::curl_slist_append) append = nullptr;
  decltype(&::curl_slist_free_all) free_all = nullptr;
  bool complete = true;

  Curl() {
    void* library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    const auto find = [&](auto& function, const char* name) {
      function = library ? reinterpret_cast<std::decay_t<decltype(function)>>(dlsym(library, name))
                         : nullptr;
      complete = complete && function;
    };
    decltype(&::curl_global_init) global_init = nullptr;
    find(global_init, "curl_global_init");
    find(init, "curl_easy_init");
    find(cleanup, "curl_easy_cleanup");
    find(set, "curl_easy_setopt");
    find(perform, "curl_easy_perform");
    find(info, "curl_easy_getinfo");
    find(text, "curl_easy_strerror");
    find(append, "curl_slist_append");
    find(free_all, "curl_slist_free_all");
    if (complete) complete = global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  }
};

const Curl& curl_library() {
  static const Curl loaded;
  return loaded;
}

struct Free {
  void operator()(CURL* handle) const { curl_library().cleanup(handle); }
  void operator()(curl_slist* list) const { curl_library().free_all(list); }
};

class List {
 public:
  void add(const std::string& line) {
    curl_slist* longer = curl_library().append(list_.get(), line.c_str());
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

std::unexpected<Error> not_there() {
  return failed("libcurl.so.4 is not on this machine (Debian's package libcurl4)", false);
}

class Transfer {
 public:
  Transfer(const char* protocols, const Limits& limits) : handle_(curl_library().init()) {
    if (!handle_) throw std::bad_alloc();
    set(CURLOPT_PROTOCOLS_STR, protocols);
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(limits.deadline.count()));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_WRITEFUNCTION, swallow);
    set(CURLOPT_USERAGENT, "causeway");
    if (!limits.ca_file.empty()) {
      set(CURLOPT_CAINFO, limits.ca_file.c_str());
      set(CURLOPT_CAPATH, static_cast<const char*>(nullptr));
    }
    if (limits.stop) {
      set(CURLOPT_NOPROGRESS, 0L);
      set(CURLOPT_XFERINFOFUNCTION, stopped);
      set(CURLOPT_XFERINFODATA, limits.stop);
    }
  }

  template <class T>
  void set(CURLoption option, T value) {
    curl_library().set(handle_.get(), option, value);
  }
  Result<void> perform();
  long status() const {
    long status = 0;
    curl_library().info(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    return status;
  }

 private:
  std::unique_ptr<CURL, Free> handle_;
};

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

Result<void> Transfer::perform() {
  const CURLcode code = curl_library().perform(handle_.get());
  if (code == CURLE_OK) return {};
  std::string message = curl_library().text(code);
  if (status() > 0) message += " (" + std::to_string(status()) + ")";
  return failed(std::move(message), may_get_better(code, status()));
}

}  // namespace

Result<void> send(const Post& post, const Limits& limits) {
  if (!curl_library().complete) return not_there();
  Transfer transfer("http,https", limits);
  List fields;
  for (const auto& [name, value] : post.fields) fields.add(name + ": " + value);
  fields.add("Expect:");
  const std::string url(post.url.reveal());
  transfer.set(CURLOPT_URL, url.c_str());
  transfer.set(CURLOPT_HTTPHEADER, fields.get());
  transfer.set(CURLOPT_POSTFIELDS, post.body.data());
  transfer.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  if (auto done = transfer.perform(); !done) return done;
  const long status = transfer.status();
  if (status >= 200 && status <= 299) return {};
  return failed("it answered with status " + std::to_string(status),
                status >= 500 || status == 429 || status == 408);
}

Result<void> send(const Mail& mail, const Limits& limits) {
  if (!curl_library().complete) return not_there();
  Transfer transfer("smtp,smtps", limits);
  List to;
  for (const std::string& one : mail.to) to.add("<" + one + ">");
  const std::string from = "<" + mail.from + ">";
  const std::string password(mail.password.reveal());
  std::string_view rest = mail.text;
  transfer.set(CURLOPT_URL, mail.server.c_str());
  transfer.set(CURLOPT_USE_SSL, static_cast<long>(CURLUSESSL_ALL));
  if (!mail.user.empty()) {
    transfer.set(CURLOPT_USERNAME, mail.user.c_str());
    transfer.set(CURLOPT_PASSWORD, password.c_str());
  }
  transfer.set(CURLOPT_MAIL_FROM, from.c_str());
  transfer.set(CURLOPT_MAIL_RCPT, to.get());
  transfer.set(CURLOPT_READFUNCTION, give);
  transfer.set(CURLOPT_READDATA, &rest);
  transfer.set(CURLOPT_UPLOAD, 1L);
  return transfer.perform();
}

}  // namespace causeway::transfer
