#include "features/traffic/faq/config.h"

namespace causeway::faq {

void describe(config::Fields& f, FaqSettings& c) {
  using namespace std::chrono_literals;
  f.word("off", c.serve, Serve::Off, "Every question is asked of a model.");
  f.word("exact", c.serve, Serve::Exact, "An answered question is not asked of a model.");
  f.field("serve", c.serve,
          "When staff's answer is given instead of a model's: `exact` = the question is one of an "
          "entry's, but for case, white space and punctuation; `meaning` = also where it says the "
          "same in other words, as far as the embedding model can tell, and numbers, negations, "
          "opposites and names are the same.");
  f.field("ground", c.ground,
          "Where the answer is not given itself, it is put in front of the model as a system "
          "message.");
  f.field("model", c.model,
          "A model for embeddings (`local/minilm`), which `serve: meaning` wants; with `ground`, "
          "entries "
          "are then found that ask something near. Without one only those that are the question "
          "exactly.");
  f.field("threshold", c.threshold,
          "How near an entry's question must be to the caller's to be given, as the cosine of what "
          "the model makes of both: 1 = the same. What is right depends on the model.")
      .range(0.0, 1.0);
  f.field("ground_threshold", c.ground_threshold, "The same for what is put in front of the model.")
      .range(0.0, 1.0);
  f.field("most", c.most, "So many entries at most are put in front of the model.").range(1, 20);
  f.field("wait", c.wait,
          "How long the embedding model may take for the question; then nothing is put in front.")
      .range(10ms, 30s);
  f.field("conversation", c.conversation,
          "Also questions that come later in a conversation; else only the first one.");
  f.field("languages", c.languages,
          "Only entries in these languages, as tags: `de` stands for `de-CH` as well. Entries "
          "whose language is not said are in all of them.")
      .or_single();
  f.check<FaqSettings>(c, [](const FaqSettings& s, config::Position at,
                             config::Problems& problems) {
    if (s.serve != Serve::Meaning || !s.model->empty()) return;
    problems.add(at, "faq: `serve: meaning` wants `model`, one for embeddings (`local/minilm`)");
  });
}

}  // namespace causeway::faq
