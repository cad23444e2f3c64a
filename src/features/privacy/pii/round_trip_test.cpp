// Every sentence of the labelled set (bench/pii), masked, comes back byte for byte as it was,
// wherever the answer that repeats it is cut in two.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "features/privacy/pii/restorer.h"
#include "features/privacy/pii/treat.h"
#include "platform/text/json_writer.h"

namespace causeway::pii {
namespace {

struct Close {
  void operator()(FILE* pipe) const { pclose(pipe); }
};

/// As bench/pii/generate.py prints them: JSON lines with "text".
std::vector<std::string> labelled_sentences() {
  const std::unique_ptr<FILE, Close> pipe(
      popen("python3 -B " CAUSEWAY_SOURCE_DIR "/bench/pii/generate.py", "r"));
  std::string lines;
  for (std::array<char, 65536> piece; pipe;) {
    const std::size_t size = std::fread(piece.data(), 1, piece.size(), pipe.get());
    if (size == 0) break;
    lines.append(piece.data(), size);
  }
  std::vector<std::string> sentences;
  for (std::size_t at = 0, end; (end = lines.find('\n', at)) != lines.npos; at = end + 1) {
    const auto line = boost::json::parse(std::string_view(lines).substr(at, end - at));
    sentences.emplace_back(line.at("text").as_string());
  }
  return sentences;
}

class RoundTrip : public testing::Test {
 protected:
  /// What leaves for a provider in the place of the sentence.
  std::string masked(const std::string& sentence, StandIns& stand_ins) {
    body_.assign(1, '"');
    text::append_json_escaped(body_, sentence);
    body_ += '"';
    RequestIndex index;
    index.texts.push_back(
        {{Role::User, TextKind::Content, 0, 0}, {0, static_cast<std::uint32_t>(body_.size())}});
    index.body = body_;
    Request request(index);
    auto texts = request.texts();
    const auto found = find_all(*treatment_, index, texts, stand_ins);
    auto rewritten = rewrite_all(*treatment_, texts, found, "secret", stand_ins);
    return rewritten.empty() ? sentence : std::move(rewritten.front().second);
  }

  /// The answer as it comes in pieces: what the restorer asked to hold comes again in front of the
  /// next one.
  class Answer {
   public:
    explicit Answer(const StandIns& stand_ins) : restorer_(stand_ins, true) {}
    Answer& add(std::string_view piece, bool last = false) {
      EventText text(held_.append(piece));
      restorer_.run(text, place_, last, false);
      const std::size_t release =
          last ? text.get().size() : std::max(text.held_from(), text.final_bytes());
      out_ += text.get().substr(0, release);
      held_ = text.get().substr(release);
      return *this;
    }
    const std::string& end() { return add({}, true).out_; }

   private:
    Restorer restorer_;
    Restorer::Place place_;
    std::string out_, held_;
  };

  std::shared_ptr<const Treatment> treatment_ = *make_treatment({});
  std::string body_;
};

TEST_F(RoundTrip, EveryLabelledSentenceCutAtEveryByte) {
  const auto sentences = labelled_sentences();
  ASSERT_GT(sentences.size(), 3000U) << "python3 must be there";
  std::size_t changed = 0;
  for (const std::string& sentence : sentences) {
    StandIns stand_ins;
    const std::string answer = masked(sentence, stand_ins);
    changed += answer != sentence ? 1 : 0;
    Answer by_bytes(stand_ins);
    for (const char& byte : answer) by_bytes.add({&byte, 1});
    ASSERT_EQ(by_bytes.end(), sentence) << answer;
    for (std::size_t cut = 1; cut < answer.size(); ++cut) {
      const std::string_view view = answer;
      ASSERT_EQ(Answer(stand_ins).add(view.substr(0, cut)).add(view.substr(cut)).end(), sentence)
          << answer << "\ncut at " << cut;
    }
  }
  EXPECT_GT(changed, 2000U);
}

}  // namespace
}  // namespace causeway::pii
