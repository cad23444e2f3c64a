#include "features/traffic/routing/language.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace causeway::routing {
namespace {

const std::vector<std::pair<std::string_view, std::string_view>> kTexts{
    {"en", "Please explain how the heart pumps blood."},
    {"en", "What is the weather like in Scotland in October?"},
    {"de", "Was ist die Hauptstadt von Frankreich?"},
    {"de", "Hallo, wie geht es dir?"},
    {"de", "Bitte schreiben Sie eine Mahnung an den Kunden Smith & Sons in London."},
    {"de", "Was heißt \"Hund\" und \"Katze\" auf Englisch?"},
    {"fr", "Quelle est la capitale de l'Allemagne ?"},
    {"fr", "Explique la différence entre une SARL et une SAS."},
    {"es", "Explica paso a paso cómo se calcula el IVA incluido en un precio."},
    {"es", "¿Por qué es salada el agua del mar?"},
    {"it", "Qual è la capitale dell'Italia?"},
    {"it", "Spiega perché il pane lievita quando si usa il lievito."},
    {"nl", "Leg uit wat het verschil is tussen een bv en een eenmanszaak."},
    {"nl", "Wat is de hoofdstad van België?"},
    {"pl", "Jaka jest stolica Polski i ilu ma mieszkańców?"},
    {"ja", "日本の首都はどこですか。"},
    {"zh", "法国的首都是哪里？"},
    {"zh", "請問台灣的首都在哪裡？"},
    {"ar", "ما هي عاصمة مصر؟"},
    {"he", "מהי בירת צרפת ומה אפשר לראות שם?"},
};

TEST(Language, IsFoundInQuestions) {
  ASSERT_TRUE(can_tell_languages());
  for (const auto& [language, text] : kTexts) EXPECT_EQ(language_of(text), language) << text;
}

TEST(Language, IsUnknownWhereThereIsNone) {
  for (const std::string_view text :
       {"", " ", "ok", "hi", "12345 67890 3.14, 2026-11-26", "??? !!!", "😀😀😀",
        "def f(x): return [y*y for y in range(x) if y % 2 == 0]",
        "for (int i = 0; i < n; ++i) { sum += a[i] * b[i]; if (sum > limit) break; }",
        R"(x = {"a": 1, "b": [2, 3]}; y = x["a"] + len(x["b"]); print(y))",
        "```python\nprint('hello world, this is a test')\n```",
        R"({"name": "Anna", "city": "Bern", "tags": ["a", "b"], "active": true})"})
    EXPECT_EQ(language_of(text), "unknown") << text;
}

TEST(Language, CodeBetweenFencesDoesNotCount) {
  EXPECT_EQ(language_of("Warum wirft dieses Programm einen Fehler, wenn die Liste leer ist?\n"
                        "```python\ndef first(items):\n    return items[0]  # the first of them\n"
                        "def second(items):\n    return items[1]\n```\n"),
            "de");
}

TEST(Language, BytesThatAreNoTextAreUnknown) {
  EXPECT_EQ(language_of("Was ist die Hauptstadt \xff\xfe von Frankreich?"), "unknown");
  EXPECT_EQ(language_of(std::string(100'000, '\x80')), "unknown");
  EXPECT_EQ(language_of(std::string(100, '\0')), "unknown");
}

TEST(Language, OfALongTextBothEndsAreLookedAt) {
  const std::string_view german = "Der Vertrag wird auf unbestimmte Zeit geschlossen, und das ß ";
  const std::string_view english = "The contract is concluded for an indefinite period of time. ";
  // Every length, so that cuts fall inside of characters as well.
  for (std::size_t more = 0; more < german.size(); ++more) {
    std::string text(german.substr(0, 50), 0, more);
    while (text.size() < 10'000) text += german;
    while (text.size() < 500'000) text += english;
    while (text.size() < 510'000) text += german;
    ASSERT_EQ(language_of(text), "de") << more;
  }
}

TEST(Language, IsFoundByManyThreadsAtOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&wrong] {
      for (int round = 0; round < 100; ++round)
        for (const auto& [language, text] : kTexts) wrong += language_of(text) != language;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace causeway::routing
