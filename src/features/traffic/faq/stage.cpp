#include "features/traffic/faq/stage.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "core/ask.h"
#include "core/caller.h"
#include "features/traffic/faq/asked.h"
#include "features/traffic/faq/normal.h"
#include "platform/base/worker.h"
#include "platform/net/loop.h"
#include "platform/similar/gate.h"

namespace causeway::faq {
namespace {

constexpr std::size_t kMostOnLoop = 500'000;  // multiplications: some 100 us

std::string ground_text(std::span<const Near> entries) {
  std::string text =
      "Our staff has written these answers to questions like the user's. Where one of them answers "
      "what the user asks, keep to what it says, in the user's language.";
  for (const Near& near : entries) {
    text.append("\n\nQuestion: ").append(near.entry->questions.front());
    text.append("\nAnswer: ").append(near.entry->answer);
  }
  return text;
}

}  // namespace

FaqStage::FaqStage(SectionKey<FaqSettings> key, const Tables& tables, Meanings& meanings,
                   metrics::Registry& metrics)
    : key_(key),
      tables_(tables),
      meanings_(meanings),
      loops_(static_cast<std::size_t>(metrics.loops())) {
  const auto family = metrics.counter({
      .name = "causeway_faq_answers_total",
      .help = "Questions that were looked for in the FAQ: answered from it, asked of a model "
              "together with its answers, or none of it.",
      .labels = {"how"},
  });
  constexpr std::array<std::string_view, kHows> kNames{"exact", "meaning", "ground", "none"};
  for (std::size_t loop = 0; loop < loops_.size(); ++loop) {
    for (std::size_t how = 0; how < kHows; ++how) {
      loops_[loop].answers[how] = &metrics.cell(family, static_cast<int>(loop), {kNames[how]});
    }
  }
}

Verdict FaqStage::give(Exchange& exchange, const Entry& entry) {
  exchange.said.push_back({"x-causeway-faq", entry.id});
  exchange.answered_from = "faq";
  auto reply = std::make_unique<Reply>();
  reply->text = entry.answer;
  return reply;
}

void FaqStage::ground(Exchange& exchange, std::span<const Near> entries) {
  if (entries.empty() || !add_system_message(exchange.request, ground_text(entries))) return;
  std::string ids;
  for (const Near& near : entries) ids.append(ids.empty() ? "" : ", ").append(near.entry->id);
  exchange.said.push_back({"x-causeway-faq", std::move(ids)});
  loop_of(exchange).answers[kGround]->add();
}

void FaqStage::read(Exchange& exchange, Asked& asked) {
  if (exchange.operation->kind != OperationKind::Chat) return;
  const FaqSettings& settings = exchange.policy->sections.get(key_);
  asked.table = tables_.held(loop_of(exchange).hold);
  if (asked.table->entries().empty()) return;
  asked.question = question_of(exchange, settings.conversation, asked.joined);
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      exchange.context->clock->wall().time_since_epoch());
  asked.asking = {exchange.principal->tenant, exchange.model_name, &settings.languages,
                  now.count()};
}

bool FaqStage::find_exact(Exchange& exchange, const Asked& asked, Verdict& verdict) {
  const Entry* entry = asked.table->find(normal_form(asked.question), asked.asking);
  if (!entry) return false;
  if (exchange.policy->sections.get(key_).serve != Serve::Off) {
    loop_of(exchange).answers[kExact]->add();
    verdict = give(exchange, *entry);
  } else if (exchange.policy->sections.get(key_).ground) {
    const Near near{entry, 1.0, asked.question};
    ground(exchange, {&near, 1});
  }
  return true;
}

Verdict FaqStage::on_request(Exchange& exchange) {
  Asked asked;
  read(exchange, asked);
  Verdict verdict = go_on();
  if (!asked.question.empty() && !find_exact(exchange, asked, verdict)) {
    loop_of(exchange).answers[kNone]->add();
  }
  return verdict;
}

Task<Verdict> FaqStage::wait_request(Exchange& exchange) {
  Asked asked;
  read(exchange, asked);
  Verdict verdict = go_on();
  if (asked.question.empty() || find_exact(exchange, asked, verdict)) co_return verdict;
  auto finding = find_near(exchange, asked);
  auto near = co_await std::move(finding);
  if (exchange.cancel.requested()) {
    co_return fail(ErrorKind::Cancelled, Origin::Client, "The caller left.");
  }
  const FaqSettings& settings = exchange.policy->sections.get(key_);
  if (settings.serve == Serve::Meaning) {
    const auto question = similar::read_question(asked.question);
    const auto same = std::ranges::find_if(near, [&](const Near& one) {
      return one.similarity >= settings.threshold &&
             similar::differs(question, similar::read_question(one.wording)) ==
                 similar::Reason::Same;
    });
    if (same != near.end()) {
      char similarity[16];
      std::snprintf(similarity, sizeof similarity, "%.3f", same->similarity);
      exchange.said.push_back({"x-causeway-similarity", similarity});
      loop_of(exchange).answers[kMeaning]->add();
      co_return give(exchange, *same->entry);
    }
  }
  std::erase_if(near, [&](const Near& one) { return one.similarity < settings.ground_threshold; });
  if (!settings.ground) near.clear();
  if (near.empty()) loop_of(exchange).answers[kNone]->add();
  ground(exchange, near);
  co_return go_on();
}

// Where the model does not answer, or not in time, nothing is near: the question is asked as it is.
Task<std::vector<Near>> FaqStage::find_near(Exchange& exchange, Asked& asked) {
  const FaqSettings& settings = exchange.policy->sections.get(key_);
  asked.vectors = meanings_.held(loop_of(exchange).meanings, *settings.model);
  const auto& vectors = asked.vectors;
  if (!vectors || vectors->rows() == 0 || !exchange.context->asker) {
    meanings_.look();
    co_return std::vector<Near>{};
  }
  const auto principal = with_any_model(*exchange.principal);
  Question question;
  question.principal = principal.get();
  question.path = "/v1/embeddings";
  question.body = embeddings_body(*settings.model, {&asked.question, 1});
  question.inside = &exchange;
  question.cancel = &exchange.cancel;
  question.timeout = settings.wait;
  auto asking = exchange.context->asker->ask(std::move(question));
  const auto answer = co_await std::move(asking);
  if (!answer) co_return std::vector<Near>{};
  const auto vector = read_embeddings(answer->body, 1);
  if (!vector) co_return std::vector<Near>{};
  std::vector<Near> near;
  const double threshold = settings.ground ? std::min(settings.threshold, settings.ground_threshold)
                                           : settings.threshold;
  auto look = [&]() -> Result<void> {
    near = vectors->nearest(vector->front(), *asked.table, asked.asking, threshold, settings.most);
    return {};
  };
  if (vectors->work() <= kMostOnLoop || !exchange.context->cpu) {
    (void)look();
    co_return near;
  }
  auto post = [loop = exchange.context->loop](std::move_only_function<void()> resume) {
    loop->post(std::move(resume));
  };
  auto away = offload(*exchange.context->cpu, std::move(post), std::move(look));
  (void)co_await std::move(away);  // where all are busy, nothing is near
  co_return near;
}

}  // namespace causeway::faq
