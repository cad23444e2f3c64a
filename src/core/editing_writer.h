// What writers of answers in JSON share: a frame that nobody edited leaves as it came; in one
// that was edited the texts are replaced where they stand, and the cost goes into its usage.
#pragma once

#include <string>
#include <string_view>

#include "core/dialect.h"

namespace causeway {

class EditingWriter : public AnswerWriter {
 public:
  /// `no_logprobs`: what stands for log probabilities that no longer fit their text; empty = the
  /// dialect has none.
  EditingWriter(WriterSettings settings, std::string_view no_logprobs)
      : settings_(settings), no_logprobs_(no_logprobs) {}

  void frame(const Frame& frame, Bytes& out) override;
  void cost(std::int64_t micros) override;
  std::string_view heartbeat() const override { return ": waiting\n\n"; }
  std::string_view content_type() const override { return "text/event-stream; charset=utf-8"; }

 protected:
  /// Keeps what text() needs of a frame; only called where some stage may edit.
  virtual void remember(const Frame& frame) = 0;

  WriterSettings settings_;

 private:
  std::string edited(const Frame& frame, std::string json) const;
  std::string spliced(const Frame& frame) const;
  std::string without_logprobs(const Frame& frame) const;
  void frame_with_cost(const Frame& frame, Bytes& out) const;
  std::string cost_member(const Frame& frame) const;
  void append_data(const Frame& frame, std::size_t begin, std::size_t end, std::string& json) const;
  void drop_logprobs(std::string& json) const;

  std::string_view no_logprobs_;
  std::string cost_;  // as a member; empty = not known or not asked for
};

}  // namespace causeway
