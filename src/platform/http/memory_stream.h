// A request and its answer without a socket: for ask(), which runs the whole pipeline inside the
// program, and for tests. The body is given whole or in pieces; the answer is collected, or passed
// to a sink piece by piece.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "platform/http/server_stream.h"

namespace causeway::http {

class MemoryStream final : public ServerStream {
 public:
  struct Request {
    std::string method = "POST";
    std::string target = "/";
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    std::size_t piece_bytes = 0;  // read_some() gives at most so many; 0 = all at once
    std::string peer;
  };

  explicit MemoryStream(Request request);

  const RequestHead& head() const override { return head_; }
  std::string_view peer() const override { return request_.peer; }
  Task<Result<std::string_view>> read_body(std::size_t limit) override;
  Task<Result<std::string_view>> read_some() override;
  bool hold(std::size_t) override { return true; }  // no core's: who asks has a budget of its own
  Task<Result<void>> reply(int status, std::span<const Field> fields,
                           std::span<const std::string_view> body) override;
  void begin(int status, std::span<const Field> fields) override;
  Task<Result<void>> write(std::span<const std::string_view> pieces) override;
  Task<Result<void>> finish() override;
  void abort() override;
  bool begun() const override { return begun_; }
  bool gone() const override { return gone_; }
  void on_gone(std::move_only_function<void()> action) override;

  /// The other side leaves: gone() from now on, on_gone's action runs, writes fail with Cancelled.
  void leave();

  /// Takes the pieces of write() as they come, instead of collecting them in answer().body. It may
  /// make the writer wait: that is the back-pressure of whoever reads this stream.
  using Sink = std::function<Task<Result<void>>(std::string_view piece)>;
  void sink(Sink sink) { sink_ = std::move(sink); }

  struct Answer {
    int status = 0;  // 0: none yet
    std::vector<std::pair<std::string, std::string>> fields;
    std::string body;
    std::vector<std::string> writes;  // what each write() gave, where there is no sink
    bool streamed = false;            // begin() and not reply()
    bool complete = false;            // reply() or finish()
    bool aborted = false;

    /// The first field of that name, "" when there is none.
    std::string_view field(std::string_view name) const;
  };
  const Answer& answer() const { return answer_; }
  Answer take_answer() { return std::move(answer_); }

 private:
  void set_head(int status, std::span<const Field> fields);

  Request request_;
  std::size_t body_size_ = 0;  // without the padding behind it
  std::size_t read_ = 0;
  std::vector<Field> fields_;
  RequestHead head_;
  Answer answer_;
  Sink sink_;
  bool begun_ = false;
  bool gone_ = false;
  std::move_only_function<void()> on_gone_;
};

}  // namespace causeway::http
